import { UidSet } from '@pennypost/model'
import type { SearchFound, SearchResult } from '../extension.ts'
import type { Session } from '../session/session.ts'
import { resultNumbers } from './run-search.ts'

/** The search return data of RFC 9051 §7.3.4 `esearch-response`; numbers as the command asked for them. */

export const allFound: SearchResult = {
  say: (session, found) => (found.uids.isEmpty ? '' : `ALL ${numberSet(session, found)}`),
  picks: ({ uids }) => uids,
}

export const minFound: SearchResult = {
  say(session, found) {
    for (const number of resultNumbers(session, found)) return `MIN ${number}`
    return ''
  },
  picks: (found) => ends(found)[0],
  isEnd: true,
}

export const maxFound: SearchResult = {
  say(session, found) {
    const [, max] = ends(found)
    for (const number of resultNumbers(session, { ...found, uids: max, sorted: undefined })) return `MAX ${number}`
    return ''
  },
  picks: (found) => ends(found)[1],
  isEnd: true,
}

export const countFound: SearchResult = {
  say: (_, found) => `COUNT ${found.uids.size}`,
  picks: ({ uids }) => uids,
}

/** The first and the last in the order of the result, which for SEARCH are the lowest and the highest (RFC 5267 §3.1). */
function ends({ uids, sorted }: SearchFound): [min: UidSet, max: UidSet] {
  if (uids.isEmpty) return [UidSet.empty, UidSet.empty]
  if (sorted) return [UidSet.of(sorted[0] as number), UidSet.of(sorted.at(-1) as number)]
  let min = 0
  let max = 0
  for (const [first, last] of uids.ranges()) {
    min ||= first
    max = last
  }
  return [UidSet.of(min), UidSet.of(max)]
}

/** The result as sequence-set, in its order; '' when there is none. */
export function numberSet(session: Session, found: SearchFound): string {
  if (found.sorted) return inOrder(resultNumbers(session, found))
  return `${found.by === 'uid' ? found.uids : UidSet.ofSorted(resultNumbers(session, found))}`
}

/** A sequence-set that keeps the order of the numbers: ranges only where they rise one by one (RFC 5267 §3.2). */
export function inOrder(numbers: Iterable<number>): string {
  let text = ''
  let first = 0
  let last = 0
  for (const number of numbers) {
    if (first !== 0 && number === last + 1) {
      last = number
      continue
    }
    if (first !== 0) text += `${rangeText(first, last)},`
    first = last = number
  }
  return first === 0 ? text : text + rangeText(first, last)
}

function rangeText(first: number, last: number): string {
  return first === last ? `${first}` : `${first}:${last}`
}
