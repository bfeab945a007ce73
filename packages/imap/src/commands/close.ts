import { StoreError } from '@pennypost/model'
import { selectedRights } from '../access/acting.ts'
import { type Command, noArguments, whenSelected } from '../command.ts'

/** Leaves the mailbox; what bears \Deleted is expunged without a word, where the account may. */
export const close = {
  name: 'CLOSE',
  rfc: 'RFC 9051 §6.4.1',
  states: whenSelected,
  effects: { leaves: true },
  parse: noArguments,
  async run(session) {
    const { open, readOnly } = session.selected
    const all = session.selected.all()
    // RFC 4314 §4: without the right it closes all the same.
    const expunges = !readOnly && (await selectedRights(session)).includes('e')
    if (expunges) {
      const { id } = open.mailbox
      const expunged = await session.service.mail.expunge(id, all, 'deleted').catch((error: unknown) => {
        if (error instanceof StoreError && error.reason === 'no-such-mailbox') return undefined
        throw error
      })
      session.service.mailboxes.touch(id)
      session.notifier?.own.removed(id, expunged?.uids.size ?? 0)
    }
    session.unselect()
    return undefined
  },
} satisfies Command<undefined>
