import { type Command, loggedIn } from '../command.ts'
import type { Extension } from '../extension.ts'
import { eventGroups, nothingWanted, type Wanted } from '../notify/groups.ts'
import { Notifier } from '../notify/notifier.ts'
import { bad, no } from '../refusal.ts'
import type { Session } from '../session/session.ts'

/** NOTIFY: a session says what it wants to be told, of which mailboxes, without asking and without IDLE. */

interface Args {
  wanted: Wanted
  status: boolean
}

async function run(session: Session, { wanted, status }: Args): Promise<undefined> {
  const events = supported(session)
  const metadata = wanted.groups.some((group) => group.metadata || group.serverMetadata)
  if (wanted.unknown.length > 0 || (metadata && !session.service.registry.has('METADATA'))) {
    throw no(`BADEVENT (${events.join(' ')})`, 'There are only these events')
  }
  const next = new Notifier(session, wanted)
  try {
    await next.begin(status)
    // RFC 5465 §3.1: an implicit NOOP, as before the first NOTIFY.
    await session.refresh()
    await session.tellMore()
  } catch (error) {
    next[Symbol.dispose]()
    throw error
  }
  session.setNotifier(undefined)
  await session.tellChanges(true)
  // What fails here is told later, as at the end of any command: the old notifier is gone, the new one has begun.
  await session.tellResults()?.catch(session.notRead)
  session.setNotifier(next)
  return undefined
}

/** Names of events, as BADEVENT has them. */
function supported(session: Session): string[] {
  const events = ['MessageNew', 'MessageExpunge', 'FlagChange', 'MailboxName', 'SubscriptionChange']
  if (session.service.registry.has('METADATA')) events.push('MailboxMetadataChange', 'ServerMetadataChange')
  return events
}

const notify = {
  name: 'NOTIFY',
  rfc: 'RFC 5465 §3.1',
  states: loggedIn,
  effects: {},
  /** `"NOTIFY" SP ("SET" [SP "STATUS"] SP event-groups / "NONE")` */
  parse(cursor, session) {
    cursor.sp()
    const word = cursor.word('SET or NONE')
    if (word === 'NONE') return { wanted: nothingWanted, status: false }
    if (word !== 'SET') throw bad('SET or NONE expected')
    cursor.sp()
    const status = cursor.peekWord() === 'STATUS'
    if (status) {
      cursor.word()
      cursor.sp()
    }
    return { wanted: eventGroups(cursor, session), status }
  },
  run,
} satisfies Command<Args>

export const notifyExtension: Extension = {
  name: 'NOTIFY',
  rfc: 'RFC 5465',
  capabilities: [{ name: 'NOTIFY' }],
  commands: [notify],
}
