/** SEARCH and UID SEARCH: the response in the form of RFC 3501 or as ESEARCH; finding is `search/run-search.ts`. */
import { type Command, whenSelected } from '../command.ts'
import type { SearchFound, SearchResult } from '../extension.ts'
import { searchProgram } from '../grammar/search-program.ts'
import { bad } from '../refusal.ts'
import { allFound } from '../search/esearch.ts'
import { foundNumbers, runSearch } from '../search/run-search.ts'
import type { SearchKey } from '../search/search-key.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'
import { printQuoted } from '../wire/strings.ts'

interface Args {
  /** Absent: no RETURN was given. */
  returns: SearchResult[] | undefined
  key: SearchKey
}

/** `"SEARCH" [search-return-opts] SP search-program` */
function parse(cursor: Cursor, session: Session): Args {
  const { registry, limits } = session.service
  cursor.sp()
  let returns: Args['returns']
  if (registry.searchReturns.size > 0 && cursor.peekWord() === 'RETURN') {
    cursor.word()
    cursor.sp()
    const options: NonNullable<Args['returns']> = []
    cursor.list(() => {
      const name = cursor.word('Return option')
      const kind = registry.searchReturns.get(name)
      if (!kind) throw bad(`Unknown return option ${name.slice(0, 40)}`)
      options.push(kind.parse(cursor))
    }, limits.listPatterns)
    returns = options
    cursor.sp()
  }
  return { returns, key: searchProgram(cursor, session) }
}

async function run(session: Session, { returns, key }: Args, by: 'sequence' | 'uid'): Promise<undefined> {
  if (key.prepare) await key.prepare(session)
  const query = key({ session, view: session.selected })
  const uids = await runSearch(session, query)
  const found: SearchFound = { uids, by, query }
  const options = returns ?? (session.rev2 ? [] : undefined)
  if (!options) return sayNumbers(session, found)
  // RFC 4731 §3.1: RETURN () is RETURN (ALL).
  const results = (options.length === 0 ? [allFound] : options).map((result) => result(session, found))
  const said = results.filter((text) => text !== undefined)
  if (said.length === 0) return undefined
  const data = [...said, ...besides(session, found)].filter((text) => text !== '')
  session.untagged([`ESEARCH (TAG ${printQuoted(session.tag)})`, ...(by === 'uid' ? ['UID'] : []), ...data].join(' '))
}

/** RFC 3501 §7.2.5 */
function sayNumbers(session: Session, found: SearchFound): undefined {
  const { out } = session
  out.text('* SEARCH')
  for (const number of foundNumbers(session, found.uids, found.by)) out.text(` ${number}`)
  for (const text of besides(session, found)) out.text(` (${text})`)
  out.text('\r\n')
}

function besides(session: Session, found: SearchFound): string[] {
  if (found.uids.isEmpty) return []
  return session.service.registry.extensions
    .map((extension) => extension.onFound?.(session, found) ?? '')
    .filter(Boolean)
}

export const search = {
  name: 'SEARCH',
  rfc: 'RFC 9051 §6.4.4',
  states: whenSelected,
  effects: { numbers: true },
  parse,
  run: (session, args) => run(session, args, 'sequence'),
} satisfies Command<Args>

export const uidSearch = {
  name: 'UID SEARCH',
  rfc: 'RFC 9051 §6.4.9',
  states: whenSelected,
  effects: {},
  parse,
  run: (session, args) => run(session, args, 'uid'),
} satisfies Command<Args>
