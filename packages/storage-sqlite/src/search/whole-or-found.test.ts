import { matches } from '@pennypost/model'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bodyNeedlesOf } from './query.ts'
import { wholeOrFound } from './whole-or-found.ts'

const some = (maxLength: number) => fc.string({ unit: fc.constantFrom('A', 'B'), maxLength })

test('however little is kept of texts in pieces, what is in them is found, and nothing over the end of one', () => {
  const texts = fc.array(fc.array(some(6), { maxLength: 6 }), { maxLength: 4 })
  const key = fc.record({ key: fc.constant('body' as const), text: some(5) })
  const keys = fc.array(
    fc.oneof(
      key,
      key.map((query) => ({ key: 'not' as const, query })),
    ),
    { minLength: 1, maxLength: 3 },
  )
  fc.assert(
    fc.property(
      texts,
      keys,
      fc.constantFrom('and' as const, 'or' as const),
      fc.nat(20),
      (pieces, queries, of, most) => {
        const query = { key: of, queries }
        const subject = { uid: 1, flags: 0, modSeq: 0 }
        const found = wholeOrFound(pieces, bodyNeedlesOf(query), most)
        expect(matches(query, { ...subject, bodyTexts: () => found.texts })).toBe(
          matches(query, { ...subject, bodyTexts: () => pieces.map((text) => text.join('')) }),
        )
        if (found.isWhole) expect(found.texts).toEqual(pieces.map((text) => text.join('')))
      },
    ),
    { seed: 9051, numRuns: 3000 },
  )
})

test('of a text that does not end no more is kept than there is room for', () => {
  function* pieces(): Generator<string> {
    for (let piece = 0; piece < 1000; piece++) yield 'x'.repeat(1000)
    yield 'ne'
    yield 'edle'
  }
  expect(wholeOrFound([pieces()], ['needle', 'other'], 5000)).toMatchObject({ isWhole: false })
  const { texts } = wholeOrFound([pieces()], ['needle', 'other'], 5000)
  expect(texts.join('').length).toBeLessThanOrEqual(5000)
  expect(texts.some((text) => text.includes('needle'))).toBe(true)
})
