/**
 * Octets into lines, for protocols whose commands are lines: POP3. A bare LF ends a line too, as people at a terminal
 * send it.
 *
 * Never broken: what is kept between two chunks is below `maxOctets`; an over-long line is reported once, as soon as
 * it is known to be one, and the rest of it is skipped; each octet is looked at once, however small the chunks.
 * Lines are views of the chunk where they can be: whoever keeps one beyond its turn copies it.
 * Who calls it: `readLines`.
 */

/** Stands in the place of a line that was longer than the limit. */
export const overlong: unique symbol = Symbol('over-long line')

const LF = 0x0a
const CR = 0x0d

export class LineReader {
  readonly #maxOctets: number
  /** What is not split yet, and how far. */
  #chunk: Buffer | undefined
  #offset = 0
  #waiting: Buffer[] = []
  /** The line that has no end yet; grown by doubling, so that single octets cost no more than chunks. */
  #held: Buffer | undefined
  #heldOctets = 0
  #skipping = false

  /** @param maxOctets of a line with its terminator */
  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets
  }

  /** Hands in octets; they are split when `next` asks for them. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    if (this.#chunk) this.#waiting.push(chunk)
    else this.#chunk = chunk
  }

  /** The next line without its terminator, `overlong`, or undefined until more octets come. */
  next(): Buffer | typeof overlong | undefined {
    for (;;) {
      const chunk = this.#chunk
      if (!chunk) return undefined
      const end = chunk.indexOf(LF, this.#offset)
      if (end < 0) {
        const rest = chunk.subarray(this.#offset)
        this.#advance()
        if (this.#keep(rest)) return overlong
        continue
      }
      const piece = chunk.subarray(this.#offset, end)
      this.#offset = end + 1
      if (this.#offset === chunk.length) this.#advance()
      const line = this.#finish(piece)
      if (line !== undefined) return line
    }
  }

  /** Drops everything that has not been given out: what came in clear behind STARTTLS is never a command. */
  clear(): void {
    this.#chunk = undefined
    this.#offset = 0
    this.#waiting = []
    this.#dropLine()
    this.#skipping = false
  }

  #advance(): void {
    this.#chunk = this.#waiting.shift()
    this.#offset = 0
  }

  /** Keeps a piece without end. True when it makes the line over-long. */
  #keep(piece: Buffer): boolean {
    if (this.#skipping) return false
    const octets = this.#heldOctets + piece.length
    if (octets >= this.#maxOctets) {
      this.#dropLine()
      this.#skipping = true
      return true
    }
    // A copy, since a view would hold the socket's whole read buffer while the session sleeps.
    if (!this.#held || octets > this.#held.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#maxOctets, Math.max(256, octets * 2)))
      this.#held?.copy(grown, 0, 0, this.#heldOctets)
      this.#held = grown
    }
    piece.copy(this.#held, this.#heldOctets)
    this.#heldOctets = octets
    return false
  }

  #finish(piece: Buffer): Buffer | typeof overlong | undefined {
    if (this.#skipping) {
      this.#skipping = false
      return undefined
    }
    const octets = this.#heldOctets + piece.length + 1
    const line = this.#held ? Buffer.concat([this.#held.subarray(0, this.#heldOctets), piece]) : piece
    this.#dropLine()
    if (octets > this.#maxOctets) return overlong
    return line.at(-1) === CR ? line.subarray(0, -1) : line
  }

  #dropLine(): void {
    this.#held = undefined
    this.#heldOctets = 0
  }
}
