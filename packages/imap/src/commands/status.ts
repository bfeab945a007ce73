import type { VisibleMailbox } from '../access/visible-mailbox.ts'
import { type Command, loggedIn } from '../command.ts'
import type { StatusItem } from '../extension.ts'
import { knownNames } from '../grammar/known-names.ts'
import { printMailbox, spMailbox } from '../grammar/mailbox.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'

/** `"(" status-att *(SP status-att) ")"` */
export function statusAtts(cursor: Cursor, session: Session): StatusItem[] {
  const items: StatusItem[] = []
  knownNames(cursor, session, 'Status item', session.service.registry.statusItems, (item) => {
    if (!items.includes(item)) items.push(item)
  })
  return items
}

/** The untagged STATUS response (RFC 9051 §7.3.4). */
export async function sayStatus(session: Session, found: VisibleMailbox, items: readonly StatusItem[]): Promise<void> {
  const values: string[] = []
  for (const item of items) values.push(`${item.name} ${await item.value(session, found)}`)
  session.untagged(`STATUS ${printMailbox(found.name, session.utf8Names)} (${values.join(' ')})`)
}

export const baseStatusItems: readonly StatusItem[] = [
  { name: 'MESSAGES', value: (_, mailbox) => mailbox.messages },
  // Not more than that: those between that were expunged are not counted one by one.
  {
    name: 'RECENT',
    value({ service }, mailbox) {
      const from = Math.max(mailbox.recentUid, service.mailboxes.recentFrom(mailbox.id))
      return Math.max(0, Math.min(mailbox.messages, mailbox.uidNext - from))
    },
  },
  { name: 'UIDNEXT', value: (_, mailbox) => mailbox.uidNext },
  { name: 'UIDVALIDITY', value: (_, mailbox) => mailbox.uidValidity },
  { name: 'UNSEEN', value: (_, mailbox) => mailbox.unseen },
  { name: 'DELETED', value: (_, mailbox) => mailbox.deleted },
]

interface Args {
  name: string
  items: StatusItem[]
}

export const status = {
  name: 'STATUS',
  rfc: 'RFC 9051 §6.3.11',
  states: loggedIn,
  effects: {},
  parse(cursor, session) {
    const name = spMailbox(cursor, session)
    cursor.sp()
    return { name, items: statusAtts(cursor, session) }
  },
  async run(session, { name, items }) {
    await sayStatus(session, await session.mailbox(name, 'r'), items)
    return undefined
  },
} satisfies Command<Args>
