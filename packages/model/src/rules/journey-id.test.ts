import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seededRandom } from '../testing/seeded-random.ts'
import { createJourneyId, isJourneyId } from './journey-id.ts'

const random = seededRandom(1)
const times = fc.nat({ max: 32 ** 9 - 1 })

test('is 16 characters that nobody mishears', () => {
  expect(createJourneyId(0, { bytes: (count) => Buffer.alloc(count), fraction: () => 0 })).toBe('0000000000000000')
  const last = createJourneyId(32 ** 9 - 1, { bytes: (count) => Buffer.alloc(count, 255), fraction: () => 0 })
  expect(last).toBe('ZZZZZZZZZZZZZZZZ')
  fc.assert(
    fc.property(times, (now) => {
      const id = createJourneyId(now, random)
      expect(id).toMatch(/^[0-9A-HJKMNP-TV-Z]{16}$/)
      expect(isJourneyId(id)).toBe(true)
      expect(isJourneyId(id.toLowerCase())).toBe(true)
    }),
    { seed: 1, numRuns: 200 },
  )
})

test('sorts by time', () => {
  fc.assert(
    fc.property(times, times, (a, b) => {
      fc.pre(a < b)
      expect(createJourneyId(a, random) < createJourneyId(b, random)).toBe(true)
    }),
    { seed: 1, numRuns: 200 },
  )
})

test('two of one millisecond differ', () => {
  const ids = Array.from({ length: 10_000 }, () => createJourneyId(1, random))
  expect(new Set(ids).size).toBe(ids.length)
})

test.each([
  '',
  'queued',
  '000000000000000',
  '00000000000000000',
  '000000000000000I',
  '0000000000000O00',
  '../../../../../..',
])('%j is none', (text) => {
  expect(isJourneyId(text)).toBe(false)
})
