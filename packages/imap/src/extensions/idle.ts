import { always, type Command, loggedIn, noArguments } from '../command.ts'
import type { Extension } from '../extension.ts'
import { bad } from '../refusal.ts'
import type { Session } from '../session/session.ts'

/**
 * IDLE: changes are told as soon as they are committed, until the client says DONE. A word now and then keeps
 * middleboxes from forgetting the connection; a client that does not read is dropped before its backlog grows.
 */
const idle = {
  name: 'IDLE',
  rfc: 'RFC 2177 §3',
  states: loggedIn,
  effects: {},
  parse: noArguments,
  async run(session) {
    const { deadline, limits } = session.service
    session.out.text('+ idling\r\n')
    const { notifier } = session
    let more: Promise<void> | undefined
    // RFC 5465 §4: the same events as without IDLE, where NOTIFY has asked for some.
    if (notifier) notifier.idle()
    else {
      await begin(session)
      session.view?.watch(() => {
        push(session)
        more = pushMore(session) ?? more
      })
    }
    const stillHere = (): void => {
      if (!notifier?.isTelling) session.untagged('OK Still here')
      session.out.flush()
      timer = deadline.after(limits.stillHereMs, stillHere)
    }
    let timer = deadline.after(limits.stillHereMs, stillHere)
    try {
      const line = await session.readLine()
      if (line && line.toString('latin1').toUpperCase() !== 'DONE') throw bad('DONE expected')
    } finally {
      timer[Symbol.dispose]()
      if (!notifier) session.view?.watch(undefined)
      // Nothing may be said in the midst of what the next command answers.
      await (notifier ? notifier.idleEnded() : more)
    }
    return { text: 'IDLE completed' }
  },
} satisfies Command<undefined>

/** What there is to tell already. */
async function begin(session: Session): Promise<void> {
  await session.refresh().catch(() => {})
  await session.tellMore()?.catch(() => {})
  session.tellChanges(true)
  await session.tellResults()?.catch(() => {})
}

function push(session: Session): void {
  session.tellChanges(true)
  if (session.view?.open.deleted) {
    session.bye('The selected mailbox was deleted')
    session.giveLine(undefined)
  }
  session.out.flush()
  if (session.out.backlog > session.service.limits.outputBacklog) session.connection.destroy()
}

/** The rest, once the store has told it; it never rejects. */
function pushMore(session: Session): Promise<void> | undefined {
  const more = session.tellMore()
  const results = session.tellResults()
  if (!more && !results) return undefined
  return Promise.all([more, results]).then(
    () => session.out.flush(),
    (error) => session.log.warn({ error: String(error) }, 'changes could not be read'),
  )
}

export const idleExtension: Extension = {
  name: 'IDLE',
  rfc: 'RFC 2177',
  capabilities: [{ name: 'IDLE', states: always }],
  commands: [idle],
}
