import { nextTurn } from '@pennypost/model'
import { findMailbox, unlessDeleted } from '../access/find-mailbox.ts'
import { queryForStore } from '../access/viewer-query.ts'
import { hasRight, type VisibleMailbox } from '../access/visible-mailbox.ts'
import { type Command, loggedIn } from '../command.ts'
import type { Extension, SearchFound, SearchResult } from '../extension.ts'
import { printMailbox } from '../grammar/mailbox.ts'
import { searchProgram } from '../grammar/search-program.ts'
import { bad } from '../refusal.ts'
import { showProgress } from '../search/progress.ts'
import { returnOptions, sayResults } from '../search/return-options.ts'
import { runSearch } from '../search/run-search.ts'
import { askedAgain, type SearchProgram } from '../search/search-key.ts'
import { findSources, type Sources, sourceMailboxes } from '../search/source-mailboxes.ts'
import type { Session } from '../session/session.ts'
import { View } from '../view/view.ts'
import type { Cursor } from '../wire/cursor.ts'

/** ESEARCH: one search of several mailboxes, selected or not, with a response for each that has something. */

interface Args {
  sources: Sources
  returns: SearchResult[]
  program: SearchProgram
}

/** `"ESEARCH" [SP esearch-source-opts] [SP search-return-opts] SP search-program` */
function parse(cursor: Cursor, session: Session): Args {
  cursor.sp()
  let sources: Sources = { selected: true, filters: [] }
  if (cursor.peekWord() === 'IN') {
    sources = sourceMailboxes(cursor, session)
    cursor.sp()
  }
  if (sources.selected && !session.view) throw bad('No mailbox is selected')
  const returns = returnOptions(cursor, session) ?? []
  if (sources.filters.length > 0 && returns.some(({ selectedOnly }) => selectedOnly)) {
    throw bad('SAVE is for the selected mailbox alone')
  }
  return { sources, returns, program: searchProgram(cursor, session) }
}

async function run(session: Session, { sources, returns, program }: Args): Promise<undefined> {
  for (const result of returns) result.refuse?.(session)
  const mailboxes = await findSources(session, sources)
  using progress = showProgress(session, mailboxes.length)
  for (const mailbox of mailboxes) {
    const found = await search(session, mailbox, program).catch(unlessDeleted)
    if (session.connection.closed) return
    if (found) say(session, mailbox, found, returns)
    progress.done++
    await (session.out.ready() ?? nextTurn())
  }
}

/** Undefined for a mailbox that has gone meanwhile. */
async function search(
  session: Session,
  mailbox: VisibleMailbox,
  program: SearchProgram,
): Promise<SearchFound | undefined> {
  const selected = session.view
  if (selected?.open.mailbox.id === mailbox.id) {
    const query = await askedAgain(program, session, selected)
    return { uids: await runSearch(session, query()), view: selected, by: 'uid', query }
  }
  const { mailboxes, mail } = session.service
  const found = mailbox.shared ? await findMailbox(session, mailbox.name) : await mail.mailbox(mailbox.id)
  if (!found || found.id !== mailbox.id || !hasRight(found, 'r')) return undefined
  const open = await mailboxes.open(found, mailbox.shared && session.user.id)
  try {
    const view = new View(open, true)
    const query = await askedAgain(program, session, view)
    const uids = await mail.search(mailbox.id, queryForStore(open, query()), view.all(), session.gone)
    return { uids, view, by: 'uid', query }
  } finally {
    mailboxes.release(open)
  }
}

/** RFC 7377 §2.1: nothing for a mailbox without matches; SAVE keeps that there are none. */
function say(
  session: Session,
  { name, uidValidity }: VisibleMailbox,
  found: SearchFound,
  returns: SearchResult[],
): void {
  if (found.uids.isEmpty) {
    for (const result of returns) if (result.selectedOnly) result.say(session, found)
    return
  }
  sayResults(session, found, returns, `MAILBOX ${printMailbox(name, session.utf8Names)} UIDVALIDITY ${uidValidity}`)
}

const esearch = {
  name: 'ESEARCH',
  rfc: 'RFC 7377 §2',
  states: loggedIn,
  effects: {},
  parse,
  run,
} satisfies Command<Args>

export const multisearch: Extension = {
  name: 'MULTISEARCH',
  rfc: 'RFC 7377',
  requires: ['ESEARCH'],
  capabilities: [{ name: 'MULTISEARCH' }],
  commands: [esearch],
}
