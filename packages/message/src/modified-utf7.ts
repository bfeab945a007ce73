/**
 * Mailbox names as IMAP4rev1 spells them (RFC 3501 §5.1.3): ASCII as it is, `&` as `&-`, everything else as UTF-16 in
 * base64 with `,` for `/` between `&` and `-`. Each name has one spelling. Folders of Maildir++ are called so too.
 */

/** The spelling of a name. */
export function encodeModifiedUtf7(name: string): string {
  if (/^[\x20-\x25\x27-\x7e]*$/.test(name)) return name
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => (run === '&' ? '&-' : `&${base64(run)}-`))
}

/** The name of a spelling, or undefined when it is none. */
export function decodeModifiedUtf7(spelling: string): string | undefined {
  if (/[^\x20-\x7e]/.test(spelling)) return undefined
  if (!spelling.includes('&')) return spelling
  const name = readModifiedUtf7(spelling)
  // One spelling each: this refuses `&` without its end, ASCII in base64, runs that should be one, stray bits.
  return name.isWellFormed() && encodeModifiedUtf7(name) === spelling ? name : undefined
}

/** What was meant by something that others have written: what can be no UTF-7 stays as it is. */
export function readModifiedUtf7(text: string): string {
  return text.replace(/&([A-Za-z0-9+,]*)-/g, (whole, run: string) => (run === '' ? '&' : utf16(run) || whole))
}

/** Half a character at the end is left out. */
function utf16(run: string): string {
  const octets = Buffer.from(run.replaceAll(',', '/'), 'base64')
  return octets
    .subarray(0, octets.length & ~1)
    .swap16()
    .toString('utf16le')
}

function base64(text: string): string {
  const octets = Buffer.from(text, 'utf16le').swap16()
  return octets.toString('base64').replace(/=+$/, '').replaceAll('/', ',')
}
