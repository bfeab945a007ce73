import { expect, test } from 'vitest'
import { seededRandom } from './seeded-random.ts'

test('the same seed gives the same octets and fractions, another seed others', () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed)
    return [random.bytes(8).toString('hex'), random.fraction(), random.fraction()]
  }
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
})

test('fractions stay in [0, 1) and spread evenly', () => {
  const random = seededRandom(3)
  const buckets = new Array<number>(10).fill(0)
  for (let count = 0; count < 10_000; count++) {
    const fraction = random.fraction()
    expect(fraction).toBeGreaterThanOrEqual(0)
    expect(fraction).toBeLessThan(1)
    buckets[Math.floor(fraction * 10)]!++
  }
  for (const bucket of buckets) expect(Math.abs(bucket - 1000)).toBeLessThan(150)
})
