import { UidSet } from '@pennypost/model'
import type { SearchFound } from '../extension.ts'
import type { Session } from '../session/session.ts'
import { foundNumbers } from './run-search.ts'

/** The search return data of RFC 9051 §7.3.4 `esearch-response`; numbers as the command asked for them. */

export function allFound(session: Session, found: SearchFound): string {
  if (found.uids.isEmpty) return ''
  const numbers = found.by === 'uid' ? found.uids : UidSet.ofSorted(foundNumbers(session, found.uids, 'sequence'))
  return `ALL ${numbers}`
}

export function minFound(session: Session, found: SearchFound): string {
  for (const number of foundNumbers(session, found.uids, found.by)) return `MIN ${number}`
  return ''
}

export function maxFound(session: Session, found: SearchFound): string {
  let last = 0
  for (const [, end] of found.uids.ranges()) last = end
  if (last === 0) return ''
  return `MAX ${found.by === 'uid' ? last : session.selected.seqOf(last)}`
}

export function countFound(_: Session, found: SearchFound): string {
  return `COUNT ${found.uids.size}`
}
