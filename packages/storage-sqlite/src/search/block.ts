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
    const signatures = this.#signatures
    // Some at a time, so that what is read and what is written stays near.
    for (let first = 0; first < signatureOctets; first += slicesAtOnce) {
      const slices = Buffer.alloc(slicesAtOnce * sliceOctets)
      for (let row = 0; row * 8 < this.#messages.length; row++) {
        for (let at = 0; at < slicesAtOnce; at++) {
          turn(signatures, row * 8 * signatureOctets + first + at, slices, at * sliceOctets + row)
        }
      }
      for (let at = 0; at < slicesAtOnce; at++) yield slices.subarray(at * sliceOctets, (at + 1) * sliceOctets)
    }
  }
}

const slicesAtOnce = 64

/** Turns one octet of eight signatures, a square of bits, into one octet of each of eight rows. */
function turn(signatures: Uint8Array, from: number, slices: Buffer, to: number): void {
  let low = 0
  let high = 0
  for (let place = 0; place < 4; place++) {
    low |= (signatures[from + place * signatureOctets] as number) << (place * 8)
    high |= (signatures[from + (place + 4) * signatureOctets] as number) << (place * 8)
  }
  if ((low | high) === 0) return
  low = turnedHalf(low)
  high = turnedHalf(high)
  const early = (low & 0x0f0f0f0f) | ((high & 0x0f0f0f0f) << 4)
  const late = ((low >>> 4) & 0x0f0f0f0f) | (high & 0xf0f0f0f0)
  for (let bit = 0; bit < 4; bit++) {
    slices[to + bit * rowOctets] = early >>> (bit * 8)
    slices[to + (bit + 4) * rowOctets] = late >>> (bit * 8)
  }
}

/** Changes over the corners of squares of two bits, then of four (Hacker's Delight, second edition, §7-3). */
function turnedHalf(half: number): number {
  const ones = (half ^ (half >>> 7)) & 0x00aa00aa
  const turned = half ^ ones ^ (ones << 7)
  const twos = (turned ^ (turned >>> 14)) & 0x0000cccc
  return turned ^ twos ^ (twos << 14)
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
