import type { Extension, SearchFound, SearchResult } from '../extension.ts'
import { bad } from '../refusal.ts'
import { numberSet } from '../search/esearch.ts'
import { type PartialRange, partialRange, partOf, placed } from '../search/partial.ts'
import type { Session } from '../session/session.ts'

/** Results and FETCH by the page, from the first or from the last. */

/** `"PARTIAL" SP "(" partial-range SP partial-results ")"` */
function partFound(range: PartialRange): SearchResult {
  const say = (session: Session, found: SearchFound): string => {
    return `PARTIAL (${range.text} ${numberSet(session, partOf(found, range)) || 'NIL'})`
  }
  return Object.assign(say, { picks: (found: SearchFound) => partOf(found, range).uids })
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
