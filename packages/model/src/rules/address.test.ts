import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { displayDomain, lookupAddress, lookupDomain, lookupLocalPart, splitAddress } from './address.ts'

const runs = { seed: 1, numRuns: 500 }

describe('lookupDomain', () => {
  test.each([
    ['One.TEST', 'one.test'],
    ['one.test.', 'one.test'],
    ['B\u00dcCHER.example', 'xn--bcher-kva.example'],
    ['bu\u0308cher.example', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.EXAMPLE', 'xn--bcher-kva.example'],
    ['m\u3002test', 'm.test'],
    ['_dmarc.one.test', '_dmarc.one.test'],
    ['localhost', 'localhost'],
    ['1.2.3', '1.2.3'],
  ])('%s is %s', (domain, expected) => {
    expect(lookupDomain(domain)).toBe(expected)
  })

  test.each([
    '',
    '.',
    'a..b',
    '.a',
    'a..',
    '-a.test',
    'a-.test',
    'a b',
    'a%41.test',
    '[192.0.2.1]',
    'a:25',
    'a/b',
    'a@b',
  ])('%j is none', (domain) => {
    expect(lookupDomain(domain)).toBeUndefined()
  })

  test('labels end at 63 octets, names at 253', () => {
    const label = 'a'.repeat(63)
    expect(lookupDomain(`${label}.test`)).toBe(`${label}.test`)
    expect(lookupDomain(`a${label}.test`)).toBeUndefined()
    const long = `${label}.${label}.${label}.${'a'.repeat(61)}`
    expect(lookupDomain(long)).toBe(long)
    expect(lookupDomain(`${long}a`)).toBeUndefined()
  })

  test('any text gives nothing, or a name that stays itself', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.domain(), fc.string({ unit: 'grapheme' }))
    fc.assert(
      fc.property(text, (domain) => {
        const found = lookupDomain(domain)
        if (found === undefined) return
        expect(found).toMatch(/^[a-z0-9_.-]+$/)
        expect(lookupDomain(found)).toBe(found)
      }),
      runs,
    )
  })

  test('is shown in its own letters', () => {
    expect(displayDomain('xn--bcher-kva.example')).toBe('b\u00fccher.example')
    expect(displayDomain('one.test')).toBe('one.test')
  })
})

describe('addresses', () => {
  test.each([
    ['Alice@One.Test', 'alice@one.test'],
    ['"Alice B"@one.test', 'alice b@one.test'],
    ['"a\\"\\\\b"@one.test', 'a"\\b@one.test'],
    ['"a@b"@one.test', 'a@b@one.test'],
    ['\u00c5NGSTR\u00d6M@one.test', '\u00e5ngstr\u00f6m@one.test'],
    ['A\u030a@one.test', '\u00e5@one.test'],
    ['a+detail@one.test', 'a+detail@one.test'],
  ])('%s is looked up as %s', (address, expected) => {
    expect(lookupAddress(address)).toBe(expected)
  })

  test.each(['', '@', 'a@', '@b', 'a', '""@b', 'a@[192.0.2.1]', 'a@b c'])('%j is not looked up', (address) => {
    expect(lookupAddress(address)).toBeUndefined()
  })

  test('splits at the last @, takes quotes off', () => {
    expect(splitAddress('a@b@c')).toEqual({ localPart: 'a@b', domain: 'c' })
    expect(splitAddress('"\\a b"@c')).toEqual({ localPart: 'a b', domain: 'c' })
    expect(splitAddress('"open@c')).toEqual({ localPart: '"open', domain: 'c' })
  })

  test('a looked-up local part stays itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (localPart) => {
        const found = lookupLocalPart(localPart)
        expect(lookupLocalPart(found)).toBe(found)
      }),
      runs,
    )
  })

  test('any text is answered', () => {
    fc.assert(
      fc.property(fc.oneof(fc.emailAddress(), fc.string({ unit: 'binary' })), (address) => {
        expect(['string', 'undefined']).toContain(typeof lookupAddress(address))
      }),
      runs,
    )
    expect(lookupAddress(`"${'\\'.repeat(100_000)}@one.test`)).toBeDefined()
  })
})
