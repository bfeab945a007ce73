import type { Extension, SearchResult } from '../extension.ts'
import { bad } from '../refusal.ts'
import { numberSet } from '../search/esearch.ts'
import { type PartialRange, partialRange, partOf, placed } from '../search/partial.ts'

/** Results and FETCH by the page, from the first or from the last. */

/** `"PARTIAL" SP "(" partial-range SP partial-results ")"` */
function partFound(range: PartialRange): SearchResult {
  return {
    say: (session, found) => `PARTIAL (${range.text} ${numberSet(session, partOf(found, range)) || 'NIL'})`,
    picks: (found) => partOf(found, range).uids,
  }
}

export const partial: Extension = {
  name: 'PARTIAL',
  rfc: 'RFC 9394',
  requires: ['ESEARCH'],
  capabilities: [{ name: 'PARTIAL' }],
  searchReturns: [{ name: 'PARTIAL', lists: true, parse: (cursor) => partFound(partialRange(cursor)) }],
  fetchModifiers: [
    {
      name: 'PARTIAL',
      parse(cursor) {
        const range = partialRange(cursor)
        return {
          narrow(view, uids, by) {
            if (by !== 'uid') throw bad('PARTIAL needs UID FETCH')
            return placed(view.among(uids), range)
          },
        }
      },
    },
  ],
}
