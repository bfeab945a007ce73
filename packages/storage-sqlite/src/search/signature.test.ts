import fc from 'fast-check'
import { expect, test } from 'vitest'
import { blockSize, OpenBlock, placesHaving } from './block.ts'
import { bitsOf, sign, signatureOctets } from './signature.ts'

const text = fc.string({ unit: 'binary', maxLength: 60 })

test('a text has all bits of every needle that it contains', () => {
  fc.assert(
    fc.property(text, text, fc.string({ unit: 'binary', minLength: 3, maxLength: 30 }), (before, behind, needle) => {
      const signature = new Uint8Array(signatureOctets)
      sign(signature, 0, before + needle + behind)
      for (const bit of bitsOf(needle)) expect((signature[bit >>> 3] as number) & (1 << (bit & 7))).not.toBe(0)
    }),
    { seed: 1, numRuns: 300 },
  )
})

test('a needle has bits from three characters on, and few however long it is', () => {
  expect(['', 'A', 'AB'].map(bitsOf)).toEqual([[], [], []])
  expect(bitsOf('ABC')).toHaveLength(1)
  expect(bitsOf('NEEDLE').length).toBeGreaterThan(2)
  expect(bitsOf('A NEEDLE THAT IS NOT SHORT AT ALL').length).toBeLessThanOrEqual(8)
})

test('the slices of a block say what its signatures say, also when it is not full', () => {
  for (const count of [1, 9, 500, blockSize]) {
    const block = new OpenBlock()
    for (let at = 0; at < count; at++) {
      // Every seventh is not kept: it may contain anything.
      block.add(at * 3, at % 7 === 6 ? undefined : [`TEXT ${at % 10}`, at % 4 === 0 ? 'NEEDLE' : 'THREAD'])
    }
    const slices = [...block.slices()]
    for (const needle of ['NEEDLE', 'THREAD', 'TEXT 3', 'NOBODY']) {
      const bits = bitsOf(needle)
      const places = placesHaving(bits, (number) => slices[number] as Buffer)
      expect(places.map((place) => place * 3)).toEqual(block.having(bits))
      const expected = block.messages.filter((_, at) => {
        return at % 7 === 6 || `TEXT ${at % 10}|${at % 4 === 0 ? 'NEEDLE' : 'THREAD'}`.includes(needle)
      })
      expect(block.having(bits)).toEqual(expected)
    }
  }
})

test('a block that was emptied knows nothing', () => {
  const block = new OpenBlock()
  block.add(1, ['NEEDLE'])
  block.clear()
  block.add(2, ['THREAD'])
  expect(block.having(bitsOf('NEEDLE'))).toEqual([])
  expect(block.having(bitsOf('THREAD'))).toEqual([2])
})
