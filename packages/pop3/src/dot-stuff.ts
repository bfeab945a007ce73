/**
 * Message octets → a multi-line response of RFC 1939 §3: a dot is set before every line that begins with one, and the
 * last line is ended. Chunks may be cut anywhere; what needs no dot is passed on uncopied, all else copied once, so that
 * a chunk of nothing but dots is no more than twice as large.
 */
const CR = 13
const LF = 10
const DOT = 46
const lineOfDot = Buffer.from('\n.')

export class DotStuffer {
  #atLineStart = true
  #last = LF
  #beforeLast = CR

  /** The chunk itself, or a copy with its dots. */
  push(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk
    const dots: number[] = this.#atLineStart && chunk[0] === DOT ? [0] : []
    for (let at = chunk.indexOf(lineOfDot); at >= 0; at = chunk.indexOf(lineOfDot, at + 1)) dots.push(at + 1)
    this.#beforeLast = chunk.length > 1 ? (chunk.at(-2) as number) : this.#last
    this.#last = chunk.at(-1) as number
    this.#atLineStart = this.#last === LF
    return dots.length === 0 ? chunk : withDots(chunk, dots)
  }

  /** The line end that may be missing, and the line with the dot alone. */
  end(): Buffer {
    return Buffer.from(this.#last === LF && this.#beforeLast === CR ? '.\r\n' : '\r\n.\r\n')
  }
}

/** A copy with one dot more at each of these places. */
function withDots(chunk: Buffer, places: readonly number[]): Buffer {
  const stuffed = Buffer.allocUnsafe(chunk.length + places.length)
  let from = 0
  for (const [count, place] of places.entries()) {
    chunk.copy(stuffed, from + count, from, place)
    stuffed[place + count] = DOT
    from = place
  }
  chunk.copy(stuffed, from + places.length, from)
  return stuffed
}
