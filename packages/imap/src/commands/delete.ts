import { ownName } from '../access/visible-mailbox.ts'
import { type Command, loggedIn } from '../command.ts'
import { type WrittenMailbox, writtenMailbox } from '../grammar/mailbox.ts'
import { no } from '../refusal.ts'
import { sayNormalized } from './list.ts'

/** Inferiors stay; the name is then shown as \NonExistent above them. */
export const deleteMailbox = {
  name: 'DELETE',
  rfc: 'RFC 9051 §6.3.5',
  states: loggedIn,
  effects: {},
  parse(cursor, session) {
    cursor.sp()
    return writtenMailbox(cursor.astring('Mailbox name'), session.utf8Names)
  },
  async run(session, written) {
    const found = await session.mailbox(written.name, 'x')
    if (ownName(found) === 'INBOX') throw no('CANNOT', 'INBOX cannot be deleted')
    if (session.view?.open.mailbox.id === found.id) {
      session.unselect()
      session.untagged('OK [CLOSED] The selected mailbox is deleted')
    }
    await session.service.mail.deleteMailbox(found.account, ownName(found))
    session.service.mailboxes.touch(found.id)
    session.notifier?.told.deleted(written.name)
    sayNormalized(session, written, ['\\NonExistent'])
    return undefined
  },
} satisfies Command<WrittenMailbox>
