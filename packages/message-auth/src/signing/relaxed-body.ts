import { createHash, type Hash } from 'node:crypto'

/**
 * The body hash of a DKIM signature with relaxed canonicalization (RFC 6376 §3.4.4), made from chunks of any size:
 * runs of SP and HTAB become one SP, those at the end of a line go, empty lines at the end of the body go.
 * A chunk in which nothing has to change (most of a base64 part) is hashed as it lies, without looking at each octet.
 *
 * Who calls it: the signer and the sealer, once per message; all keys share the hash.
 */

const lf = 10
const cr = 13
const sp = 32
const tab = 9

const emptyLines = Buffer.from('\r\n'.repeat(2048))

export class RelaxedBodyHash {
  readonly #hash: Hash = createHash('sha256')
  // What the octets so far have left open: it is hashed only if more than white space follows.
  #lineEnds = 0
  #space = false
  #cr = false
  #isEmpty = true

  /** Takes the next octets of the body. The chunk is not kept. */
  update(chunk: Buffer): void {
    let from = 0
    // Up to the first octet that settles what was left open.
    if (this.#lineEnds > 0 || this.#space || this.#cr) {
      while (from < chunk.length && isBlank(chunk[from]!)) from++
      from = Math.min(from + 1, chunk.length)
      this.#rewrite(chunk.subarray(0, from))
    }
    let end = chunk.length
    while (end > from && isBlank(chunk[end - 1]!)) end--
    const middle = chunk.subarray(from, end)
    if (!isCanonical(middle)) {
      this.#rewrite(middle)
    } else if (middle.length > 0) {
      this.#hash.update(middle)
      this.#isEmpty = false
    }
    this.#rewrite(chunk.subarray(end))
  }

  /** The hash of the whole body in base64. Nothing may follow. */
  digest(): string {
    if (this.#cr) this.#rewrite(Buffer.from('\r\n'))
    if (!this.#isEmpty) this.#hash.update('\r\n')
    return this.#hash.digest('base64')
  }

  #rewrite(octets: Buffer): void {
    // A held CR and a held SP may come out in front of what came in.
    const out = Buffer.allocUnsafe(octets.length + 2)
    let length = 0
    let lineEnds = this.#lineEnds
    let space = this.#space
    let held = this.#cr
    for (let i = 0; i < octets.length; i++) {
      const octet = octets[i]!
      if (held && octet === lf) {
        lineEnds++
        held = space = false
      } else if (octet === cr && !held) {
        held = true
      } else if ((octet === sp || octet === tab) && !held) {
        space = true
      } else {
        // Something stays, and with it what was open before.
        if (length === 0) this.#hashLineEnds(lineEnds)
        else for (; lineEnds > 0; lineEnds--) length = putLineEnd(out, length)
        lineEnds = 0
        if (space) out[length++] = sp
        space = false
        out[length++] = held ? cr : octet
        // After a bare CR the octet is looked at again.
        if (held) i--
        held = false
      }
    }
    this.#lineEnds = lineEnds
    this.#space = space
    this.#cr = held
    if (length === 0) return
    this.#hash.update(out.subarray(0, length))
    this.#isEmpty = false
  }

  /** Of earlier chunks there may be any number. */
  #hashLineEnds(count: number): void {
    for (let left = count * 2; left > 0; left -= emptyLines.length) {
      this.#hash.update(left < emptyLines.length ? emptyLines.subarray(0, left) : emptyLines)
    }
  }
}

function putLineEnd(out: Buffer, at: number): number {
  out[at] = cr
  out[at + 1] = lf
  return at + 2
}

function isBlank(octet: number): boolean {
  return octet === sp || octet === tab || octet === cr || octet === lf
}

/** Whether octets that neither begin after an open line end nor end in white space are their own canonical form. */
function isCanonical(octets: Buffer): boolean {
  return !octets.includes('\t') && !octets.includes('  ') && !octets.includes(' \r')
}
