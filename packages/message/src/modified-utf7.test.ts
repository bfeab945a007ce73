import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeModifiedUtf7, encodeModifiedUtf7, readModifiedUtf7 } from './modified-utf7.ts'

describe('modified UTF-7', () => {
  // The first is the example of RFC 3501 §5.1.3.
  const known: [string, string][] = [
    ['~peter/mail/台北/日本語', '~peter/mail/&U,BTFw-/&ZeVnLIqe-'],
    ['A&B', 'A&-B'],
    ['&', '&-'],
    ['Entwürfe', 'Entw&APw-rfe'],
    ['☺!', '&Jjo-!'],
    ['😀', '&2D3eAA-'],
    ['plain', 'plain'],
    ['', ''],
  ]
  for (const [name, spelling] of known) {
    test(spelling, () => {
      expect(encodeModifiedUtf7(name)).toBe(spelling)
      expect(decodeModifiedUtf7(spelling)).toBe(name)
    })
  }

  // Unended, ASCII in base64, split runs (RFC 3501's own example of junk), stray bits, half a character, octets.
  for (const junk of [
    '&',
    '&Jjo',
    '&AGE-',
    '&Jjo-&Jjo-',
    '&U,BTFw-&ZeVnLIqe-',
    '&Jjp-',
    '&AP-',
    '&2D0-',
    '\xfc',
    '&Jj/-',
    '&=-',
    'a\tb',
  ]) {
    test(`junk ${JSON.stringify(junk)}`, () => expect(decodeModifiedUtf7(junk)).toBeUndefined())
  }

  test('what others have written is read as far as it goes', () => {
    expect(['Entwürfe', '&AC4-&AGE-b', '&', '&Jjo', '&APwA-', 'A&-B', 'R&D-Team'].map(readModifiedUtf7)).toEqual([
      'Entwürfe',
      '.ab',
      '&',
      '&Jjo',
      'ü',
      'A&B',
      'R&D-Team',
    ])
  })

  test('every name has one spelling, and comes back from it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        fc.pre(name.isWellFormed())
        const spelling = encodeModifiedUtf7(name)
        expect(/^[\x20-\x7e]*$/.test(spelling)).toBe(true)
        expect(decodeModifiedUtf7(spelling)).toBe(name)
      }),
      { seed: 2, numRuns: 500 },
    )
  })

  test('whatever decodes, encodes to the same', () => {
    const text = fc.string({ unit: fc.constantFrom('&', '-', 'A', 'B', 'P', 'w', ',', '+', '/', 'z') })
    fc.assert(
      fc.property(text, (spelling) => {
        const name = decodeModifiedUtf7(spelling)
        if (name !== undefined) expect(encodeModifiedUtf7(name)).toBe(spelling)
      }),
      { seed: 3, numRuns: 1000 },
    )
  })
})
