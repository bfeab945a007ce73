import { selectedRights } from '../access/acting.ts'
import { type Command, noArguments, whenSelected } from '../command.ts'

/** Leaves the mailbox; what bears \Deleted is expunged without a word, where the account may. */
export const close = {
  name: 'CLOSE',
  rfc: 'RFC 9051 §6.4.1',
  states: whenSelected,
  effects: {},
  parse: noArguments,
  async run(session) {
    const { open, readOnly } = session.selected
    const all = session.selected.all()
    // RFC 4314 §4: without the right it closes all the same.
    const expunges = !readOnly && (await selectedRights(session)).includes('e')
    session.unselect()
    if (expunges) {
      const { uids } = await session.service.mail.expunge(open.mailbox.id, all, 'deleted')
      session.service.mailboxes.touch(open.mailbox.id)
      session.notifier?.own.removed(open.mailbox.id, uids.size)
    }
    return undefined
  },
} satisfies Command<undefined>
