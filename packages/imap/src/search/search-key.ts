import type { SearchQuery, UidSet } from '@pennypost/model'
import type { SequenceSet } from '../grammar/sequence-set.ts'
import type { Session } from '../session/session.ts'
import type { View } from '../view/view.ts'

/**
 * One parsed search key. What it asks of the store is known only with the session's view, which turns message numbers
 * into UIDs and keywords into bits.
 */
export type SearchKey = (context: SearchContext) => SearchQuery

/** What a command searches for. */
export interface SearchProgram {
  key: SearchKey
  /** To be awaited before `key` is called: asks the store for what some keys cannot do without. */
  prepare(session: Session, view: View): Promise<void>
}

/** Where a key is asked. */
export interface SearchContext {
  view: View
  /** What message numbers and `$` of the program meant when they were asked first. */
  meant: Map<SequenceSet, UidSet>
}

/**
 * What a program asks, made anew at each call: a keyword may have come into the mailbox since the last, \Recent messages
 * and UIDs too. Message numbers and `$` go on to mean what they meant at first.
 */
export async function askedAgain(
  { key, prepare }: SearchProgram,
  session: Session,
  view: View,
): Promise<() => SearchQuery> {
  await prepare(session, view)
  const meant = new Map<SequenceSet, UidSet>()
  return () => key({ view, meant })
}

/** The UIDs that message numbers, or `$`, mean in a key. */
export function numbersMean({ view, meant }: SearchContext, set: SequenceSet): UidSet {
  const uids = meant.get(set) ?? view.select(set, 'sequence', 'nothing')
  meant.set(set, uids)
  return uids
}

export const nothingMatches: SearchQuery = { key: 'not', query: { key: 'all' } }

/** Whether something that the query asks, however deep in it, is such. */
export function asksAny(query: SearchQuery, isSuch: (asked: SearchQuery) => boolean): boolean {
  if (query.key === 'and' || query.key === 'or') return query.queries.some((inner) => asksAny(inner, isSuch))
  return query.key === 'not' ? asksAny(query.query, isSuch) : isSuch(query)
}
