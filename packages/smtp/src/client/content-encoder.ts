/**
 * Makes content fit for the wire, in pieces of any size, linear in its length: every line ends with CRLF, a bare LF
 * becomes CRLF and a bare CR a space (as at reception; RFC 5321 §2.3.8 forbids to send either alone, and smuggled
 * messages live on them), a missing last CRLF is added, and with `dots` a line's first dot is doubled (RFC 5321 §4.5.2).
 * Content that is clean already, which is the rule, is passed on as it came, without a copy.
 */
const cr = 0x0d
const lf = 0x0a
const dot = 0x2e
const crlf = Buffer.from('\r\n')
const space = Buffer.from(' ')

export class ContentEncoder {
  readonly #dots: boolean
  #lineStart = true
  #heldCr = false

  constructor(dots: boolean) {
    this.#dots = dots
  }

  /** Encodes one piece; `emit` gets what may be written. Empty pieces are never emitted. */
  push(chunk: Buffer, emit: (octets: Buffer) => void): void {
    if (chunk.length === 0) return
    let from = 0
    if (this.#heldCr) {
      this.#heldCr = false
      this.#lineStart = chunk[0] === lf
      emit(this.#lineStart ? crlf : space)
      if (this.#lineStart) from = 1
    }
    let lineStart = this.#lineStart
    let at = from
    for (; at < chunk.length; at++) {
      const octet = chunk[at]!
      if (octet === cr) {
        if (at + 1 === chunk.length || chunk[at + 1] !== lf) break
        at++
        lineStart = true
        continue
      }
      if (octet === lf || (octet === dot && lineStart && this.#dots)) break
      lineStart = false
    }
    this.#lineStart = lineStart
    if (at === chunk.length) {
      if (from < at) emit(from === 0 ? chunk : chunk.subarray(from))
    } else {
      this.#edit(chunk, from, at, emit)
    }
  }

  /** Ends the last line. Empty content stays empty. */
  finish(emit: (octets: Buffer) => void): void {
    if (this.#heldCr) emit(space)
    if (this.#heldCr || !this.#lineStart) emit(crlf)
    this.#heldCr = false
    this.#lineStart = true
  }

  /** The octets of `from`…`at` are clean; what is behind is copied one by one. */
  #edit(chunk: Buffer, from: number, at: number, emit: (octets: Buffer) => void): void {
    const edited = Buffer.allocUnsafe(at - from + 2 * (chunk.length - at))
    let length = chunk.copy(edited, 0, from, at)
    let lineStart = this.#lineStart
    for (; at < chunk.length; at++) {
      const octet = chunk[at]!
      if (octet === cr && at + 1 === chunk.length) {
        this.#heldCr = true
      } else if (octet === cr && chunk[at + 1] !== lf) {
        edited[length++] = 0x20
        lineStart = false
      } else if (octet === cr || octet === lf) {
        if (octet === cr) at++
        edited[length++] = cr
        edited[length++] = lf
        lineStart = true
      } else {
        if (octet === dot && lineStart && this.#dots) edited[length++] = dot
        edited[length++] = octet
        lineStart = false
      }
    }
    this.#lineStart = lineStart
    if (length > 0) emit(edited.subarray(0, length))
  }
}
