import { ownName } from '../access/visible-mailbox.ts'
import { type Command, loggedIn } from '../command.ts'
import { mailbox } from '../grammar/mailbox.ts'
import { no } from '../refusal.ts'

/** Inferiors stay; the name is then shown as \NonExistent above them. */
export const deleteMailbox = {
  name: 'DELETE',
  rfc: 'RFC 9051 §6.3.5',
  states: loggedIn,
  effects: {},
  parse(cursor, session) {
    cursor.sp()
    return mailbox(cursor, session.utf8Names)
  },
  async run(session, name) {
    const found = await session.mailbox(name, 'x')
    if (ownName(found) === 'INBOX') throw no('CANNOT', 'INBOX can not be deleted')
    if (session.view?.open.mailbox.id === found.id) {
      session.unselect()
      session.untagged('OK [CLOSED] The selected mailbox is deleted')
    }
    await session.service.mail.deleteMailbox(found.account, ownName(found))
    session.service.mailboxes.touch(found.id)
    session.notifier?.ownNames(name)
    return undefined
  },
} satisfies Command<string>
