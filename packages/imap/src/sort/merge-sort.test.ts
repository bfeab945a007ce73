import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codePointOrder } from './code-point-order.ts'
import { mergeSort } from './merge-sort.ts'

describe('merge sort', () => {
  test('sorts as the built-in does, equal ones in order', async () => {
    const values = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 5000, size: 'max' })
    await fc.assert(
      fc.asyncProperty(values, async (numbers) => {
        const compare = (a: number, b: number) => (numbers[a] as number) - (numbers[b] as number)
        const order = [...(await mergeSort(numbers.length, compare))]
        expect(order).toEqual([...numbers.keys()].sort(compare))
      }),
      { seed: 1, numRuns: 30 },
    )
  })

  test('what is in order, or in the reverse of it', async () => {
    const sorted = async (...numbers: number[]) =>
      [...(await mergeSort(numbers.length, (a, b) => (numbers[a] as number) - (numbers[b] as number)))].join('')
    expect(await sorted(1, 1, 2, 3, 3)).toBe('01234')
    expect(await sorted(4, 3, 2, 1)).toBe('3210')
    expect(await sorted(4, 3, 3, 1)).toBe('3120')
    expect(await sorted(4, 3, 2, 5)).toBe('2103')
    expect([await sorted(), await sorted(7)]).toEqual(['', '0'])
  })

  test('others have their turn while it sorts', async () => {
    let turns = 0
    const tick = (): void => {
      if (!done) setImmediate(tick).unref()
      turns++
    }
    let done = false
    tick()
    await mergeSort(100_000, (a, b) => ((a * 7919) % 100_003) - ((b * 7919) % 100_003))
    done = true
    expect(turns).toBeGreaterThan(100)
  })
})

describe('code point order', () => {
  test('as Buffer.compare of the UTF-8', () => {
    const text = fc.string({ unit: 'grapheme' })
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [one, other] = [codePointOrder(a), codePointOrder(b)]
        expect(one === other ? 0 : one < other ? -1 : 1).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
      }),
      { seed: 2, numRuns: 500 },
    )
  })

  test('beyond the basic plane is above everything in it', () => {
    expect(codePointOrder('\u{1f600}') > codePointOrder('\uff21')).toBe(true)
    expect(codePointOrder('\ue000') < codePointOrder('\u{10000}')).toBe(true)
  })
})
