import type { Extension, SearchResult } from '../extension.ts'

/**
 * FUZZY leaves to the server how closely a key must match: here as closely as without it, which RFC 6203 §5 allows.
 * So all that is found is as relevant as can be.
 */
const mostRelevant = 100

/** `"RELEVANCY" SP score-list`: a score for each message of the result */
const relevancy: SearchResult = {
  say: (_, found) => `RELEVANCY (${new Array(found.uids.size).fill(mostRelevant).join(' ')})`,
}

export const searchFuzzy: Extension = {
  name: 'SEARCH=FUZZY',
  rfc: 'RFC 6203',
  capabilities: [{ name: 'SEARCH=FUZZY' }],
  searchKeys: [
    {
      name: 'FUZZY',
      parse(cursor, _, { key }) {
        cursor.sp()
        return cursor.nested(key)
      },
    },
  ],
  searchReturns: [{ name: 'RELEVANCY', parse: () => relevancy }],
  sortKeys: [{ name: 'RELEVANCY', number: () => mostRelevant }],
}
