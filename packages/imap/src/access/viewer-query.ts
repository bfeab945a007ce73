/** Searches in mailboxes of others, put so that the store understands them. */
import { type SearchQuery, systemFlags, UidSet } from '@pennypost/model'
import type { OpenMailbox } from '../view/open-mailbox.ts'

const seenBit = systemFlags['\\Seen']

/**
 * A query as the store understands it, which knows the owner's \Seen and MODSEQs alone: what a viewer's ask for is put
 * as UIDs. The query itself in a mailbox of one's own.
 */
export function queryForStore(open: OpenMailbox, query: SearchQuery): SearchQuery {
  if (open.viewer === undefined) return query
  switch (query.key) {
    case 'and':
    case 'or':
      return { key: query.key, queries: query.queries.map((inner) => queryForStore(open, inner)) }
    case 'not':
      return { key: 'not', query: queryForStore(open, query.query) }
    case 'modseq':
      return { key: 'uids', uids: uidsWhere(open, (index) => (open.modSeqs[index] as number) >= query.atLeast) }
    case 'flags':
      return flagsForStore(open, query)
    default:
      return query
  }
}

function flagsForStore(open: OpenMailbox, query: Extract<SearchQuery, { key: 'flags' }>): SearchQuery {
  if (((query.set | query.clear) & seenBit) === 0) return query
  const isSeen = (index: number): boolean => ((open.flags[index] as number) & seenBit) !== 0
  const queries: SearchQuery[] = [
    { ...query, set: query.set - (query.set & seenBit), clear: query.clear - (query.clear & seenBit) },
  ]
  if ((query.set & seenBit) !== 0) queries.push({ key: 'uids', uids: uidsWhere(open, isSeen) })
  if ((query.clear & seenBit) !== 0) queries.push({ key: 'uids', uids: uidsWhere(open, (index) => !isSeen(index)) })
  return { key: 'and', queries }
}

function uidsWhere(open: OpenMailbox, matches: (index: number) => boolean): UidSet {
  const uids: number[] = []
  for (let index = 0; index < open.count; index++) if (matches(index)) uids.push(open.uids[index] as number)
  return UidSet.ofSorted(uids)
}
