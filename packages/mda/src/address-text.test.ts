import { splitAddress } from '@pennypost/model'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { printAddress } from './address-text.ts'

it('quotes what has to be quoted, and only that (RFC 5321 §4.1.2)', () => {
  expect(printAddress('a.b+c', 'one.test')).toBe('a.b+c@one.test')
  expect(printAddress('zoë', 'one.test')).toBe('zoë@one.test')
  expect(printAddress('a b', 'one.test')).toBe('"a b"@one.test')
  expect(printAddress('a@b', 'one.test')).toBe('"a@b"@one.test')
  expect(printAddress('.a', 'one.test')).toBe('".a"@one.test')
  expect(printAddress('a"\\b', 'one.test')).toBe('"a\\"\\\\b"@one.test')
})

it('is read back as it was', () => {
  const property = fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), (localPart) => {
    expect(splitAddress(printAddress(localPart, 'one.test'))).toEqual({ localPart, domain: 'one.test' })
  })
  fc.assert(property, { seed: 5, numRuns: 1000 })
})
