/** SEARCH and UID SEARCH: the response in the form of RFC 3501 or as ESEARCH; finding is `search/run-search.ts`. */

import { bothForms, type Completion, whenSelected } from '../command.ts'
import type { SearchFound, SearchResult } from '../extension.ts'
import { searchProgram } from '../grammar/search-program.ts'
import type { By } from '../grammar/sequence-set.ts'
import { patiently } from '../search/progress.ts'
import { returnOptions, sayResults } from '../search/return-options.ts'
import { goneMeanwhile, runSearch } from '../search/run-search.ts'
import { sayNumbers } from '../search/say-numbers.ts'
import { askedAgain, type SearchProgram } from '../search/search-key.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'

interface Args {
  /** Absent: no RETURN was given. */
  returns: SearchResult[] | undefined
  program: SearchProgram
}

/** `"SEARCH" [search-return-opts] SP search-program` */
function parse(cursor: Cursor, session: Session): Args {
  cursor.sp()
  return { returns: returnOptions(cursor, session), program: searchProgram(cursor, session) }
}

async function run(session: Session, { returns, program }: Args, by: By): Promise<Completion | undefined> {
  const query = await askedAgain(program, session, session.selected)
  const uids = await patiently(session, () => runSearch(session, query()))
  const found: SearchFound = { uids, by, query }
  const options = returns ?? (session.rev2 ? [] : undefined)
  if (options) sayResults(session, found, options)
  else await sayNumbers(session, 'SEARCH', found)
  return by === 'uid' ? undefined : goneMeanwhile(session)
}

export const [search, uidSearch] = bothForms({
  name: 'SEARCH',
  rfc: 'RFC 9051 §6.4.4',
  states: whenSelected,
  effects: { numbers: true },
  parse,
  run,
})
