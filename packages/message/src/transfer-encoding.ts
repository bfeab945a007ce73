/**
 * Content-Transfer-Encoding (RFC 2045 §6). Decoding is tolerant and in one pass; the encoders make lines of at most
 * 76 characters. Used by BINARY, search, previews and the DSN writer.
 */

/** The names of RFC 2045; everything else is `unknown` and cannot be decoded (RFC 3516 UNKNOWN-CTE). */
export type TransferEncoding = '7bit' | '8bit' | 'binary' | 'base64' | 'quoted-printable' | 'unknown'

/** The encoding that a field names, in lower case. */
export function transferEncodingOf(written: string): TransferEncoding {
  switch (written) {
    case '7bit':
    case '8bit':
    case 'binary':
    case 'base64':
    case 'quoted-printable':
      return written
    // Names that real agents have used for the same thing.
    case 'x-base64':
      return 'base64'
    case 'quotedprintable':
    case 'x-quoted-printable':
      return 'quoted-printable'
    case 'none':
    case '7-bit':
      return '7bit'
    case '8-bit':
      return '8bit'
    default:
      return 'unknown'
  }
}

/** Undoes the encoding; undefined when the encoding is unknown. */
export function decodeTransfer(octets: Buffer, encoding: TransferEncoding): Buffer | undefined {
  switch (encoding) {
    case 'base64':
      return decodeBase64(octets)
    case 'quoted-printable':
      return decodeQuotedPrintable(octets)
    case 'unknown':
      return undefined
    default:
      return octets
  }
}

/** RFC 2045 §6.8: characters outside the alphabet are skipped; padding in the middle (joined pieces) is no end. */
function decodeBase64(octets: Buffer): Buffer {
  // The platform would take `-` and `_` for the alphabet of URLs; here they are a list's footer.
  const text = octets.toString('latin1').replace(/[-_]+/g, '')
  const padding = text.indexOf('=')
  if (padding < 0 || !/[A-Za-z\d+/]/.test(text.slice(padding))) return Buffer.from(text, 'base64')
  // Into one buffer: a letter may have millions of pieces of a character each.
  const out = Buffer.allocUnsafe(Math.ceil((text.length * 3) / 4))
  let to = 0
  for (const [piece] of text.matchAll(/[^=]+/g)) to += out.write(piece, to, 'base64')
  return out.subarray(0, to)
}

const hexValue = (octet: number | undefined): number => {
  if (octet === undefined) return -1
  if (octet >= 48 && octet <= 57) return octet - 48
  const lower = octet | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** RFC 2045 §6.7: soft breaks and trailing white space go; an `=` that starts nothing stands for itself. */
export function decodeQuotedPrintable(octets: Buffer): Buffer {
  // Agents declare it for plain text too.
  if (!octets.includes(61) && !/[ \t](?:[\r\n]|$)/.test(octets.toString('latin1'))) return octets
  const out = Buffer.allocUnsafe(octets.length)
  let to = 0
  for (let at = 0; at < octets.length; ) {
    const octet = octets[at] as number
    if (octet === 61) {
      const high = hexValue(octets[at + 1])
      const low = high < 0 ? -1 : hexValue(octets[at + 2])
      if (low >= 0) {
        out[to++] = high * 16 + low
        at += 3
        continue
      }
    }
    if (octet === 61 || octet === 32 || octet === 9) {
      const lineEnd = endOfWhiteSpace(octets, octet === 61 ? at + 1 : at)
      const next = octets[lineEnd]
      if (octet === 61 && (next === 13 || next === 10 || next === undefined)) {
        at = next === 13 && octets[lineEnd + 1] === 10 ? lineEnd + 2 : lineEnd + 1
        continue
      }
      if (octet !== 61) {
        if (next === 13 || next === 10 || next === undefined) at = lineEnd
        // Mostly it is one space.
        while (at < lineEnd) out[to++] = octets[at++] as number
        continue
      }
    }
    out[to++] = octet
    at++
  }
  return out.subarray(0, to)
}

function endOfWhiteSpace(octets: Buffer, at: number): number {
  while (octets[at] === 32 || octets[at] === 9) at++
  return at
}

/** Base64 in lines of 76 characters ended by CRLF. */
export function encodeBase64(octets: Buffer): string {
  return octets.toString('base64').replace(/.{1,76}/g, '$&\r\n')
}

const digits = Buffer.from('0123456789ABCDEF')
/** Characters that a line has at least where a soft line break ends it. */
const shortestBroken = 73

/** Quoted-printable of octets in any charset; CRLF stays a line end. */
export function encodeQuotedPrintable(octets: Buffer): string {
  const longest = 3 * octets.length
  // Into one buffer: a letter may be one line of millions of octets.
  const out = Buffer.allocUnsafe(longest + 3 * Math.ceil(longest / shortestBroken))
  let to = 0
  let column = 0
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at] as number
    if (octet === 13 && octets[at + 1] === 10) {
      out[to++] = 13
      out[to++] = 10
      column = 0
      at++
      continue
    }
    const last = at + 1 === octets.length || (octets[at + 1] === 13 && octets[at + 2] === 10)
    const plain = (octet > 32 && octet < 127 && octet !== 61) || ((octet === 32 || octet === 9) && !last)
    const width = plain ? 1 : 3
    if (column + width > (last ? 76 : 75)) {
      out[to++] = 61
      out[to++] = 13
      out[to++] = 10
      column = 0
    }
    column += width
    if (plain) {
      out[to++] = octet
      continue
    }
    out[to++] = 61
    out[to++] = digits[octet >> 4] as number
    out[to++] = digits[octet & 15] as number
  }
  return out.toString('latin1', 0, to)
}
