import { type SearchQuery, searchNeeds } from '@pennypost/model'
import { boundsOf, uidsOf } from '../bounds.ts'
import type { Required } from './plain-texts.ts'

/** Queries on their way to the search thread, and what it asks of them. */

/** A query as plain values: UID sets are bounds. */
export type PackedQuery =
  | { key: 'uids'; bounds: readonly number[] }
  | { key: 'not'; query: PackedQuery }
  | { key: 'and' | 'or'; queries: readonly PackedQuery[] }
  | Exclude<SearchQuery, { key: 'uids' | 'not' | 'and' | 'or' }>

export function packQuery(query: SearchQuery): PackedQuery {
  switch (query.key) {
    case 'uids':
      return { key: 'uids', bounds: boundsOf(query.uids) }
    case 'not':
      return { key: 'not', query: packQuery(query.query) }
    case 'and':
    case 'or':
      return { key: query.key, queries: query.queries.map(packQuery) }
    default:
      return query
  }
}

export function unpackQuery(query: PackedQuery): SearchQuery {
  switch (query.key) {
    case 'uids':
      return { key: 'uids', uids: uidsOf(query.bounds) }
    case 'not':
      return { key: 'not', query: unpackQuery(query.query) }
    case 'and':
    case 'or':
      return { key: query.key, queries: query.queries.map(unpackQuery) }
    default:
      return query
  }
}

/** Whether a key of it fits. */
function hasKey(query: SearchQuery, fits: (leaf: SearchQuery) => boolean): boolean {
  if (query.key === 'not') return hasKey(query.query, fits)
  if (query.key === 'and' || query.key === 'or') return query.queries.some((inner) => hasKey(inner, fits))
  return fits(query)
}

/** Whether it asks for what is in the rows of a message, apart from its UID and its text. */
export function asksForRow(query: SearchQuery): boolean {
  return hasKey(query, (leaf) => leaf.key === 'flags' || leaf.key === 'modseq' || searchNeeds(leaf) === 'row')
}

/** Whether a needle has the character that stands between kept texts. */
export function hasNul(query: SearchQuery): boolean {
  return hasKey(query, (leaf) => 'text' in leaf && leaf.text.includes('\0'))
}

/** All that it looks for in bodies. */
export function bodyNeedlesOf(query: SearchQuery): string[] {
  switch (query.key) {
    case 'not':
      return bodyNeedlesOf(query.query)
    case 'and':
    case 'or':
      return query.queries.flatMap(bodyNeedlesOf)
    case 'text':
    case 'body':
      return [query.text]
    default:
      return []
  }
}

/** Texts without which a message can not match. */
export function requiredOf(query: SearchQuery): Required[] {
  switch (query.key) {
    case 'and':
      return query.queries.flatMap(requiredOf)
    case 'header':
      return [{ needle: query.text, place: 'header' }]
    case 'text':
    case 'body':
      return [{ needle: query.text, place: 'anywhere' }]
    default:
      return []
  }
}
