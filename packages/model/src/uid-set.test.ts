import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UidSet } from './uid-set.ts'

const numbers = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 40 })
const ranges = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat({ max: 9 })).map(([first, more]) => [first, first + more] as const),
  { maxLength: 12 },
)
const members = (pairs: readonly (readonly [number, number])[]): number[] => {
  const all = new Set<number>()
  for (const [first, last] of pairs) for (let uid = first; uid <= last; uid++) all.add(uid)
  return [...all].sort((a, b) => a - b)
}
const runs = { seed: 1, numRuns: 300 }

describe('UidSet', () => {
  test('prints as a sequence-set (RFC 9051 §9)', () => {
    expect(UidSet.of(5, 1, 2, 3, 3).toString()).toBe('1:3,5')
    expect(
      UidSet.ofRanges([
        [7, 9],
        [1, 2],
        [3, 3],
        [8, 20],
      ]).toString(),
    ).toBe('1:3,7:20')
    expect(UidSet.empty.toString()).toBe('')
    expect(UidSet.of(4_294_967_295).toString()).toBe('4294967295')
  })

  test('knows size and emptiness without counting members', () => {
    const huge = UidSet.ofRanges([[1, 4_294_967_295]])
    expect(huge.size).toBe(4_294_967_295)
    expect(huge.isEmpty).toBe(false)
    expect(huge.has(4_294_967_295)).toBe(true)
    expect(UidSet.empty.isEmpty).toBe(true)
    expect(UidSet.empty.size).toBe(0)
    expect(UidSet.empty.has(1)).toBe(false)
  })

  test('behaves as a sorted set of numbers', () => {
    fc.assert(
      fc.property(ranges, (pairs) => {
        const set = UidSet.ofRanges(pairs)
        const expected = members(pairs)
        expect([...set]).toEqual(expected)
        expect(set.size).toBe(expected.length)
        for (let uid = 0; uid <= 71; uid++) expect(set.has(uid)).toBe(expected.includes(uid))
      }),
      runs,
    )
  })

  test('its ranges rise, are disjoint and not adjacent, however it was made', () => {
    const check = (set: UidSet): void => {
      let end = -1
      for (const [first, last] of set.ranges()) {
        expect(first).toBeGreaterThan(end + 1)
        expect(last).toBeGreaterThanOrEqual(first)
        end = last
      }
    }
    fc.assert(
      fc.property(ranges, numbers, (pairs, uids) => {
        const [a, b] = [UidSet.ofRanges(pairs), UidSet.of(...uids)]
        for (const set of [a, b, a.union(b), a.intersect(b), b.intersect(a), a.without(b), b.without(a)]) check(set)
      }),
      runs,
    )
  })

  test('sorted numbers and any numbers give the same set', () => {
    fc.assert(
      fc.property(numbers, (uids) => {
        const sorted = UidSet.ofSorted([...uids].sort((a, b) => a - b))
        expect(sorted).toEqual(UidSet.of(...uids))
        expect(sorted).toEqual(UidSet.ofRanges(uids.map((uid) => [uid, uid] as const)))
      }),
      runs,
    )
  })

  test('union, intersection and difference are those of sets', () => {
    fc.assert(
      fc.property(ranges, ranges, (left, right) => {
        const [a, b] = [UidSet.ofRanges(left), UidSet.ofRanges(right)]
        const [as, bs] = [new Set(members(left)), new Set(members(right))]
        const order = (x: number, y: number): number => x - y
        expect([...a.union(b)]).toEqual([...as.union(bs)].sort(order))
        expect([...a.intersect(b)]).toEqual([...as.intersection(bs)].sort(order))
        expect([...a.without(b)]).toEqual([...as.difference(bs)].sort(order))
      }),
      runs,
    )
  })
})
