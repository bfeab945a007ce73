import { type Command, loggedIn } from '../command.ts'
import { mailbox } from '../grammar/mailbox.ts'
import { createSuperiors } from './create.ts'

interface Args {
  from: string
  to: string
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
    return { from, to: mailbox(cursor, session.utf8Names) }
  },
  async run(session, { from, to }) {
    const source = from === 'INBOX' ? await session.mailbox(from) : undefined
    if (!to.startsWith(`${from}/`)) await createSuperiors(session, to)
    await session.service.mail.renameMailbox(session.user.id, from, to)
    if (source) session.service.mailboxes.touch(source.id)
    return undefined
  },
} satisfies Command<Args>
