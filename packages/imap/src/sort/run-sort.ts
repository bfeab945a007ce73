import type { UidSet } from '@pennypost/model'
import { nextTurn } from '@pennypost/model'
import type { Session } from '../session/session.ts'
import { placeOf } from '../view/lower-bound.ts'
import { radixOrder } from './radix-order.ts'
import type { SortCriterion } from './sort-key.ts'

/**
 * The UIDs of a set in the order of the criteria; those that are equal by all of them in the order of the mailbox
 * (RFC 5256 §3). What was expunged meanwhile is left out.
 */
export async function runSort(
  session: Session,
  found: UidSet,
  criteria: readonly SortCriterion[],
): Promise<readonly number[]> {
  if (found.isEmpty) return []
  const compared = await comparedByAll(session, criteria)
  const { uids, values } = await gather(session, found, compared)
  const order = await radixOrder(
    uids.length,
    criteria.map(({ reverse }, i) => ({ values: values[i] as Float64Array, reverse })),
  )
  const sorted = new Array<number>(uids.length)
  for (let i = 0; i < sorted.length; i++) sorted[i] = uids[order[i] as number] as number
  return sorted
}

/**
 * Puts what has come into a list that is sorted already: few into many. Undefined when some of them are not there any more:
 * then all must be sorted.
 */
export async function sortIn(
  session: Session,
  sorted: readonly number[],
  come: UidSet,
  criteria: readonly SortCriterion[],
): Promise<number[] | undefined> {
  const compared = await comparedByAll(session, criteria)
  const { columns } = session.selected.open
  const valuesOf = (uid: number): (number | undefined)[] => {
    const place = columns.placeOf(uid, 0)
    return compared.map((by) => (place < 0 ? undefined : by(uid, place)))
  }
  const all = sorted.slice()
  for (const uid of come) {
    const values = valuesOf(uid)
    let low = 0
    for (let high = all.length; low < high; ) {
      const middle = (low + high) >> 1
      const other = all[middle] as number
      const order = difference(valuesOf(other), values, criteria)
      if (order === undefined) return undefined
      if (order < 0 || (order === 0 && other < uid)) low = middle + 1
      else high = middle
    }
    all.splice(low, 0, uid)
  }
  return all
}

function difference(
  one: readonly (number | undefined)[],
  other: readonly (number | undefined)[],
  criteria: readonly SortCriterion[],
): number | undefined {
  for (let i = 0; i < criteria.length; i++) {
    const [a, b] = [one[i], other[i]]
    if (a === undefined || b === undefined) return undefined
    if (a !== b) return criteria[i]?.reverse ? b - a : a - b
  }
  return 0
}

/** What a message is compared by; `place` is its place in the columns. Undefined when it is not known: it has gone. */
type Compared = (uid: number, place: number) => number | undefined

async function comparedByAll(session: Session, criteria: readonly SortCriterion[]): Promise<Compared[]> {
  await session.selected.open.columns.upToDate()
  return Promise.all(criteria.map(({ key }) => comparedBy(session, key)))
}

async function comparedBy(session: Session, key: SortCriterion['key']): Promise<Compared> {
  const { columns } = session.selected.open
  if ('number' in key) return (_, place) => key.number(columns, place)
  const { uids, ranks } = await columns.ranks(key.field)
  let near = 0
  return (uid) => {
    const rank = placeOf(uids, uids.length, uid, near)
    near = rank + 1
    return rank < 0 ? undefined : (ranks[rank] as number)
  }
}

async function gather(
  session: Session,
  found: UidSet,
  compared: readonly Compared[],
): Promise<{ uids: number[]; values: Float64Array[] }> {
  const { open } = session.selected
  const { columns } = open
  const size = found.size
  const uids: number[] = []
  const values = compared.map(() => new Float64Array(size))
  let index = 0
  let place = 0
  let seen = 0
  for (const uid of found) {
    index = placeOf(open.uids, open.count, uid, index)
    place = columns.placeOf(uid, place)
    let isKnown = index >= 0 && place >= 0
    for (let i = 0; isKnown && i < values.length; i++) {
      const value = (compared[i] as Compared)(uid, place)
      if (value === undefined) isKnown = false
      else (values[i] as Float64Array)[uids.length] = value
    }
    if (isKnown) uids.push(uid)
    index++
    place++
    if (++seen % perPage === 0) await nextTurn()
  }
  return { uids, values }
}

const perPage = 20_000
