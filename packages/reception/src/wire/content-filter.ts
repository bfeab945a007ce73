/**
 * Octets after DATA become content: the end is found, dots are unstuffed, line ends are made CRLF, all in one linear pass
 * without copying what is already right. Called by `WireStream` with chunks cut anywhere.
 *
 * What must never break: only CRLF "." CRLF ends data (RFC 5321 §4.1.1.4); whatever else looks like an end to some
 * other server stays content, and leaves here with a form that no server can mistake (bare LF → CRLF, bare CR → space),
 * so that nothing can be smuggled in or out. Junk that needs mending at every octet costs no piece for each of them.
 */

/** What was found on the way; policy may refuse the message for it. */
export interface ContentFacts {
  /** Octets of content so far. */
  size: number
  bareLineFeeds: number
  bareCarriageReturns: number
  nuls: number
  /** Longest line so far, without its CRLF. */
  longestLine: number
}

const states = { lineStart: 0, inLine: 1, cr: 2, dot: 3, dotCr: 4, ended: 5 } as const
type State = (typeof states)[keyof typeof states]
const { lineStart, inLine, cr, dot, dotCr, ended } = states

const CR = 13
const LF = 10
const DOT = 46
const SPACE = 32
const highBits = 0x80808080 | 0
const fourteens = 0x0e0e0e0e
const nothing = Buffer.alloc(0)
/** Smaller pieces are put together, so that each one that is given out is worth the trouble it makes. */
const smallPiece = 1024
const gathered = 16_384

export class ContentFilter {
  readonly facts: ContentFacts = { size: 0, bareLineFeeds: 0, bareCarriageReturns: 0, nuls: 0, longestLine: 0 }
  readonly #emit: (piece: Buffer) => void
  readonly #dots: boolean
  #state: State = lineStart
  /** Octets of the current chunk before this one are emitted or dropped. */
  #from = 0
  /** Where the current line starts in the current chunk; negative when it began in an earlier one. */
  #lineAt = 0
  /** Small pieces that wait to be given out together. */
  #store: Buffer = nothing
  #stored = 0

  /** `dots` is false for BDAT, whose chunks are neither stuffed nor ended by a dot. A piece is the receiver's to keep. */
  constructor(emit: (piece: Buffer) => void, dots: boolean) {
    this.#emit = emit
    this.#dots = dots
  }

  /** Takes octets; gives the index after the end of data, or -1 when more has to come. */
  push(chunk: Buffer): number {
    const end = this.#scan(chunk)
    this.#give()
    return end
  }

  /** Ends content that is not ended by a dot (BDAT LAST): a CR that was held is a bare one. */
  end(): void {
    if (this.#state === cr) this.#bareCr(0)
    this.#state = lineStart
    this.#give()
  }

  #scan(chunk: Buffer): number {
    const { length } = chunk
    // Words are aligned in the memory under the chunk, which may begin anywhere in it.
    const skew = chunk.byteOffset & 3
    const words = new Int32Array(chunk.buffer, chunk.byteOffset - skew, (length + skew) >>> 2)
    this.#from = 0
    let at = 0
    while (at < length) {
      if (this.#state === inLine) {
        at = this.#lines(chunk, words, skew, at)
        if (at === length) break
      }
      const octet = chunk[at] as number
      if (this.#state > inLine && this.#settle(chunk, at, octet)) {
        at++
        if (this.#state === ended) {
          this.#state = lineStart
          return at
        }
        continue
      }
      if (this.#state === lineStart && octet === DOT && this.#dots) {
        this.#flush(chunk, at)
        this.#from = at + 1
        this.#state = dot
      } else this.#text(chunk, at, octet)
      at++
    }
    // A CR at the very end waits for what follows it.
    this.#flush(chunk, this.#state === cr ? length - 1 : length)
    this.#lineAt -= length
    return -1
  }

  /**
   * The loop that sees every octet, four at a time: passes over text and over whole lines, and stops at the first octet
   * that needs a closer look, or at the end.
   */
  #lines(chunk: Buffer, words: Int32Array, skew: number, from: number): number {
    const { length } = chunk
    const { length: end } = words
    let { longestLine } = this.facts
    let lineAt = this.#lineAt
    let at = from
    for (;;) {
      // An octet below 14 borrows when 14 is taken from it, which sets its high bit, unless that was set before.
      let word = (at + skew + 3) >>> 2
      const aligned = Math.min((word << 2) - skew, length)
      while (at < aligned && (chunk[at] as number) > CR) at++
      if (at === aligned) {
        while (word < end) {
          const four = words[word] as number
          if (((four - fourteens) & ~four & highBits) !== 0) break
          word++
        }
        at = Math.max(at, (word << 2) - skew)
        while (at < length && (chunk[at] as number) > CR) at++
      }
      if (at + 2 >= length || chunk[at] !== CR || chunk[at + 1] !== LF || chunk[at + 2] === DOT) break
      if (at - lineAt > longestLine) longestLine = at - lineAt
      at += 2
      lineAt = at
    }
    this.facts.longestLine = longestLine
    this.#lineAt = lineAt
    return at
  }

  /** The octet behind a CR or a dot at line start decides what that was; true when it is used up itself. */
  #settle(chunk: Buffer, at: number, octet: number): boolean {
    switch (this.#state) {
      case cr:
        if (octet === LF) {
          if (at === 0) {
            this.#putCrlf()
            this.#from = 1
          }
          this.#lineEnds(at - 1)
          this.#lineAt = at + 1
          this.#state = lineStart
          return true
        }
        // The CR stands alone: what is before it goes out, a space in its place.
        this.#flush(chunk, at - 1)
        this.#bareCr(at)
        return false
      case dot:
        // The dot is gone; if this is no end, the line goes on behind it.
        this.#lineAt = at
        this.#from = octet === CR ? at + 1 : at
        this.#state = octet === CR ? dotCr : inLine
        return octet === CR
      default:
        if (octet === LF) {
          this.#state = ended
          return true
        }
        this.#lineAt = at - 1
        this.#bareCr(at)
        return false
    }
  }

  #text(chunk: Buffer, at: number, octet: number): void {
    if (octet === CR) {
      this.#state = cr
      return
    }
    // A dot behind a bare LF is content: that was no line end of SMTP.
    this.#state = inLine
    if (octet === 0) this.facts.nuls++
    if (octet !== LF) return
    this.#flush(chunk, at)
    this.#putCrlf()
    this.facts.bareLineFeeds++
    this.#lineEnds(at)
    this.#from = at + 1
    this.#lineAt = at + 1
  }

  #bareCr(at: number): void {
    this.facts.bareCarriageReturns++
    this.#reserve(1)
    this.#store[this.#stored++] = SPACE
    this.facts.size++
    this.#from = at
    this.#state = inLine
  }

  #lineEnds(at: number): void {
    if (at - this.#lineAt > this.facts.longestLine) this.facts.longestLine = at - this.#lineAt
  }

  #flush(chunk: Buffer, to: number): void {
    const size = to - this.#from
    if (size <= 0) return
    this.facts.size += size
    if (size >= smallPiece) {
      this.#give()
      this.#emit(size === chunk.length ? chunk : chunk.subarray(this.#from, to))
      return
    }
    this.#reserve(size)
    if (size > 32) chunk.copy(this.#store, this.#stored, this.#from, to)
    else for (let at = 0; at < size; at++) this.#store[this.#stored + at] = chunk[this.#from + at] as number
    this.#stored += size
  }

  #putCrlf(): void {
    this.#reserve(2)
    this.#store[this.#stored++] = CR
    this.#store[this.#stored++] = LF
    this.facts.size += 2
  }

  /** Makes room for small pieces. */
  #reserve(size: number): void {
    if (this.#stored + size <= this.#store.length) return
    this.#give()
    this.#store = Buffer.allocUnsafeSlow(gathered)
  }

  /** Gives out what was gathered; it is the receiver's from now on. */
  #give(): void {
    if (this.#stored === 0) return
    const piece = this.#store.subarray(0, this.#stored)
    this.#store = this.#store.subarray(this.#stored)
    this.#stored = 0
    this.#emit(piece)
  }
}
