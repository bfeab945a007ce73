import type { SearchQuery } from '@pennypost/model'
import type { Session } from '../session/session.ts'
import type { View } from '../view/view.ts'

/**
 * One parsed search key. What it asks of the store is known only with the session's view, which turns message numbers
 * into UIDs and keywords into bits.
 */
export interface SearchKey {
  (context: SearchContext): SearchQuery
  /** Of a whole program: to be awaited before it is called; absent when nothing in it needs it. */
  prepare?(session: Session): Promise<void>
}

export interface SearchContext {
  session: Session
  view: View
}

export const nothingMatches: SearchQuery = { key: 'not', query: { key: 'all' } }
