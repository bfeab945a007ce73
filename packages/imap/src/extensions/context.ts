import type { SearchQuery } from '@pennypost/model'
import { type Command, whenSelected } from '../command.ts'
import type { Extension, SearchFound, SearchResult } from '../extension.ts'
import type { FetchItem } from '../fetch/fetch-item.ts'
import { fetchAtts } from '../grammar/fetch-att.ts'
import { bad, no } from '../refusal.ts'
import { asksAny } from '../search/search-key.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'
import { printQuoted } from '../wire/strings.ts'

/** Results of SEARCH and SORT that are kept up to date: RETURN (UPDATE), and CANCELUPDATE to end it. */

/** CONTEXT is a hint that the client will ask again; finding is quick enough without one (RFC 5267 §4.2). */
const context: SearchResult = { say: () => '' }

/** `"UPDATE" [SP "(" fetch-att *(SP fetch-att) ")"]`: items of new messages that come into the result (RFC 5465 §7). */
function update(cursor: Cursor, session: Session): SearchResult {
  const fetches = session.service.registry.has('NOTIFY') && cursor.match(/ ?(?=\()/y) !== undefined
  const items = fetches ? fetchAtts(cursor, session) : []
  return { say: (session, found) => keep(session, found, items), refuse: refuseElsewhere }
}

/** What another command says of several mailboxes would need more than a tag to tell them apart. */
function refuseElsewhere(session: Session): void {
  refuse(session, 'Only the result of SEARCH and SORT is updated')
}

function keep(session: Session, found: SearchFound, items: readonly FetchItem[]): string {
  const { contexts } = session.selected
  if (contexts.has(session.tag)) throw bad('The tag has a result that is being updated')
  if (found.view) return ''
  if (asksAge(found.query())) refuse(session, 'A result that changes as time passes is not updated')
  else if (found.sorted && !session.service.registry.has('CONTEXT=SORT'))
    refuse(session, 'Sorted results are not updated')
  else if (contexts.size >= session.service.limits.updatedResults) refuse(session, 'Too many results are being updated')
  else contexts.keep(session, found, items)
  return ''
}

/** OLDER or YOUNGER, anywhere in it: messages enter and leave such a result though nothing happens to them. */
function asksAge(query: SearchQuery): boolean {
  return asksAny(query, ({ key }) => key === 'older' || key === 'younger')
}

/** RFC 5267 §4.3.1 */
function refuse(session: Session, why: string): void {
  session.untagged(`NO [NOUPDATE ${printQuoted(session.tag)}] ${why}`)
}

const cancelUpdate = {
  name: 'CANCELUPDATE',
  rfc: 'RFC 5267 §4.3.5',
  states: whenSelected,
  effects: {},
  /** `"CANCELUPDATE" 1*(SP quoted)` */
  parse(cursor, session) {
    const tags: string[] = []
    do {
      cursor.sp()
      tags.push(cursor.astring('Tag'))
      if (tags.length > session.service.limits.updatedResults) throw bad('Too many tags')
    } while (cursor.peek() === ' ')
    return tags
  },
  run(session, tags) {
    const known = tags.map((tag) => session.selected.contexts.cancel(tag))
    if (known.includes(false)) throw no('', 'There is no result being updated under one of the tags')
    return undefined
  },
} satisfies Command<string[]>

export const contextSearch: Extension = {
  name: 'CONTEXT=SEARCH',
  rfc: 'RFC 5267',
  requires: ['ESEARCH'],
  capabilities: [{ name: 'CONTEXT=SEARCH' }],
  commands: [cancelUpdate],
  searchReturns: [
    { name: 'UPDATE', parse: update },
    { name: 'CONTEXT', parse: () => context },
  ],
}

export const contextSort: Extension = {
  name: 'CONTEXT=SORT',
  rfc: 'RFC 5267',
  requires: ['CONTEXT=SEARCH', 'ESORT'],
  capabilities: [{ name: 'CONTEXT=SORT' }],
}
