import { decodeCharset } from './charset.ts'
import { decodeQuotedPrintable } from './transfer-encoding.ts'

/**
 * Encoded words (RFC 2047, RFC 2231 §5). Neighbours in one charset are joined as octets before they are decoded,
 * since agents cut characters in two. Tolerant: what is no encoded word stays as it is.
 */

const word = /=\?([^?*\s]{1,64})(?:\*[^?\s]*)?\?([bq])\?([^?]*)\?=/gi

/** Decodes every encoded word of an unfolded header value. */
export function decodeWords(text: string): string {
  if (!text.includes('=?')) return text
  let out = ''
  let last = 0
  let charset = ''
  let pending: Buffer[] = []
  const flush = () => {
    if (pending.length > 0)
      out += decodeCharset(pending.length === 1 ? (pending[0] as Buffer) : Buffer.concat(pending), charset)
    pending = []
  }
  for (const match of text.matchAll(word)) {
    const between = text.slice(last, match.index)
    // RFC 2047 §6.2: white space between two encoded words is not shown.
    const adjacent = pending.length > 0 && /^\s*$/.test(between)
    const label = (match[1] as string).toLowerCase()
    if (!adjacent || label !== charset) flush()
    if (!adjacent) out += between
    charset = label
    pending.push(wordOctets(match[2] as string, match[3] as string))
    last = match.index + match[0].length
  }
  flush()
  return out + text.slice(last)
}

function wordOctets(encoding: string, content: string): Buffer {
  if (encoding === 'b' || encoding === 'B') return Buffer.from(content, 'base64')
  return decodeQuotedPrintable(Buffer.from(content.replace(/_/g, '=20').replace(/ /g, '=20'), 'utf8'))
}

/** As many octets of UTF-8 as fit a word of 75 characters in either encoding. */
const maxWordOctets = 42

/**
 * Text as encoded words in UTF-8, each at most 75 characters, divided between characters (RFC 2047 §5 (3)). Pure
 * ASCII without `=?` comes back as it is. The result holds spaces where it may be folded.
 */
export function encodeWords(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text) && !text.includes('=?')) return text
  const octets = Buffer.from(text, 'utf8')
  const words: string[] = []
  for (let start = 0; start < octets.length; ) {
    let end = Math.min(start + maxWordOctets, octets.length)
    while (isContinuation(octets[end])) end--
    words.push(encodeWord(octets.subarray(start, end)))
    start = end
  }
  return words.join(' ')
}

/** Of a character in UTF-8 of which more stands before it; what is behind the end is none. */
const isContinuation = (octet = 0): boolean => (octet & 0xc0) === 0x80

/** Octets that stand for themselves in a quoted word, or as `_`. */
const plain = new Uint8Array(256)
for (const octet of Buffer.from(' !*+-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'))
  plain[octet] = 1

function encodeWord(octets: Buffer): string {
  let quotedLength = 0
  for (const octet of octets) quotedLength += plain[octet] === 1 ? 1 : 3
  // Readable in the raw where that costs little.
  const isQuoted = quotedLength <= Math.min(60, Math.ceil(octets.length / 3) * 6)
  return isQuoted ? `=?utf-8?Q?${quoted(octets)}?=` : `=?utf-8?B?${octets.toString('base64')}?=`
}

function quoted(octets: Buffer): string {
  return octets
    .toString('latin1')
    .replace(/[^A-Za-z0-9!*+/-]/g, (octet) =>
      octet === ' ' ? '_' : `=${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    )
}
