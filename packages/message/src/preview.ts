import { decodeCharset } from './charset.ts'
import { htmlText } from './html-text.ts'
import { parameterOf } from './parameters.ts'
import type { Part } from './part.ts'
import { decodeTransfer, transferEncodingOf } from './transfer-encoding.ts'

/**
 * Keeps the beginning of the first text/plain part, and of the first text/html part, while a message is scanned, for
 * the preview (RFC 8970). Attachments are not looked at.
 */
export class PreviewCapture {
  #plain: Capture | undefined
  #html: Capture | undefined

  /** A text part begins. */
  open(part: Part): void {
    if (part.mime.disposition?.toLowerCase() === 'attachment') return
    if (part.mime.subtype === 'plain') this.#plain ??= new Capture(part, 1536)
    else if (part.mime.subtype === 'html') this.#html ??= new Capture(part, 32 * 1024)
  }

  /** Octets of the part that is being read. */
  take(part: Part, octets: Buffer, start: number, end: number): void {
    if (this.#plain?.part === part) this.#plain.take(octets, start, end)
    else if (this.#html?.part === part) this.#html.take(octets, start, end)
  }

  /** Up to 200 characters of text, white space as one space; '' when there is none. */
  text(): string {
    const plain = this.#plain ? shorten(withoutQuotes(this.#plain.decoded())) : ''
    if (plain !== '' || this.#html === undefined) return plain
    return shorten(htmlText(this.#html.decoded()))
  }
}

class Capture {
  readonly part: Part
  readonly #most: number
  #octets: Buffer | undefined

  constructor(part: Part, most: number) {
    this.part = part
    this.#most = most
  }

  take(octets: Buffer, start: number, end: number): void {
    const room = this.#most - (this.#octets?.length ?? 0)
    if (room <= 0) return
    const piece = Buffer.from(octets.subarray(start, Math.min(end, start + room)))
    this.#octets = this.#octets ? Buffer.concat([this.#octets, piece]) : piece
  }

  decoded(): string {
    const { mime } = this.part
    if (this.#octets === undefined) return ''
    const octets = decodeTransfer(this.#octets, transferEncodingOf(mime.encoding)) ?? this.#octets
    // The cut may have gone through a character.
    return decodeCharset(octets, parameterOf(mime.parameters, 'charset') ?? '').replace(/\ufffd{1,3}$/, '')
  }
}

/** What the sender wrote, where there is something; quoted lines and a signature say little. */
function withoutQuotes(text: string): string {
  const body = text.split(/^-- \r?$/m, 1)[0] as string
  const own = body.replace(/^>.*(?:\r?\n|$)/gm, '')
  return own.trim() === '' ? text : own
}

const maxCharacters = 200

function shorten(text: string): string {
  // Most texts are done with their beginning.
  const start = flatten(text.slice(0, 5 * maxCharacters))
  const flat = start.length < maxCharacters && text.length > 5 * maxCharacters ? flatten(text) : start
  if (flat.length <= maxCharacters) return flat.toWellFormed()
  const cut = flat.slice(0, maxCharacters)
  if (!/[\ud800-\udfff]/.test(cut)) return cut.trimEnd()
  return [...flat.slice(0, 2 * maxCharacters)].slice(0, maxCharacters).join('').toWellFormed().trimEnd()
}

const flatten = (text: string): string => text.replace(invisible, ' ').trim()

// A lone space stays as it is: replacing each would be most of the work.
const invisible =
  /[\0-\x1f\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060\ufeff][\0-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060\ufeff]*| {2,}/g
