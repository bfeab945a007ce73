/** UIDs as the threads tell each other of them: plain numbers, first, last, first, last …, rising. */
import { UidSet } from '@pennypost/model'

export function boundsOf(uids: UidSet): number[] {
  const bounds: number[] = []
  for (const [first, last] of uids.ranges()) bounds.push(first, last)
  return bounds
}

export function uidsOf(bounds: readonly number[]): UidSet {
  return UidSet.ofSortedRanges(rangesOf(bounds))
}

/** One by one: a hundred thousand that live at the same time are work for the collector. */
function* rangesOf(bounds: readonly number[]): Generator<[number, number]> {
  for (let i = 0; i < bounds.length; i += 2) yield [bounds[i] as number, bounds[i + 1] as number]
}
