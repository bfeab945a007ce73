import { always, type Command, loggedIn, noArguments } from '../command.ts'
import type { Extension } from '../extension.ts'
import { bad } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import { Telling } from '../session/telling.ts'

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
    const pushing = notifier ? undefined : new Pushing(session)
    // RFC 5465 §4: the same events as without IDLE, where NOTIFY has asked for some.
    if (notifier) notifier.idle()
    else await pushing?.begin()
    const stillHere = (): void => {
      if (!(notifier ?? pushing)?.isTelling) session.untagged('OK Still here')
      session.out.flush()
      timer = deadline.after(limits.stillHereMs, stillHere)
    }
    let timer = deadline.after(limits.stillHereMs, stillHere)
    try {
      const line = await session.readLine()
      if (line && line.toString('latin1').toUpperCase() !== 'DONE') throw bad('DONE expected')
    } finally {
      timer[Symbol.dispose]()
      // Nothing may be said in the midst of what the next command answers.
      await (notifier ?? pushing)?.idleEnded()
    }
    return { text: 'IDLE completed' }
  },
} satisfies Command<undefined>

/** Tells each change as it is committed, one telling at a time: what comes meanwhile is told by the next. */
class Pushing {
  readonly #session: Session
  #due = false
  readonly #telling = new Telling(
    () => this.#tellNext().catch((error) => this.#session.host.failed(error)),
    () => this.#due,
  )

  constructor(session: Session) {
    this.#session = session
  }

  /** What there is already is told first; watched from before that is read, so that nothing falls in between. */
  async begin(): Promise<void> {
    this.#session.view?.watch(() => this.#push())
    await this.#session.refresh().catch(this.#session.notRead)
    this.#push()
  }

  get isTelling(): boolean {
    return this.#telling.isRunning
  }

  async idleEnded(): Promise<void> {
    this.#session.view?.watch(undefined)
    await this.#telling.ended()
  }

  #push(): void {
    this.#due = true
    this.#telling.start()
  }

  async #tellNext(): Promise<void> {
    const { turns } = this.#session.service
    // Thousands may idle where one commit brings something.
    for (let others = turns.over(turns.now()); others; others = turns.over(turns.now())) await others
    this.#due = false
    const began = turns.now()
    const more = this.#tell()
    void turns.over(began)
    if (more) await more
  }

  /** A promise for what takes longer; it never rejects. */
  #tell(): Promise<void> | undefined {
    const session = this.#session
    const told = session.tellChanges(true)
    session.endIfDeleted()
    session.push()
    return told ? told.then(() => this.#tellMore()) : this.#tellMore()
  }

  /** The rest, one after the other, once the store has told it. */
  #tellMore(): Promise<void> | undefined {
    const session = this.#session
    const more = session.tellMore()
    const results = more ? more.then(() => session.tellResults()) : session.tellResults()
    if (!results) return void session.push()
    return results.catch(session.notRead).then(() => session.push())
  }
}

export const idleExtension: Extension = {
  name: 'IDLE',
  rfc: 'RFC 2177',
  capabilities: [{ name: 'IDLE', states: always }],
  commands: [idle],
}
