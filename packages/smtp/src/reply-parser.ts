import type { Reply } from './reply.ts'

/**
 * Reads replies (RFC 5321 §4.2) from octets in pieces of any size, several replies in one piece included.
 * As a client should, it forgives a bare LF, missing text and codes that differ between the lines (the last counts);
 * it never forgives a line without a code, or one without end. After a fault it must not be fed again.
 * Of a long reply it keeps the first lines and the code, so that no peer fills the memory, the journey or a bounce.
 * Who calls it: the client's connection, for each chunk; no promise and no string per octet.
 */
export interface ReplyLimits {
  /** Octets of a line without its end. RFC 5321 §4.5.3.1.5 says 512; some servers send more. */
  lineOctets: number
  /** Lines of one reply. */
  lines: number
  /** Octets of its text that are kept; lines behind them only count. */
  textOctets: number
}

const defaultReplyLimits: ReplyLimits = { lineOctets: 4096, lines: 2000, textOctets: 16_384 }

const lf = 0x0a
const cr = 0x0d

export class ReplyParser {
  readonly #limits: ReplyLimits
  #held: Buffer | null = null
  #lines: string[] = []
  /** Lines of the reply so far, and the octets of their text. */
  #count = 0
  #octets = 0
  #enhanced: string | null = null

  constructor(limits: ReplyLimits = defaultReplyLimits) {
    this.#limits = limits
  }

  /**
   * Takes octets and gives each reply that they complete to `take`, which may return false to stop: the rest of the
   * chunk is then dropped and its length returned. Otherwise returns 0, or a text that says what is no reply.
   */
  push(chunk: Buffer, take: (reply: Reply) => boolean): number | string {
    let start = 0
    if (this.#held !== null) {
      chunk = Buffer.concat([this.#held, chunk])
      this.#held = null
    }
    for (let end = chunk.indexOf(lf); end >= 0; end = chunk.indexOf(lf, start)) {
      const textEnd = end > start && chunk[end - 1] === cr ? end - 1 : end
      if (textEnd - start > this.#limits.lineOctets) return 'reply line is too long'
      const reply = this.#line(chunk, start, textEnd)
      start = end + 1
      if (typeof reply === 'string') return reply
      if (reply !== null && !take(reply)) return chunk.length - start
    }
    if (chunk.length - start > this.#limits.lineOctets + 1) return 'reply line is too long'
    if (start < chunk.length) this.#held = start === 0 ? chunk : chunk.subarray(start)
    return 0
  }

  /** Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF */
  #line(octets: Buffer, start: number, end: number): Reply | null | string {
    const code = replyCode(octets, start, end)
    const separator = end - start === 3 ? 0x20 : octets[start + 3]
    if (code === 0 || (separator !== 0x20 && separator !== 0x2d)) return 'reply has no valid code'
    const text = end - start <= 4 ? '' : octets.toString('utf8', start + 4, end)
    const status = enhancedStatusLength(text, code)
    if (this.#count++ === 0) this.#enhanced = status === 0 ? null : text.slice(0, status)
    const repeated = this.#enhanced !== null && status === this.#enhanced.length && text.startsWith(this.#enhanced)
    this.#octets += end - start
    // The first line is kept whatever its length: a reply has at least one.
    if (this.#count === 1 || this.#octets <= this.#limits.textOctets) {
      this.#lines.push(repeated ? text.slice(status + 1) : text)
    }
    if (separator === 0x2d) return this.#count < this.#limits.lines ? null : 'reply has too many lines'
    const reply = { code, enhanced: this.#enhanced, lines: this.#lines }
    this.#lines = []
    this.#count = 0
    this.#octets = 0
    return reply
  }
}

/** RFC 5321 §4.2: %x32-35 %x30-35 %x30-39; the second digit is taken up to 9, since peers exist that send it. 0: none. */
function replyCode(octets: Buffer, start: number, end: number): number {
  if (end - start < 3) return 0
  const hundreds = octets[start]! - 0x30
  const tens = octets[start + 1]! - 0x30
  const ones = octets[start + 2]! - 0x30
  const valid = hundreds >= 2 && hundreds <= 5 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9
  return valid ? hundreds * 100 + tens * 10 + ones : 0
}

/** RFC 2034 §4: the length of the enhanced code that `text` begins with; 0 without one of the same class as `code`. */
function enhancedStatusLength(text: string, code: number): number {
  if (text.charCodeAt(0) !== 0x30 + Math.floor(code / 100) || text.charCodeAt(1) !== 0x2e || code < 200) return 0
  const match = /^[245]\.(?:0|[1-9][0-9]{0,2})\.(?:0|[1-9][0-9]{0,2})(?= |$)/.exec(text)
  return match === null ? 0 : match[0].length
}
