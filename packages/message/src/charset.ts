import { isAscii, isUtf8 } from 'node:buffer'
import iconv from 'iconv-lite'

/**
 * Octets to text in every charset that mail uses. The platform's decoder knows the labels of the web (where
 * iso-8859-1 means windows-1252, and gb2312 means gbk, as in real mail) and ISO-2022-JP; iconv-lite knows the rest.
 * Never throws: what cannot be read becomes U+FFFD.
 */

const decoders = new Map<string, ((octets: Buffer) => string) | undefined>()
const maxDecoders = 200

function decoderFor(label: string): ((octets: Buffer) => string) | undefined {
  if (decoders.has(label)) return decoders.get(label)
  const decoder = makeDecoder(label)
  if (decoders.size < maxDecoders) decoders.set(label, decoder)
  return decoder
}

function makeDecoder(label: string): ((octets: Buffer) => string) | undefined {
  try {
    const decoder = new TextDecoder(label)
    return (octets) => decoder.decode(octets)
  } catch {
    if (!iconv.encodingExists(label)) return undefined
    return (octets) => iconv.decode(octets, label)
  }
}

/** Whether text in this charset can be read at all (BADCHARSET, RFC 9051 §6.4.4). */
export function knowsCharset(charset: string): boolean {
  return decoderFor(cleanLabel(charset)) !== undefined
}

const cleanLabel = (charset: string): string =>
  charset
    .trim()
    .toLowerCase()
    .replace(/^x-unknown$|^unknown-8bit$/, '')

/** Text that was declared to be in `charset`; with an unknown or missing charset it is read as undeclared text. */
export function decodeCharset(octets: Buffer, charset: string): string {
  const label = cleanLabel(charset)
  if (label === '' || label === 'us-ascii' || label === 'ascii') return decodeUndeclared(octets, '')
  if (label === 'utf-8' || label === 'utf8') return octets.toString('utf8')
  const decoder = decoderFor(label)
  return decoder === undefined ? decodeUndeclared(octets, '') : decoder(octets)
}

/** Text without a charset: UTF-8 if it is, or else in `fallback`, or else windows-1252, in which every octet is something. */
export function decodeUndeclared(octets: Buffer, fallback: string): string {
  if (isAscii(octets)) return octets.toString('latin1')
  if (isUtf8(octets)) return octets.toString('utf8')
  const label = cleanLabel(fallback)
  const usable = label !== '' && !/^(us-)?ascii$|^utf-?8$/.test(label)
  return ((usable && decoderFor(label)) || decoderFor('windows-1252'))?.(octets) ?? octets.toString('latin1')
}
