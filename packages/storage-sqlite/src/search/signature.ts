/**
 * Which sequences of three characters a text may have: each sets one of so many bits. A text that contains a needle has
 * all bits of the needle, so a text without one of them need not be read; one with all of them must be. Sequences are of
 * UTF-16 code units, so that no charset, case or length of a word matters.
 */
const signatureBits = 2 ** 14
export const signatureOctets = signatureBits / 8

/** More bits of a long needle tell little more and cost a look each. */
const needleBits = 8

/** Sets the bits of a text in the signature that begins at `start`. */
export function sign(signatures: Uint8Array, start: number, text: string): void {
  let three = next(next(0, text.charCodeAt(0)), text.charCodeAt(1))
  for (let at = 2; at < text.length; at++) {
    three = next(three, text.charCodeAt(at))
    const bit = bitOf(three)
    const octet = start + (bit >>> 3)
    signatures[octet] = (signatures[octet] as number) | (1 << (bit & 7))
  }
}

/** Bits that every text with this needle has; none for a needle of less than three code units. */
export function bitsOf(needle: string): number[] {
  const bits = new Set<number>()
  const last = needle.length - 3
  const step = Math.max(1, last / (needleBits - 1))
  for (let at = 0; Math.round(at) <= last; at += step) {
    const from = Math.round(at)
    bits.add(bitOf([0, 1, 2].reduce((three, more) => next(three, needle.charCodeAt(from + more)), 0)))
  }
  return [...bits]
}

/** The last three code units as a number of 24 bits, moved on by one: exact for Latin-1, mixed beyond. */
function next(three: number, unit: number): number {
  return ((three << 8) ^ unit) & 0xffffff
}

/** Fibonacci hashing: the upper bits of the product. */
function bitOf(three: number): number {
  return Math.imul(three, 0x9e3779b1) >>> (32 - 14)
}
