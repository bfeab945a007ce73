import { isAmongOthers, superiors } from '@pennypost/model'
import { bad, ImapRefusal } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'
import { decodeMailbox } from './mailbox.ts'

/** Which mailboxes NOTIFY and ESEARCH mean: `filter-mailboxes` (RFC 5465 §8), but for those of the selected one. */
export interface FilterMailboxes {
  filter: 'personal' | 'subscribed' | 'subtree' | 'subtree-one' | 'mailboxes'
  /** The names behind it; none behind the first two. */
  mailboxes: ReadonlySet<string>
}

const filters: Readonly<Record<string, FilterMailboxes['filter']>> = {
  PERSONAL: 'personal',
  // Mail may come into INBOX and into whatever mailbox is \Junk at that moment: too much to follow (RFC 5465 §6.3).
  INBOXES: 'personal',
  SUBSCRIBED: 'subscribed',
  SUBTREE: 'subtree',
  // Added by RFC 7377 §4.
  'SUBTREE-ONE': 'subtree-one',
  MAILBOXES: 'mailboxes',
}

/** What follows the word of a filter: `SP one-or-more-mailbox`, or nothing. */
export function filterMailboxes(word: string, cursor: Cursor, session: Session): FilterMailboxes {
  const filter = filters[word]
  if (!filter) throw bad(`Unknown mailbox filter ${word.slice(0, 40)}`)
  const mailboxes = new Set<string>()
  if (filter === 'personal' || filter === 'subscribed') return { filter, mailboxes }
  const name = (): void => {
    const wire = cursor.astring('Mailbox name')
    try {
      mailboxes.add(decodeMailbox(wire, session.utf8Names))
    } catch (error) {
      // A name that no mailbox can have is that of none, which is passed over (RFC 5465 §3.1).
      if (!(error instanceof ImapRefusal && error.kind === 'NO')) throw error
    }
  }
  cursor.sp()
  if (cursor.peek() === '(') cursor.someOf('Mailbox name', name, session.service.limits.parameters)
  else name()
  return { filter, mailboxes }
}

/** Whether the mailbox of that name is meant. */
export function isMeant({ filter, mailboxes }: FilterMailboxes, name: string, subscribed: boolean): boolean {
  if (filter === 'personal') return !isAmongOthers(name)
  if (filter === 'subscribed') return subscribed
  if (mailboxes.has(name)) return true
  const above = filter === 'mailboxes' ? [] : superiors(name)
  return (filter === 'subtree' ? above : above.slice(-1)).some((superior) => mailboxes.has(superior))
}
