import { superiors, turnTaking } from '@pennypost/model'
import { sharedMailboxes } from '../access/find-mailbox.ts'
import { hasRight, type VisibleMailbox } from '../access/visible-mailbox.ts'
import type { Session } from '../session/session.ts'

/** A name that LIST may speak of. */
export interface HierarchyName {
  name: string
  /** Absent: there are only inferiors of it, or a subscription of it or of one below. */
  mailbox: VisibleMailbox | undefined
  subscribed: boolean
  /** It, or something below it, is a mailbox. */
  inHierarchy: boolean
  /** Absent: not known here. */
  hasChildren: boolean | undefined
}

/** All names that the account may know, INBOX first: mailboxes, those of others, the names above them, subscriptions. */
export async function hierarchyOf(session: Session): Promise<Map<string, HierarchyName>> {
  const { mail } = session.service
  const [own, shared, subscriptions] = await Promise.all([
    mail.mailboxes(session.user.id),
    sharedMailboxes(session),
    mail.subscriptions(session.user.id),
  ])
  const listed = shared.filter((mailbox) => hasRight(mailbox, 'l'))
  const mailboxes: readonly VisibleMailbox[] = listed.length > 0 ? [...own, ...listed] : own
  const names = new Map<string, HierarchyName>()
  const at = (name: string): HierarchyName => {
    let found = names.get(name)
    if (!found) {
      found = { name, mailbox: undefined, subscribed: false, inHierarchy: false, hasChildren: false }
      names.set(name, found)
    }
    return found
  }
  const turn = turnTaking()
  for (const mailbox of mailboxes) {
    const othersTurn = turn()
    if (othersTurn) await othersTurn
    for (const superior of superiors(mailbox.name)) {
      const above = at(superior)
      above.inHierarchy = true
      above.hasChildren = true
    }
    const itself = at(mailbox.name)
    itself.mailbox = mailbox
    itself.inHierarchy = true
  }
  for (const name of subscriptions) {
    const othersTurn = turn()
    if (othersTurn) await othersTurn
    for (const superior of superiors(name)) at(superior)
    at(name).subscribed = true
  }
  return names
}
