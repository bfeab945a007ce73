/**
 * Line ends of a message that is stored as it came: a bare LF becomes CRLF, everything else stays. Works on chunks; a
 * chunk without bare LF goes through uncopied.
 */
export class LineEnds {
  #afterCr = false

  /** The chunk with whole line ends. */
  convert(chunk: Buffer): Buffer {
    const bare: number[] = []
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) {
      if (at === 0 ? !this.#afterCr : chunk[at - 1] !== 13) bare.push(at)
    }
    if (chunk.length > 0) this.#afterCr = chunk[chunk.length - 1] === 13
    if (bare.length === 0) return chunk
    const whole = Buffer.allocUnsafe(chunk.length + bare.length)
    let from = 0
    let to = 0
    for (const at of bare) {
      to += chunk.copy(whole, to, from, at)
      whole[to++] = 13
      from = at
    }
    chunk.copy(whole, to, from)
    return whole
  }
}
