/** RENAME. Among mailboxes of others: the right x on the mailbox and k where it goes; within one account only. */
import { requireParent } from '../access/find-mailbox.ts'
import { ownName } from '../access/visible-mailbox.ts'
import { type Command, loggedIn } from '../command.ts'
import { mailbox, type WrittenMailbox, writtenMailbox } from '../grammar/mailbox.ts'
import { no } from '../refusal.ts'
import { createSuperiors } from './create.ts'
import { sayNormalized } from './list.ts'

interface Args {
  from: string
  to: WrittenMailbox
}

export const rename = {
  name: 'RENAME',
  rfc: 'RFC 9051 §6.3.6',
  states: loggedIn,
  effects: {},
  /** `"RENAME" SP mailbox SP mailbox` */
  parse(cursor, session) {
    cursor.sp()
    const from = mailbox(cursor, session.utf8Names)
    cursor.sp()
    return { from, to: writtenMailbox(cursor.astring('Mailbox name'), session.utf8Names) }
  },
  async run(session, { from, to }) {
    const source = await session.mailbox(from, 'x')
    const place = await requireParent(session, to.name)
    if (place.owner.id !== source.account) throw no('CANNOT', 'A mailbox stays in its account')
    const name = ownName(source)
    if (source.shared && name === 'INBOX') throw no('CANNOT', 'INBOX is renamed by its owner alone')
    if (!place.name.startsWith(`${name}/`)) await createSuperiors(session, place)
    await session.service.mail.renameMailbox(source.account, name, place.name)
    session.notifier?.own.named(from, to.name)
    sayNormalized(session, to)
    if (name === 'INBOX') session.service.mailboxes.touch(source.id)
    return undefined
  },
} satisfies Command<Args>
