import { type Command, loggedIn } from '../command.ts'
import { mailbox } from '../grammar/mailbox.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'

function parse(cursor: Cursor, session: Session): string {
  cursor.sp()
  return mailbox(cursor, session.utf8Names)
}

/** The name need not be that of a mailbox: subscriptions outlive deletion (RFC 9051 §6.3.7). */
export const subscribe = {
  name: 'SUBSCRIBE',
  rfc: 'RFC 9051 §6.3.7',
  states: loggedIn,
  effects: {},
  parse,
  async run(session, name) {
    await session.service.mail.subscribe(session.user.id, name, true)
    return undefined
  },
} satisfies Command<string>

export const unsubscribe = {
  name: 'UNSUBSCRIBE',
  rfc: 'RFC 9051 §6.3.8',
  states: loggedIn,
  effects: {},
  parse,
  async run(session, name) {
    await session.service.mail.subscribe(session.user.id, name, false)
    return undefined
  },
} satisfies Command<string>
