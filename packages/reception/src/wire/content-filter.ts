/**
 * Octets after DATA become content: the end is found, dots are unstuffed, line ends are made CRLF, all in one linear pass
 * without copying what is already right. Called by `WireStream` with chunks cut anywhere.
 *
 * What must never break: only CRLF "." CRLF ends data (RFC 5321 §4.1.1.4); whatever else looks like an end to some
 * other server stays content, and leaves here with a form that no server can mistake (bare LF → CRLF, bare CR → space),
 * so that nothing can be smuggled in or out.
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
const crlf = Buffer.from('\r\n')
const space = Buffer.from(' ')

export class ContentFilter {
  readonly facts: ContentFacts = { size: 0, bareLineFeeds: 0, bareCarriageReturns: 0, nuls: 0, longestLine: 0 }
  readonly #emit: (piece: Buffer) => void
  readonly #dots: boolean
  #state: State = lineStart
  /** Octets of the current chunk before this one are emitted or dropped. */
  #from = 0
  /** Where the current line starts in the current chunk; negative when it began in an earlier one. */
  #lineAt = 0

  /** `dots` is false for BDAT, whose chunks are neither stuffed nor ended by a dot. */
  constructor(emit: (piece: Buffer) => void, dots: boolean) {
    this.#emit = emit
    this.#dots = dots
  }

  /** Takes octets; gives the index after the end of data, or -1 when more has to come. */
  push(chunk: Buffer): number {
    const { length } = chunk
    this.#from = 0
    let at = 0
    while (at < length) {
      if (this.#state === inLine) {
        // Everything above CR is text: the one loop that sees every octet.
        while ((chunk[at] as number) > CR) at++
        if (at >= length) break
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

  /** The octet behind a CR or a dot at line start decides what that was; true when it is used up itself. */
  #settle(chunk: Buffer, at: number, octet: number): boolean {
    switch (this.#state) {
      case cr:
        if (octet === LF) {
          if (at === 0) {
            this.#put(crlf)
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
    this.#put(crlf)
    this.facts.bareLineFeeds++
    this.#lineEnds(at)
    this.#from = at + 1
    this.#lineAt = at + 1
  }

  /** Ends content that is not ended by a dot (BDAT LAST): a CR that was held is a bare one. */
  end(): void {
    if (this.#state === cr) this.#bareCr(0)
    this.#state = lineStart
  }

  #bareCr(at: number): void {
    this.facts.bareCarriageReturns++
    this.#put(space)
    this.#from = at
    this.#state = inLine
  }

  #lineEnds(at: number): void {
    this.facts.longestLine = Math.max(this.facts.longestLine, at - this.#lineAt)
  }

  #flush(chunk: Buffer, to: number): void {
    if (to > this.#from) this.#put(this.#from === 0 && to === chunk.length ? chunk : chunk.subarray(this.#from, to))
  }

  #put(piece: Buffer): void {
    this.facts.size += piece.length
    this.#emit(piece)
  }
}
