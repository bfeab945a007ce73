import { superiors } from '@pennypost/model'
import { sharedMailboxes } from '../access/find-mailbox.ts'
import { hasRight, type VisibleMailbox } from '../access/visible-mailbox.ts'
import { turnTaking } from '../breathe.ts'
import { mailbox } from '../grammar/mailbox.ts'
import { bad } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'

/** Which mailboxes ESEARCH looks into (RFC 7377 §2.2). */
export interface Sources {
  selected: boolean
  /** The others, out of all that the account can read. */
  filters: ((candidate: VisibleMailbox, subscribed: ReadonlySet<string>) => boolean)[]
}

/** `"IN" SP "(" filter-mailboxes *(SP filter-mailboxes) ")"`; scope options are not defined by anybody. */
export function sourceMailboxes(cursor: Cursor, session: Session): Sources {
  const sources: Sources = { selected: false, filters: [] }
  cursor.word()
  cursor.sp()
  const limit = session.service.limits.listPatterns
  cursor.someOf(
    'Mailboxes to search',
    () => {
      const kind = cursor.word('Mailboxes to search')
      if (kind === 'SELECTED') sources.selected = true
      else sources.filters.push(filter(kind, cursor, session))
    },
    limit,
  )
  return sources
}

/** `filter-mailboxes` (RFC 5465 §8, RFC 7377 §4) */
function filter(kind: string, cursor: Cursor, session: Session): Sources['filters'][number] {
  // As for NOTIFY, INBOXES are all personal ones.
  if (kind === 'PERSONAL' || kind === 'INBOXES') return ({ shared }) => !shared
  if (kind === 'SUBSCRIBED') return ({ name }, subscribed) => subscribed.has(name)
  if (kind !== 'MAILBOXES' && kind !== 'SUBTREE' && kind !== 'SUBTREE-ONE') {
    throw bad(`Unknown kind of mailboxes ${kind.slice(0, 40)}`)
  }
  const names = oneOrMoreMailboxes(cursor, session)
  if (kind === 'MAILBOXES') return ({ name }) => names.has(name)
  return ({ name }) => {
    const above = superiors(name)
    const counting = kind === 'SUBTREE-ONE' ? above.slice(-1) : above
    return [...counting, name].some((each) => names.has(each))
  }
}

/** `one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")"` */
function oneOrMoreMailboxes(cursor: Cursor, session: Session): ReadonlySet<string> {
  cursor.sp()
  const names = new Set<string>()
  const read = (): void => void names.add(mailbox(cursor, session.utf8Names))
  if (cursor.peek() === '(') cursor.someOf('Mailbox name', read, session.service.limits.listPatterns)
  else read()
  return names
}

/** The mailboxes that are meant, each once, in order of name; names that do not exist mean nothing. */
export async function findSources(session: Session, { selected, filters }: Sources): Promise<VisibleMailbox[]> {
  const { mail } = session.service
  const shared = (await sharedMailboxes(session)).filter((mailbox) => hasRight(mailbox, 'r'))
  const all: readonly VisibleMailbox[] = [...(await mail.mailboxes(session.user.id)), ...shared]
  const subscribed = new Set(await mail.subscriptions(session.user.id))
  const selectedId = selected ? session.selected.open.mailbox.id : undefined
  const turn = turnTaking()
  const meant: VisibleMailbox[] = []
  for (const found of all) {
    const othersTurn = turn()
    if (othersTurn) await othersTurn
    if (found.id === selectedId || filters.some((includes) => includes(found, subscribed))) meant.push(found)
  }
  return meant
}
