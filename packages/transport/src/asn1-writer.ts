/**
 * Writes DER (X.690), as much of it as an X.509 certificate needs. Who calls it: `self-signed.ts` only.
 * Never broken: lengths are definite and minimal, integers have no superfluous leading octet (X.690 §8.3, §10.1).
 */

/** One element: identifier octet, length, content. */
function element(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  return Buffer.concat([Buffer.from([tag]), length(body.length), body])
}

function length(octets: number): Buffer {
  if (octets < 0x80) return Buffer.from([octets])
  const digits: number[] = []
  for (let rest = octets; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256)
  return Buffer.from([0x80 | digits.length, ...digits])
}

export const sequence = (...content: Uint8Array[]): Buffer => element(0x30, ...content)
export const setOf = (member: Uint8Array): Buffer => element(0x31, member)
export const boolean = (value: boolean): Buffer => element(0x01, Buffer.from([value ? 0xff : 0]))
export const octetString = (content: Uint8Array): Buffer => element(0x04, content)
export const utf8String = (text: string): Buffer => element(0x0c, Buffer.from(text))

/** `unused` = bits of the last octet that do not count. */
export const bitString = (content: Uint8Array, unused = 0): Buffer => element(0x03, Buffer.from([unused]), content)

/** Explicit tagging [n] around an element. */
export const explicit = (tag: number, content: Uint8Array): Buffer => element(0xa0 | tag, content)

/** Implicit tagging [n] of a primitive: its content without its own identifier and length. */
export const implicit = (tag: number, content: Uint8Array): Buffer => element(0x80 | tag, content)

/** A positive INTEGER from its magnitude, most significant octet first. */
export function positiveInteger(magnitude: Uint8Array): Buffer {
  let start = 0
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++
  const digits = magnitude.subarray(start)
  const signed = (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits
  return element(0x02, signed)
}

/** OBJECT IDENTIFIER from its dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const octets: number[] = []
  for (const arc of [first * 40 + second, ...rest]) {
    const digits = [arc & 0x7f]
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift(0x80 | (left & 0x7f))
    octets.push(...digits)
  }
  return element(0x06, Buffer.from(octets))
}

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on; whole seconds, Z. */
export function time(epochMs: number): Buffer {
  const date = new Date(epochMs)
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '')
  return date.getUTCFullYear() < 2050 ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits))
}
