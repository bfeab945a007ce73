import { UidSet } from '@pennypost/model'
import { bothForms, type Completion, whenSelected } from '../command.ts'
import type { Extension, SearchFound, SearchResult } from '../extension.ts'
import { searchCriteria } from '../grammar/search-program.ts'
import type { By } from '../grammar/sequence-set.ts'
import { patiently } from '../search/progress.ts'
import { returnOptions, sayResults } from '../search/return-options.ts'
import { goneMeanwhile, runSearch } from '../search/run-search.ts'
import { sayNumbers } from '../search/say-numbers.ts'
import { askedAgain, type SearchProgram } from '../search/search-key.ts'
import type { Session } from '../session/session.ts'
import { sortCriteria } from '../sort/criteria.ts'
import { runSort } from '../sort/run-sort.ts'
import { baseSortKeys, type SortCriterion } from '../sort/sort-key.ts'
import type { Cursor } from '../wire/cursor.ts'

/** SORT: finds as SEARCH does and says the result in the order of keys that were computed when each message came. */

interface Args {
  /** Absent: no RETURN was given (RFC 5267 §3). */
  returns: SearchResult[] | undefined
  criteria: SortCriterion[]
  program: SearchProgram
}

/** `"SORT" [search-return-opts] SP sort-criteria SP search-criteria` */
function parse(cursor: Cursor, session: Session): Args {
  cursor.sp()
  const returns = session.service.registry.has('ESORT') ? returnOptions(cursor, session) : undefined
  const criteria = sortCriteria(cursor, session)
  cursor.sp()
  return { returns, criteria, program: searchCriteria(cursor, session) }
}

async function run(session: Session, { returns, criteria, program }: Args, by: By): Promise<Completion | undefined> {
  const query = await askedAgain(program, session, session.selected)
  const { matching, sorted } = await patiently(session, async () => {
    const matching = await runSearch(session, query())
    return { matching, sorted: await runSort(session, matching, criteria) }
  })
  // Some may have been expunged in between.
  const uids = sorted.length === matching.size ? matching : UidSet.from(sorted)
  const found: SearchFound = { uids, sorted, criteria, by, query }
  if (returns) sayResults(session, found, returns)
  else await sayNumbers(session, 'SORT', found)
  return by === 'uid' ? undefined : goneMeanwhile(session)
}

const [sort, uidSort] = bothForms({
  name: 'SORT',
  rfc: 'RFC 5256 §3',
  uidRfc: 'RFC 5256 §3',
  states: whenSelected,
  effects: { numbers: true },
  parse,
  run,
})

export const sortExtension: Extension = {
  name: 'SORT',
  rfc: 'RFC 5256',
  capabilities: [{ name: 'SORT' }],
  commands: [sort, uidSort],
  sortKeys: baseSortKeys,
}
