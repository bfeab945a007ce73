import { UidSet } from '@pennypost/model'
import type { SearchFound } from '../extension.ts'
import { bad } from '../refusal.ts'
import type { Cursor } from '../wire/cursor.ts'

/** A page of a result: places in it, counted from 1, or from its end (RFC 9394 §3.1). */
export interface PartialRange {
  first: number
  last: number
  fromEnd: boolean
  /** As it is told: the lower number first, since 4:2 is 2:4 (RFC 5267 §4.4); from the end as the client wrote it. */
  text: string
}

/** `SP partial-range`: `nz-number ":" nz-number`, or the same with a minus before both, in any order (RFC 9394 §4) */
export function partialRange(cursor: Cursor): PartialRange {
  cursor.sp()
  const match = cursor.match(/(-?)([1-9]\d{0,9}):\1([1-9]\d{0,9})(?=[ )])/y)
  if (!match) throw bad('Range expected')
  const [text, sign, one, other] = match
  const places = [Number(one), Number(other)]
  if (Math.max(...places) > 0xffff_ffff) throw bad('Number too large')
  const [first, last] = [Math.min(...places), Math.max(...places)]
  const fromEnd = sign === '-'
  return { first, last, fromEnd, text: fromEnd ? text : `${first}:${last}` }
}

/** Where the range begins and ends in a result of so many, as indexes from 0, the end exclusive. */
function bounds({ first, last, fromEnd }: PartialRange, count: number): [from: number, to: number] {
  return fromEnd ? [Math.max(0, count - last), Math.max(0, count - first + 1)] : [first - 1, last]
}

/** The messages of a set at the places of the range. */
export function placed(uids: UidSet, range: PartialRange): UidSet {
  let [from, to] = bounds(range, uids.size)
  const ranges: [number, number][] = []
  for (const [first, last] of uids.ranges()) {
    const size = last - first + 1
    if (from < size && to > 0) ranges.push([first + Math.max(0, from), first + Math.min(size, to) - 1])
    from -= size
    to -= size
  }
  return UidSet.ofRanges(ranges)
}

/** That part of a result, in its order. */
export function partOf(found: SearchFound, range: PartialRange): SearchFound {
  const { sorted } = found
  if (!sorted) return { ...found, uids: placed(found.uids, range) }
  const part = sorted.slice(...bounds(range, sorted.length))
  return { ...found, sorted: part, uids: UidSet.from(part) }
}
