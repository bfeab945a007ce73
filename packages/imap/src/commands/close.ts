import { type Command, noArguments, whenSelected } from '../command.ts'

export const close = {
  name: 'CLOSE',
  rfc: 'RFC 9051 §6.4.1',
  states: whenSelected,
  effects: {},
  parse: noArguments,
  async run(session) {
    const { open, readOnly } = session.selected
    const all = session.selected.all()
    session.unselect()
    if (!readOnly) {
      await session.service.mail.expunge(open.mailbox.id, all, 'deleted')
      session.service.mailboxes.touch(open.mailbox.id)
    }
    return undefined
  },
} satisfies Command<undefined>
