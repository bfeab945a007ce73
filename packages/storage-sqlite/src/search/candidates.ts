import type { SearchQuery, UidSet } from '@pennypost/model'
import type { Filings } from './filings.ts'
import type { SearchIndex } from './search-index.ts'
import { bitsOf } from './signature.ts'

/** What is known of a mailbox's messages: where they stand, and which of them the index has. */
export interface Known {
  filings: Filings
  index: SearchIndex
  /** Of `SearchIndex.upTo`. */
  upTo: number
}

/**
 * Which messages of a mailbox can match, by what the index says: more than do match, never fewer. 1 at the place of each
 * that can; undefined: any can.
 */
export type Candidates = Uint8Array | undefined

export function candidatesFor(query: SearchQuery, known: Known): Candidates {
  switch (query.key) {
    case 'and':
      return query.queries.map((inner) => candidatesFor(inner, known)).reduce(both, undefined)
    case 'or':
      return either(
        query.queries.map((inner) => candidatesFor(inner, known)),
        known.filings.count,
      )
    case 'uids':
      return among(query.uids, known.filings)
    case 'header':
      return having(query.text.length < 3 ? `${query.field}: ` : query.text, true, known)
    case 'text':
      return having(query.text, true, known)
    case 'body':
      return having(query.text, false, known)
    default:
      return undefined
  }
}

function among(uids: UidSet, filings: Filings): Candidates {
  const candidates = new Uint8Array(filings.count)
  for (const [first, last] of uids.ranges()) {
    for (let place = filings.placeOf(first); place < filings.count && filings.uid(place) <= last; place++) {
      candidates[place] = 1
    }
  }
  return candidates
}

function both(one: Candidates, two: Candidates): Candidates {
  if (!one || !two) return one ?? two
  return one.map((can, place) => can & (two[place] as number))
}

function either(all: readonly Candidates[], count: number): Candidates {
  const candidates = new Uint8Array(count)
  for (const one of all) {
    if (!one) return undefined
    for (let place = 0; place < count; place++)
      candidates[place] = (candidates[place] as number) | (one[place] as number)
  }
  return candidates
}

/** What one look into a slice costs against reading a text, roughly. */
const looksPerText = 4

/** `delivered`: the needle may as well stand in the delivery block, or begin in it and end in the content behind it. */
function having(needle: string, delivered: boolean, { filings, index, upTo }: Known): Candidates {
  // Over the end of a line, as nobody searches, it may do the latter.
  if (delivered && needle.includes('\n')) return undefined
  const bits = bitsOf(needle)
  const { first, last, count } = filings
  // A small mailbox among very many messages: reading its texts is cheaper.
  if (bits.length === 0 || index.blocks(first, last) * bits.length > count * looksPerText) return undefined
  const candidates = new Uint8Array(count)
  for (const message of index.having(bits, first, last)) {
    for (const place of filings.placesOf(message)) candidates[place] = 1
  }
  candidates.fill(1, filings.placeOf(upTo + 1))
  if (delivered) for (const place of filings.placesDelivered(needle)) candidates[place] = 1
  return candidates
}
