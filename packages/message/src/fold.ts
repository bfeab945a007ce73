/**
 * Text as it is compared (RFC 5051 i;unicode-casemap with compatibility decomposition): upper case, so that ASCII sorts
 * as i;ascii-casemap does, and every sigma is one. Needles and texts must be folded the same way.
 */
export function foldText(text: string): string {
  return /^[\x00-\x7f]*$/.test(text) ? text.toUpperCase() : text.normalize('NFKD').toUpperCase().normalize('NFKD')
}
