/**
 * Message octets → a multi-line response of RFC 1939 §3: a dot is set before every line that begins with one, and the
 * last line is ended. Chunks may be cut anywhere; what needs no dot is passed on uncopied.
 */
const CR = 13
const LF = 10
const DOT = 46
const dot = Buffer.from('.')

export class DotStuffer {
  #atLineStart = true
  #last = LF
  #beforeLast = CR;

  *push(chunk: Buffer): Generator<Buffer> {
    if (chunk.length === 0) return
    let from = 0
    if (this.#atLineStart && chunk[0] === DOT) yield dot
    for (let at = chunk.indexOf('\n.'); at >= 0; at = chunk.indexOf('\n.', at + 1)) {
      yield chunk.subarray(from, at + 1)
      yield dot
      from = at + 1
    }
    yield from === 0 ? chunk : chunk.subarray(from)
    this.#beforeLast = chunk.length > 1 ? (chunk.at(-2) as number) : this.#last
    this.#last = chunk.at(-1) as number
    this.#atLineStart = this.#last === LF
  }

  /** The line end that may be missing, and the line with the dot alone. */
  end(): Buffer {
    return Buffer.from(this.#last === LF && this.#beforeLast === CR ? '.\r\n' : '\r\n.\r\n')
  }
}
