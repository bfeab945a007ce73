import { sign, signatureOctets } from './signature.ts'

/** Messages in a block: with it, a slice of eight bits of all of them is 1000 octets, of which eight fit a page. */
export const blockSize = 1000
const rowOctets = blockSize / 8
const sliceOctets = rowOctets * 8
/** Slices of a block: one for each octet of a signature. */
export const slicesPerBlock = signatureOctets

/** Signatures of up to `blockSize` messages side by side, while the block grows. */
export class OpenBlock {
  readonly #signatures = new Uint8Array(blockSize * signatureOctets)
  /** Ids, rising. */
  readonly #messages: number[] = []

  get messages(): readonly number[] {
    return this.#messages
  }

  get isFull(): boolean {
    return this.#messages.length === blockSize
  }

  /** `undefined`: the text is not kept, so the message may contain anything. */
  add(message: number, texts: readonly string[] | undefined): void {
    const start = this.#messages.length * signatureOctets
    if (texts) for (const text of texts) sign(this.#signatures, start, text)
    else this.#signatures.fill(0xff, start, start + signatureOctets)
    this.#messages.push(message)
  }

  clear(): void {
    this.#signatures.fill(0)
    this.#messages.length = 0
  }

  /** Ids of messages that have all these bits. */
  having(bits: readonly number[]): number[] {
    return this.#messages.filter((_, place) => {
      const start = place * signatureOctets
      return bits.every((bit) => ((this.#signatures[start + (bit >>> 3)] as number) & (1 << (bit & 7))) !== 0)
    })
  }

  /** The slices: each holds, for eight bits, the rows of that bit over all messages. */
  *slices(): Generator<Buffer> {
    for (let octet = 0; octet < signatureOctets; octet++) {
      const slice = Buffer.alloc(sliceOctets)
      for (let place = 0; place < this.#messages.length; place++) {
        const bits = this.#signatures[place * signatureOctets + octet] as number
        if (bits === 0) continue
        const mask = 1 << (place & 7)
        for (let bit = 0, at = place >>> 3; bit < 8; bit++, at += rowOctets) {
          if ((bits & (1 << bit)) !== 0) slice[at] = (slice[at] as number) | mask
        }
      }
      yield slice
    }
  }
}

/** Places in a block, rising, of messages that have all these bits; `slice` gives a slice by its number. */
export function placesHaving(bits: readonly number[], slice: (number: number) => Uint8Array): number[] {
  const rows = new Uint8Array(rowOctets).fill(0xff)
  for (const bit of bits) {
    const octets = slice(bit >>> 3)
    const from = (bit & 7) * rowOctets
    let some = 0
    for (let at = 0; at < rowOctets; at++) some |= rows[at] = (rows[at] as number) & (octets[from + at] as number)
    if (some === 0) return []
  }
  const places: number[] = []
  for (let at = 0; at < rowOctets; at++) {
    for (let octet = rows[at] as number, bit = 0; octet !== 0; octet >>>= 1, bit++) {
      if ((octet & 1) !== 0) places.push(at * 8 + bit)
    }
  }
  return places
}
