/**
 * The first layer of reading: octets → lines and literals, without understanding them. It bounds their size and keeps
 * its place whatever comes, so that the octets of a refused literal can never be read as the next command.
 *
 * Pulled by the session: `push` what came, then `next` until it gives undefined. Nothing is copied but a line or literal
 * that came in several chunks.
 */

/** RFC 9051 §4.3: `literal = "{" number64 ["+"] "}" CRLF *CHAR8`, `literal8 = "~{" number64 ["+"] "}" CRLF *OCTET`. */
export interface LiteralOffer {
  /** May exceed every limit; never above 2⁵³. */
  size: number
  /** The client waits for our continuation request. */
  sync: boolean
  /** literal8: may hold NUL (RFC 3516 §4.3). */
  binary: boolean
}

/** One unit of what came. */
export type Frame =
  /** A line, or the rest of one after a literal, that ends the command. Without its line end. */
  | { kind: 'line'; text: Buffer }
  /** A line that announces a literal, without the announcement. Answer it by `take`, or by nothing if it is not to come. */
  | { kind: 'literal'; text: Buffer; offer: LiteralOffer }
  /** Some octets of a literal; `left` are to come. */
  | { kind: 'octets'; octets: Buffer; left: number }
  /**
   * The line was longer than the limit; all of it is thrown away but its head, which may hold a tag, and the literal that
   * it announced, which may come all the same. `endless`: too much has come without a line end to wait for one.
   */
  | { kind: 'too-long'; head: Buffer; offer: LiteralOffer | undefined; endless?: true }

const lf = 10
const cr = 13
const closingBrace = 125
const headOctets = 100
/** `~{`, 20 digits, `+}` and a CR. */
const longestAnnouncement = 25

/** Gives frames of what was pushed. */
export class Framer {
  readonly #lineLimit: () => number
  #octets: Buffer = nothing
  #start = 0
  #end = 0
  /** Up to here no line end was found. */
  #scanned = 0
  /** `#octets` is ours and may be written to after `#end`. */
  #owned = false
  #literalLeft = 0
  #overlong: Buffer | undefined
  readonly #passLimit: number
  /** Octets of the line that were thrown away. */
  #passed = 0

  /**
   * @param lineLimit octets of a line without its line end and its literals, asked anew for each
   * @param passLimit octets of a longer one that are read past
   */
  constructor(lineLimit: () => number, passLimit = Number.POSITIVE_INFINITY) {
    this.#lineLimit = lineLimit
    this.#passLimit = passLimit
  }

  /** Octets that came and were not read. */
  get size(): number {
    return this.#end - this.#start
  }

  push(chunk: Buffer): void {
    if (this.#start === this.#end) {
      this.#octets = chunk
      this.#start = this.#scanned = 0
      this.#end = chunk.length
      this.#owned = false
      return
    }
    const waiting = this.#end - this.#start
    if (!this.#owned || this.#end + chunk.length > this.#octets.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(512, 2 * (waiting + chunk.length)))
      this.#octets.copy(grown, 0, this.#start, this.#end)
      this.#octets = grown
      this.#scanned -= this.#start
      this.#start = 0
      this.#end = waiting
      this.#owned = true
    }
    chunk.copy(this.#octets, this.#end)
    this.#end += chunk.length
  }

  /** The next `size` octets are a literal: `next` gives them as they are there. */
  take(size: number): void {
    this.#literalLeft = size
  }

  /** What is there, or undefined when more must come. */
  next(): Frame | undefined {
    if (this.#literalLeft > 0) return this.#literal()
    const text = this.#line()
    if (text === undefined) return undefined
    if (!Buffer.isBuffer(text)) return text
    const announced = announcement(text)
    return announced ? { kind: 'literal', ...announced } : { kind: 'line', text }
  }

  /** Like `next`, for lines that are no part of a command (a SASL response, DONE): braces mean nothing in them. */
  nextRaw(): Frame | undefined {
    const text = this.#line()
    return Buffer.isBuffer(text) ? { kind: 'line', text } : text
  }

  /** Forgets everything that came: what was sent in clear before TLS (RFC 9051 §6.2.1). */
  clear(): void {
    this.#octets = nothing
    this.#start = this.#end = this.#scanned = 0
    this.#owned = false
  }

  /** Everything that came and was not read, for somebody else to read. */
  takeAll(): Buffer {
    const octets = Buffer.from(this.#octets.subarray(this.#start, this.#end))
    this.clear()
    return octets
  }

  #literal(): Frame | undefined {
    const size = Math.min(this.#literalLeft, this.#end - this.#start)
    if (size === 0) return undefined
    const octets = this.#octets.subarray(this.#start, this.#start + size)
    this.#literalLeft -= size
    this.#advance(this.#start + size)
    return { kind: 'octets', octets, left: this.#literalLeft }
  }

  #line(): Buffer | Extract<Frame, { kind: 'too-long' }> | undefined {
    // Our own buffer has room behind #end, and old octets in it.
    const there = this.#owned ? this.#octets.subarray(0, this.#end) : this.#octets
    const end = this.#scanned < this.#end ? there.indexOf(lf, this.#scanned) : -1
    if (end < 0) {
      this.#scanned = this.#end
      // One more than the limit for a CR that may be there.
      if (this.#end - this.#start > this.#lineLimit() + 1) {
        this.#overlong ??= Buffer.from(there.subarray(this.#start, this.#start + headOctets))
        const start = Math.max(this.#start, this.#end - longestAnnouncement)
        this.#passed += start - this.#start
        this.#start = start
      }
      if (this.#overlong === undefined || this.#passed <= this.#passLimit) return undefined
      return { kind: 'too-long', head: this.#overlong, offer: undefined, endless: true }
    }
    const start = this.#start
    this.#advance(end + 1)
    const text = this.#octets.subarray(start, end > start && this.#octets[end - 1] === cr ? end - 1 : end)
    if (!this.#overlong && text.length <= this.#lineLimit()) return text
    const head = this.#overlong ?? text.subarray(0, headOctets)
    this.#overlong = undefined
    this.#passed = 0
    return { kind: 'too-long', head, offer: announcement(text)?.offer }
  }

  #advance(to: number): void {
    this.#start = this.#scanned = to
  }

  /** Gives back the memory of what was read; called when the session goes to sleep. */
  rest(): void {
    if (this.#start === this.#end) this.clear()
  }
}

const nothing = Buffer.alloc(0)

/** The literal that a line announces at its end, and what stands before that. `number64` above 2⁵³ counts as 2⁵³. */
function announcement(text: Buffer): { text: Buffer; offer: LiteralOffer } | undefined {
  if (text[text.length - 1] !== closingBrace) return undefined
  const open = text.lastIndexOf(123)
  if (open < 0 || text.length - open > 23) return undefined
  const match = /^\{(\d{1,20})(\+?)\}$/.exec(text.toString('latin1', open))
  if (!match) return undefined
  const binary = open > 0 && text[open - 1] === 126
  const size = Math.min(Number(match[1]), 2 ** 53)
  return { text: text.subarray(0, binary ? open - 1 : open), offer: { size, sync: match[2] === '', binary } }
}
