import { turnTaking } from '@pennypost/model'
import { sharedMailboxes } from '../access/find-mailbox.ts'
import { hasRight, type VisibleMailbox } from '../access/visible-mailbox.ts'
import { type FilterMailboxes, filterMailboxes, isMeant } from '../grammar/filter-mailboxes.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'

/** Which mailboxes ESEARCH looks into (RFC 7377 §2.2). */
export interface Sources {
  selected: boolean
  /** The others, out of all that the account can read. */
  filters: FilterMailboxes[]
}

/** `"IN" SP "(" filter-mailboxes *(SP filter-mailboxes) ")"`; scope options are not defined by anybody. */
export function sourceMailboxes(cursor: Cursor, session: Session): Sources {
  const sources: Sources = { selected: false, filters: [] }
  cursor.word()
  cursor.sp()
  const source = (): void => {
    const word = cursor.word('Mailbox filter')
    if (word === 'SELECTED') sources.selected = true
    else sources.filters.push(filterMailboxes(word, cursor, session))
  }
  cursor.someOf('Mailbox filter', source, session.service.limits.parameters)
  return sources
}

/** The mailboxes that are meant, each once, in order of name; names that do not exist mean nothing. */
export async function findSources(session: Session, { selected, filters }: Sources): Promise<VisibleMailbox[]> {
  const { mail } = session.service
  const shared = (await sharedMailboxes(session)).filter((mailbox) => hasRight(mailbox, 'r'))
  const all: readonly VisibleMailbox[] = [...(await mail.mailboxes(session.user.id)), ...shared]
  const subscribed = new Set(await mail.subscriptions(session.user.id))
  const selectedId = selected ? session.selected.open.mailbox.id : undefined
  const isNamed = ({ name }: VisibleMailbox): boolean =>
    filters.some((filter) => isMeant(filter, name, subscribed.has(name)))
  const turn = turnTaking()
  const meant: VisibleMailbox[] = []
  for (const found of all) {
    const othersTurn = turn()
    if (othersTurn) await othersTurn
    if (found.id === selectedId || isNamed(found)) meant.push(found)
  }
  return meant
}
