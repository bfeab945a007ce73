/**
 * Text as it is compared (RFC 5051 i;unicode-casemap with compatibility decomposition): upper case, so that ASCII sorts
 * as i;ascii-casemap does, and every sigma is one. Needles and texts must be folded the same way.
 * What comes out is well-formed, so that it can be kept as UTF-8.
 */
export function foldText(text: string): string {
  if (/^[\x00-\x7f]*$/.test(text)) return text.toUpperCase()
  return text.toWellFormed().replaceAll(longest, instead).normalize('NFKD').toUpperCase().normalize('NFKD')
}

/**
 * A ligature of eighteen letters that is not taken apart: a message of 50 MB of it would become 600 MB. What it stays as is
 * no character. All others become eight at most.
 */
const longest = '\ufdfa'
const instead = '\ufdd0'
