import fc from 'fast-check'
import { expect, test } from 'vitest'
import { radixOrder, type SortColumn } from './radix-order.ts'

function expectedOrder(count: number, columns: readonly SortColumn[]): number[] {
  return [...Array(count).keys()].sort((a, b) => {
    for (const { values, reverse } of columns) {
      const difference = (values[a] as number) - (values[b] as number)
      if (difference !== 0) return reverse ? -difference : difference
    }
    return a - b
  })
}

test('the order is that of comparing the columns one after the other', async () => {
  const row = fc.tuple(fc.integer({ min: -4, max: 4 }), fc.integer({ min: 0, max: 2_000_000_000 }), fc.maxSafeInteger())
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 300 }),
      fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
      async (rows, reversed) => {
        const columns = reversed.map((reverse, i) => ({
          // A greatest and a least one that lie further apart have no room in a number.
          values: Float64Array.from(rows, (of) => Math.trunc((of[i] as number) / 2)),
          reverse,
        }))
        expect([...(await radixOrder(rows.length, columns))]).toEqual(expectedOrder(rows.length, columns))
      },
    ),
    { seed: 1, numRuns: 200 },
  )
})
