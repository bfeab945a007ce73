import { isAscii, isUtf8 } from 'node:buffer'
import { StringDecoder } from 'node:string_decoder'
import iconv from 'iconv-lite'
import { Utf7Decoder } from './utf7.ts'

/**
 * Octets to text in every charset that mail uses. The platform's decoder knows the labels of the web (where
 * iso-8859-1 means windows-1252, and gb2312 means gbk, as in real mail) and ISO-2022-JP; iconv-lite knows the rest, but for
 * UTF-7.
 * Never throws: what cannot be read becomes U+FFFD.
 */

type Decoder = (octets: Buffer) => string

const decoders = new Map<string, Decoder | undefined>()
const maxDecoders = 200

function decoderFor(label: string): Decoder | undefined {
  if (decoders.has(label)) return decoders.get(label)
  const decoder = makeDecoder(label)
  if (decoders.size < maxDecoders) decoders.set(label, decoder)
  return decoder
}

function makeDecoder(label: string): Decoder | undefined {
  if (isUtf7(label)) return (octets) => new Utf7Decoder().write(octets)
  try {
    const decoder = new TextDecoder(label)
    if (decoder.encoding === 'iso-2022-jp') return (octets) => decoder.decode(withoutIdleEscapes(octets))
    return (octets) => decoder.decode(octets)
  } catch {
    // That of mailbox names is as slow as its UTF-7, and of no text.
    if (iconvName(label) === 'utf7imap' || !iconv.encodingExists(label)) return undefined
    return (octets) => iconv.decode(octets, label)
  }
}

/** As iconv-lite reads a label. */
const iconvName = (label: string): string => label.replace(/:\d{4}$|[^\da-z]/g, '')
const isUtf7 = (label: string): boolean => /^(?:unicode11)?utf7$/.test(iconvName(label))

/**
 * Leaves out each escape of ISO-2022-JP behind which the next one stands at once, where the platform's decoder puts an
 * U+FFFD: encoded words begin and end with one, and are joined.
 */
function withoutIdleEscapes(octets: Buffer): Buffer {
  return Buffer.from(octets.toString('latin1').replace(idleEscape, ''), 'latin1')
}

const idleEscape = /\x1b(?:\([BIJ]|\$[@B])(?=\x1b(?:\([BIJ]|\$[@B]))/g

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
  if (utf8Labels.has(label)) return octets.toString('utf8')
  const decoder = asciiLabels.has(label) ? undefined : decoderFor(label)
  return decoder ? decoder(octets) : decodeUndeclared(octets, '')
}

const asciiLabels = new Set(['', 'us-ascii', 'ascii'])
const utf8Labels = new Set(['utf-8', 'utf8'])

/** The same of octets in pieces, which are gone through twice where only all of them tell the charset. */
export function* decodeCharsetPieces(octets: () => Iterable<Buffer>, charset: string): Generator<string> {
  const label = cleanLabel(charset)
  const isDeclared = utf8Labels.has(label) || (!asciiLabels.has(label) && decoderFor(label))
  const decoder = pieceDecoder(isDeclared ? label : areUtf8(octets()) ? 'utf-8' : 'windows-1252')
  for (const piece of octets()) yield decoder(piece)
  yield decoder()
}

/** Is given the pieces, and then nothing. */
function pieceDecoder(label: string): (octets?: Buffer) => string {
  if (utf8Labels.has(label)) {
    const decoder = new StringDecoder('utf8')
    return (octets) => (octets ? decoder.write(octets) : decoder.end())
  }
  if (isUtf7(label)) {
    const decoder = new Utf7Decoder()
    return (octets) => (octets ? decoder.write(octets) : '')
  }
  try {
    const { encoding } = new TextDecoder(label)
    return encoding === 'iso-2022-jp' ? japanesePieceDecoder() : platformPieceDecoder(encoding)
  } catch {
    const decoder = iconv.getDecoder(label)
    // At the end that of CESU-8 says 0 for nothing.
    return (octets) => (octets ? decoder.write(octets) : decoder.end() || '')
  }
}

/** The platform's throws where two pieces divide some of what cannot be read, as it does nowhere else. */
function platformPieceDecoder(label: string): (octets?: Buffer) => string {
  let decoder = new TextDecoder(label)
  return (octets) => {
    const options = { stream: octets !== undefined }
    try {
      return decoder.decode(octets, options)
    } catch {
      decoder = new TextDecoder(label)
      return `\ufffd${decoder.decode(octets, options)}`
    }
  }
}

/** Keeps an escape that ends a piece, also with a part of the next one behind it, until it is known what follows it. */
function japanesePieceDecoder(): (octets?: Buffer) => string {
  const decode = platformPieceDecoder('iso-2022-jp')
  let held: Buffer = Buffer.alloc(0)
  return (octets) => {
    const all = withoutIdleEscapes(octets ? Buffer.concat([held, octets]) : held)
    const lastEscape = octets ? all.indexOf(0x1b, Math.max(0, all.length - 5)) : -1
    const end = lastEscape >= 0 ? lastEscape : all.length
    held = all.subarray(end)
    const text = decode(all.subarray(0, end))
    return octets ? text : text + decode()
  }
}

function areUtf8(pieces: Iterable<Buffer>): boolean {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    for (const piece of pieces) decoder.decode(piece, { stream: true })
    decoder.decode()
    return true
  } catch {
    return false
  }
}

/** Text without a charset: UTF-8 if it is, or else in `fallback`, or else windows-1252, in which every octet is something. */
export function decodeUndeclared(octets: Buffer, fallback: string): string {
  if (isAscii(octets)) return octets.toString('latin1')
  if (isUtf8(octets)) return octets.toString('utf8')
  const label = cleanLabel(fallback)
  const says = !asciiLabels.has(label) && !utf8Labels.has(label)
  return ((says && decoderFor(label)) || windows1252)(octets)
}

const windows1252 = makeDecoder('windows-1252') as Decoder

/** Anything else takes more octets than characters. */
export function isAsciiText(text: string): boolean {
  return Buffer.byteLength(text) === text.length
}
