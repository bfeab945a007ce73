import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bitsOf,
  bitsUnion,
  bitsWithout,
  firstKeywordBit,
  flagsOf,
  hasBit,
  isKeyword,
  maxKeywords,
  systemFlag,
  systemFlags,
} from './flags.ts'

const keywords = Array.from({ length: maxKeywords }, (_, index) => `k${index}`)
const allFlags = [...Object.keys(systemFlags), ...keywords]
const bits = fc.bigInt({ min: 0n, max: (1n << 52n) - 1n })
const runs = { seed: 1, numRuns: 500 }

describe('flags as bits', () => {
  test('union and difference are those of 53-bit integers', () => {
    fc.assert(
      fc.property(bits, bits, (a, b) => {
        expect(bitsUnion(Number(a), Number(b))).toBe(Number(a | b))
        expect(bitsWithout(Number(a), Number(b))).toBe(Number(a & ~b))
      }),
      runs,
    )
  })

  test('a bit is found at every place', () => {
    fc.assert(
      fc.property(bits, fc.nat({ max: 52 }), (a, bit) => {
        expect(hasBit(Number(a), bit)).toBe(((a >> BigInt(bit)) & 1n) === 1n)
      }),
      runs,
    )
    for (let bit = 0; bit < 53; bit++) expect(hasBit(2 ** bit, bit)).toBe(true)
  })

  test('names and bits are each other’s inverse', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom(...allFlags)), (flags) => {
        expect(new Set(flagsOf(bitsOf(flags, keywords), keywords))).toEqual(new Set(flags))
      }),
      runs,
    )
  })

  test('all flags together stay below 2⁵³', () => {
    const all = bitsOf(allFlags, keywords)
    expect(Number.isSafeInteger(all)).toBe(true)
    expect(flagsOf(all, keywords)).toEqual(allFlags)
    expect(firstKeywordBit + maxKeywords).toBe(52)
  })

  test('any case is understood, unknown keywords are left out', () => {
    expect(bitsOf(['\\sEEN', 'K0', 'unknown', '\\Recent'], keywords)).toBe(8 + 256)
    expect(systemFlag('\\answered')).toBe('\\Answered')
    expect(systemFlag('\\Recent')).toBeUndefined()
    expect(systemFlag('Seen')).toBeUndefined()
  })
})

describe('isKeyword', () => {
  test('takes atoms (RFC 9051 §9), at most 100 octets', () => {
    for (const good of ['$Forwarded', 'NonJunk', 'a', '}', '~', 'x'.repeat(100)]) expect(isKeyword(good)).toBe(true)
    for (const octet of ['(', ')', '{', ' ', '%', '*', '"', '\\', ']', '\x00', '\x7f', '\r', 'ä', '\u{1F4EE}']) {
      expect(isKeyword(`a${octet}b`)).toBe(false)
    }
    for (const bad of ['', 'x'.repeat(101), '\\Seen']) expect(isKeyword(bad)).toBe(false)
  })
})
