/** SUBSCRIBE and UNSUBSCRIBE: what others of the account are told by NOTIFY, since the store wakes nobody for it. */
import { type Command, loggedIn } from '../command.ts'
import { spMailbox } from '../grammar/mailbox.ts'
import type { Session } from '../session/session.ts'

async function change(session: Session, name: string, subscribed: boolean): Promise<undefined> {
  const { mail, signals } = session.service
  await mail.subscribe(session.user.id, name, subscribed)
  session.notifier?.told.subscribed(name, subscribed)
  signals.namesChanged(session.user.id)
}

/** The name need not be that of a mailbox: subscriptions outlive deletion (RFC 9051 §6.3.7). */
export const subscribe = {
  name: 'SUBSCRIBE',
  rfc: 'RFC 9051 §6.3.7',
  states: loggedIn,
  effects: {},
  parse: spMailbox,
  run: (session, name) => change(session, name, true),
} satisfies Command<string>

export const unsubscribe = {
  name: 'UNSUBSCRIBE',
  rfc: 'RFC 9051 §6.3.8',
  states: loggedIn,
  effects: {},
  parse: spMailbox,
  run: (session, name) => change(session, name, false),
} satisfies Command<string>
