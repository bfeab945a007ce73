import type { UidSet } from './uid-set.ts'

/**
 * What SEARCH asks, as values (RFC 9051 §6.4.4). Parsed by `@pennypost/imap`, answered by engines.
 * Sequence numbers are already UIDs, flags already bits: a query knows no session.
 */
export type SearchQuery =
  | { key: 'all' }
  | { key: 'not'; query: SearchQuery }
  | { key: 'and' | 'or'; queries: readonly SearchQuery[] }
  | { key: 'uids'; uids: UidSet }
  /** All of `set` are set and none of `clear` (bits as in `flags.ts`). */
  | { key: 'flags'; set: number; clear: number }
  | { key: 'larger' | 'smaller'; octets: number }
  /** Written day of INTERNALDATE, SAVEDATE or the Date field as yyyymmdd: before is <, on is =, since is ≥. */
  | { key: 'day'; of: 'internal' | 'saved' | 'sent'; relation: 'before' | 'on' | 'since'; day: number }
  /** Age by the clock: instant of INTERNALDATE is at or after (`younger`), before or at (`older`), milliseconds. */
  | { key: 'younger' | 'older'; at: number }
  | { key: 'modseq'; atLeast: number }
  /** A header field contains `text`; '' asks only for presence. Both are folded. */
  | { key: 'header'; field: string; text: string }
  /** Body text (`body`), or header and body (`text`), contains the folded text. */
  | { key: 'body' | 'text'; text: string }

/** The cheapest class of data that an answer to the query needs. */
export function searchNeeds(query: SearchQuery): 'flags' | 'row' | 'header' | 'body' {
  const order = ['flags', 'row', 'header', 'body'] as const
  switch (query.key) {
    case 'not':
      return searchNeeds(query.query)
    case 'and':
    case 'or':
      return order[Math.max(0, ...query.queries.map((inner) => order.indexOf(searchNeeds(inner))))] ?? 'flags'
    case 'larger':
    case 'smaller':
    case 'day':
    case 'younger':
    case 'older':
      return 'row'
    case 'header':
      return 'header'
    case 'body':
    case 'text':
      return 'body'
    default:
      return 'flags'
  }
}

/**
 * What rows tell (flags, numbers, dates and sizes), and what asks for text besides: both must hold. Absent where there is
 * nothing of it.
 */
export function divideQuery(query: SearchQuery): { ofRows?: SearchQuery; ofText?: SearchQuery } {
  const isOfRows = (inner: SearchQuery): boolean => ['flags', 'row'].includes(searchNeeds(inner))
  if (isOfRows(query)) return { ofRows: query }
  if (query.key !== 'and') return { ofText: query }
  const rowKeys = query.queries.filter(isOfRows)
  const ofText: SearchQuery = { key: 'and', queries: query.queries.filter((inner) => !isOfRows(inner)) }
  return rowKeys.length === 0 ? { ofText } : { ofRows: { key: 'and', queries: rowKeys }, ofText }
}

/** How many keys a message is held against at most: what one message of a page costs. */
export function countKeys(query: SearchQuery): number {
  if (query.key === 'not') return countKeys(query.query)
  if (query.key !== 'and' && query.key !== 'or') return 1
  return query.queries.reduce((count, inner) => count + countKeys(inner), 1)
}
