/**
 * UTF-7 (RFC 2152) octet by octet, in a few milliseconds a megabyte whatever it is: each of its runs of base64 decoded for
 * itself takes seconds, and who wrote the text chooses how many there are.
 * Who calls it: everything that makes text of octets. What can be no UTF-7 becomes U+FFFD.
 */
export class Utf7Decoder {
  #inRun = false
  /** Nothing stands behind the `+` yet. */
  #isEmpty = false
  #bits = 0
  #count = 0

  /** A run may go on in the next octets. */
  write(octets: Buffer): string {
    const units = new Uint16Array(octets.length)
    let to = 0
    for (const octet of octets) {
      const value = this.#inRun ? base64Values[octet] : none
      if (value !== none) {
        this.#isEmpty = false
        this.#bits = ((this.#bits << 6) | (value as number)) & 0xff_ffff
        this.#count += 6
        if (this.#count >= 16) {
          this.#count -= 16
          units[to++] = this.#bits >> this.#count
        }
        continue
      }
      const endsRun = this.#inRun && octet === minus
      this.#inRun = !this.#inRun && octet === plus
      if (this.#inRun) {
        this.#isEmpty = true
        this.#bits = this.#count = 0
      } else if (!endsRun) {
        units[to++] = octet < 128 ? octet : 0xfffd
      } else if (this.#isEmpty) {
        units[to++] = plus
      }
    }
    return Buffer.from(units.buffer, 0, 2 * to).toString('utf16le')
  }
}

const plus = 43
const minus = 45
const none = 255

const base64Values = new Uint8Array(256).fill(none)
for (const [value, octet] of Buffer.from(
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
).entries()) {
  base64Values[octet] = value
}
