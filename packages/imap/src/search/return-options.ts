import type { UidSet } from '@pennypost/model'
import type { SearchFound, SearchResult, SearchReturn } from '../extension.ts'
import { bad } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'
import { printQuoted } from '../wire/strings.ts'
import { allFound } from './esearch.ts'

/** RETURN of SEARCH and SORT: what is asked for, and the ESEARCH response that says it (RFC 9051 §6.4.4, §7.3.4). */

/** `search-return-opts = SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"`; undefined without RETURN. */
export function returnOptions(cursor: Cursor, session: Session): SearchResult[] | undefined {
  const { registry, limits } = session.service
  if (!(registry.has('ESEARCH') || registry.has('SEARCHRES')) || cursor.peekWord() !== 'RETURN') return undefined
  cursor.word()
  cursor.sp()
  const kinds = new Set<SearchReturn>()
  const options: SearchResult[] = []
  let lists = 0
  cursor.list(() => {
    const name = cursor.word('Return option')
    const kind = registry.searchReturns.get(name)
    if (!kind) throw bad(`Unknown return option ${name.slice(0, 40)}`)
    const option = kind.parse(cursor, session)
    // What is repeated counts once: UPDATE would find its own tag in use.
    const isRepeated = kinds.has(kind)
    if (!isRepeated) options.push(option)
    kinds.add(kind)
    // RFC 9394 §3.1: one PARTIAL or one ALL. A second ALL asks for nothing else; of two ranges one would go unanswered.
    if (kind.lists && !(isRepeated && kind.name === 'ALL') && ++lists > 1) {
      throw bad('Only one ALL or PARTIAL is allowed')
    }
  }, limits.parameters)
  cursor.sp()
  return options
}

/**
 * Says the ESEARCH response, unless the options ask for none. RETURN () is RETURN (ALL) (RFC 4731 §3.1).
 * @param source correlators that say which mailbox it is about
 */
export function sayResults(
  session: Session,
  found: SearchFound,
  options: readonly SearchResult[],
  source?: string,
): undefined {
  const picked = { ...found, picked: pickedBy(options, found) }
  const naming = options.filter(({ picks }) => picks)
  const told = naming.length > 0 && naming.every(({ isEnd }) => isEnd) ? { ...found, uids: picked.picked } : found
  const results = (options.length === 0 ? [allFound] : options).map((result) => result.say(session, picked))
  const said = results.filter((text) => text !== undefined)
  if (said.length === 0) return undefined
  const data = [...said, ...besides(session, told)].filter((text) => text !== '')
  const tag = `TAG ${printQuoted(session.tag)}`
  const uid = found.by === 'uid' ? ['UID'] : []
  session.untagged([`ESEARCH (${source ? `${tag} ${source}` : tag})`, ...uid, ...data].join(' '))
}

/** The messages that the options name, all when none names any: what SAVE keeps (RFC 5182 §2.1, RFC 9394 §3.2). */
function pickedBy(options: readonly SearchResult[], found: SearchFound): UidSet {
  let picked: UidSet | undefined
  for (const { picks } of options) {
    if (picks) picked = picked ? picked.union(picks(found)) : picks(found)
  }
  return picked ?? found.uids
}

/** What extensions say with any result. */
export function besides(session: Session, found: SearchFound): string[] {
  if (found.uids.isEmpty) return []
  return session.service.registry.extensions
    .map((extension) => extension.onFound?.(session, found) ?? '')
    .filter(Boolean)
}
