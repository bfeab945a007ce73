import { nextTurn } from '@pennypost/model'

/**
 * Sorts `count` things by comparing their numbers 0..count-1, and gives the numbers in order. Equal ones keep the order
 * of their numbers. Merges from below in pages: other sessions get their turn every few milliseconds, however many
 * there are.
 */
export async function mergeSort(count: number, compare: (a: number, b: number) => number): Promise<Uint32Array> {
  let from = new Uint32Array(count)
  for (let i = 0; i < count; i++) from[i] = i
  // Mail mostly comes in the order in which it is wanted, or in the reverse of it.
  const trend = trendOf(count, compare)
  if (trend !== 0) return trend > 0 ? from : from.reverse()
  for (let start = 0; start < count; start += run) {
    from.subarray(start, Math.min(start + run, count)).sort(compare)
    if (count > run) await nextTurn()
  }
  let to = new Uint32Array(count)
  for (let width = run; width < count; width *= 2) {
    for (let start = 0; start < count; start += width * 2) {
      const middle = Math.min(start + width, count)
      const end = Math.min(start + width * 2, count)
      let left = start
      let right = middle
      for (let at = start; at < end; at++) {
        const takeLeft = right === end || (left < middle && compare(from[left] as number, from[right] as number) <= 0)
        to[at] = from[takeLeft ? left++ : right++] as number
        if (at % mergesPerPage === 0) await nextTurn()
      }
    }
    ;[from, to] = [to, from]
  }
  return from
}

/** So many are sorted at once. */
const run = 512
const mergesPerPage = 4096

/** 1: they stand in order already. -1: each is before the one that stands before it. */
function trendOf(count: number, compare: (a: number, b: number) => number): 1 | 0 | -1 {
  const falls = count > 1 && compare(0, 1) > 0
  for (let i = 1; i < count; i++) if (compare(i - 1, i) > 0 !== falls) return 0
  return falls ? -1 : 1
}
