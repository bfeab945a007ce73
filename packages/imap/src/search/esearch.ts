import { UidSet } from '@pennypost/model'
import type { SearchFound } from '../extension.ts'
import type { Session } from '../session/session.ts'
import { resultNumbers } from './run-search.ts'

/** The search return data of RFC 9051 §7.3.4 `esearch-response`; numbers as the command asked for them. */

export function allFound(session: Session, found: SearchFound): string {
  if (found.uids.isEmpty) return ''
  if (found.sorted) return `ALL ${inOrder(resultNumbers(session, found))}`
  const numbers = found.by === 'uid' ? found.uids : UidSet.ofSorted(resultNumbers(session, found))
  return `ALL ${numbers}`
}

export function minFound(session: Session, found: SearchFound): string {
  for (const number of resultNumbers(session, found)) return `MIN ${number}`
  return ''
}

/** The last in the order of the result, which for SEARCH is the highest (RFC 5267 §3.1). */
export function maxFound(session: Session, found: SearchFound): string {
  let last = found.sorted?.at(-1) ?? 0
  if (!found.sorted) for (const [, end] of found.uids.ranges()) last = end
  if (last === 0) return ''
  return `MAX ${found.by === 'uid' ? last : session.selected.seqOf(last)}`
}

export function countFound(_: Session, found: SearchFound): string {
  return `COUNT ${found.uids.size}`
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
