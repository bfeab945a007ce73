/**
 * Makes content fit for the wire, in pieces of any size, linear in its length: every line ends with CRLF, a bare LF
 * becomes CRLF and a bare CR a space (as at reception; RFC 5321 §2.3.8 forbids to send either alone, and smuggled
 * messages live on them), a missing last CRLF is added, and with `dots` a line's first dot is doubled (RFC 5321 §4.5.2).
 * Clean stretches, which are the rule, are found by two native searches for each line and passed on without a copy;
 * where something is to be edited, a short stretch is gone through octet by octet.
 * Who calls it: `content.ts`.
 */
const cr = 0x0d
const lf = 0x0a
const dot = 0x2e
const crlf = Buffer.from('\r\n')
const space = Buffer.from(' ')

/** Searches look no further than this, so that none is repeated over a long rest. */
const windowOctets = 65536
/** Octets that are gone through one by one behind an edit: many edits are near one another, or there is only one. */
const editOctets = 512

export class ContentEncoder {
  readonly #dots: boolean
  #lineStart = true
  #heldCr = false

  constructor(dots: boolean) {
    this.#dots = dots
  }

  /** Encodes one piece; `emit` gets what may be written. Empty pieces are never emitted. */
  push(chunk: Buffer, emit: (octets: Buffer) => void): void {
    if (chunk.length <= windowOctets) this.#push(chunk, emit)
    else for (let at = 0; at < chunk.length; at += windowOctets) this.#push(chunk.subarray(at, at + windowOctets), emit)
  }

  /** Ends the last line. Empty content stays empty. */
  finish(emit: (octets: Buffer) => void): void {
    if (this.#heldCr) emit(space)
    if (this.#heldCr || !this.#lineStart) emit(crlf)
    this.#heldCr = false
    this.#lineStart = true
  }

  #push(chunk: Buffer, emit: (octets: Buffer) => void): void {
    let at = 0
    if (this.#heldCr && chunk.length > 0) {
      this.#heldCr = false
      this.#lineStart = chunk[0] === lf
      emit(this.#lineStart ? crlf : space)
      if (this.#lineStart) at = 1
    }
    while (at < chunk.length) {
      const end = this.#cleanEnd(chunk, at)
      if (end > at) emit(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end))
      at = end < chunk.length ? this.#edit(chunk, end, emit) : end
    }
  }

  /** The first octet from `at` on that cannot be sent as it stands, or the end. */
  #cleanEnd(chunk: Buffer, at: number): number {
    while (at < chunk.length) {
      if (this.#lineStart && this.#dots && chunk[at] === dot) return at
      const nextLf = chunk.indexOf(lf, at)
      const nextCr = chunk.indexOf(cr, at)
      if (nextCr < 0 || nextCr + 1 !== nextLf) {
        const end = nextCr < 0 || (nextLf >= 0 && nextLf < nextCr) ? nextLf : nextCr
        if (end !== at) this.#lineStart = false
        return end < 0 ? chunk.length : end
      }
      this.#lineStart = true
      at = nextLf + 1
    }
    return at
  }

  /** Goes through a stretch from `at` octet by octet; returns where it stopped. */
  #edit(chunk: Buffer, at: number, emit: (octets: Buffer) => void): number {
    const end = Math.min(chunk.length, at + editOctets)
    const edited = Buffer.allocUnsafe(2 * (end - at + 1))
    let length = 0
    let lineStart = this.#lineStart
    for (; at < end; at++) {
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
    return at
  }
}
