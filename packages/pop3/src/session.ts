import type { Account, Log } from '@pennypost/model'
import { decodeText } from '@pennypost/sasl'
import { type Connection, drained, LineReader, type LineReading, readLines } from '@pennypost/transport'
import type { State } from './command.ts'
import { commands } from './commands/index.ts'
import type { LockHolder, MaildropLocks } from './locks.ts'
import { Maildrop } from './maildrop.ts'
import type { Pop3Options } from './options.ts'

/**
 * One client's POP3 session: AUTHORIZATION, TRANSACTION, UPDATE (RFC 1939 §3). Commands are worked one at a time, in
 * order, so that a pipelining client (RFC 2449 §6.6) gets its responses in order too.
 *
 * What must never break: a command begins when the client has taken what was said before, so that whoever does not read
 * fills a page and no more, and other sessions have had their turn; nothing is deleted unless QUIT arrived in the
 * TRANSACTION state; no octet of a clear-text line behind STLS is run after the handshake; a session that lost its
 * maildrop never touches it again.
 */
export class Session implements LockHolder {
  readonly id: string
  readonly connection: Connection
  readonly options: Pop3Options
  readonly log: Log
  state: State = 'authorization'
  maildrop: Maildrop | undefined
  /** Login name given by USER. */
  user: string | undefined
  /** RFC 6856: the client reads UTF-8 headers. */
  utf8 = false
  authFailures = 0
  lastActive: number
  /** In the middle of a multi-line response: whatever was said now would be read as a part of it. */
  midResponse = false
  #errors = 0
  #ended = false
  readonly #locks: MaildropLocks
  readonly #reader: LineReader
  #reading: LineReading | undefined
  /** A command takes its time. */
  #working = false
  /** Place and lock: free again at once when the session ends, before the client can have read its last words. */
  #held = new DisposableStack()
  /** Takes the client's next line, which answers a challenge; undefined for one that is over-long. */
  #nextLine: ((line: Buffer | undefined) => void) | undefined
  /** Lets the reader go on behind the line that is being worked. */
  #proceed: (() => void) | undefined

  constructor(connection: Connection, options: Pop3Options, locks: MaildropLocks) {
    this.connection = connection
    this.options = options
    this.log = options.log
    this.#locks = locks
    this.id = options.random.bytes(6).toString('hex')
    this.lastActive = options.clock.elapsed()
    this.#reader = new LineReader(options.limits.lineLength)
  }

  begin(): void {
    const { connection, options } = this
    connection.onDrain(() => {
      if (!this.#working || this.#nextLine) this.end(shuttingDown)
    })
    connection.idleAfter(options.limits.loginTimeoutMs, () =>
      this.end('-ERR [SYS/TEMP] There was no login for too long'),
    )
    connection.stream.on('close', () => this.#release())
    this.say(`+OK ${options.hostname} POP3 server ready`)
    this.#read()
  }

  #read(): void {
    this.#reading = readLines(this.connection.stream, this.#reader, {
      onLine: (line) => this.#line(line),
      onOverlong: () => this.#line(undefined),
      onEnd: () => this.connection.end(),
    })
  }

  /** One response line. */
  say(text: string): void {
    if (!this.#ended) this.connection.stream.write(`${text}\r\n`)
  }

  /** `-ERR`; too many of them in a row end the session. */
  refuse(text: string): void {
    this.say(`-ERR ${text}`)
    if (++this.#errors >= this.options.limits.errors) this.end('-ERR [SYS/PERM] Too many errors')
  }

  /** Ends the session without UPDATE; in the middle of a response without a word. */
  end(lastWords?: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#reading?.stop()
    this.connection.end(lastWords === undefined || this.midResponse ? undefined : `${lastWords}\r\n`)
    this.#release()
  }

  /**
   * Undefined while the client keeps up, else settles when it has taken what was said, or is gone. One that takes nothing
   * for `outputStallMs` is dropped.
   */
  drained(): Promise<void> | undefined {
    const { deadline, limits } = this.options
    return drained(this.connection.stream, deadline, limits.outputStallMs)?.then(() => this.#markActive())
  }

  get ended(): boolean {
    return this.#ended || this.connection.closed
  }

  evicted(): void {
    this.log.info({ session: this.id, login: this.maildrop?.account.login }, 'maildrop taken over by a newer session')
    this.end('-ERR [IN-USE] Another session has taken over this maildrop')
  }

  /** Sends a challenge; the client's next line is the answer to it, not a command. Undefined when that is over-long. */
  async challenge(text: string): Promise<Buffer | undefined> {
    this.say(text)
    return new Promise((resolve) => {
      this.#nextLine = resolve
      this.#proceed?.()
    })
  }

  /** RFC 2595 §4: nothing the client said before counts afterwards. */
  async startTls(): Promise<void> {
    this.#reading?.stop()
    this.#reader.clear()
    this.user = undefined
    this.utf8 = false
    await this.connection.startTls('+OK Begin TLS\r\n')
    this.connection.stream.on('close', () => this.#release())
    // Not before the command is done: a line that has come with the handshake would be worked beside it.
    this.#proceed = () => this.#read()
  }

  /** Enters the TRANSACTION state, or refuses with the reason of RFC 2449 §8.1.1. */
  async enter(account: Account, actor: Account): Promise<void> {
    const { options } = this
    using held = new DisposableStack()
    const place = held.use(
      options.admit(account.id, actor.id, () =>
        this.end('-ERR [SYS/PERM] The administrator has ended the sessions of this account'),
      ),
    )
    if (!place) return this.refuse('[IN-USE] Too many sessions of this account')
    const lock = held.use(await this.#locks.take(account.id, this))
    if (!lock || this.ended) return this.refuse('[IN-USE] Maildrop is in use by another session')
    try {
      const { store, log, limits } = options
      this.maildrop = await Maildrop.open({ store, log, limit: limits.messages }, account)
    } catch (error) {
      this.log.error({ session: this.id, err: error }, 'maildrop not opened')
      return this.refuse('[SYS/TEMP] Maildrop is not available now')
    }
    this.#held = held.move()
    if (this.ended) return this.#release()
    this.state = 'transaction'
    this.connection.leaveAddressLimit()
    this.connection.idleAfter(options.limits.idleTimeoutMs, () => this.end('-ERR [SYS/TEMP] Idle too long'))
    const remote = this.connection.remote.address
    this.log.info({ service: 'pop3', session: this.id, login: account.login, remote }, 'logged in')
    const { length } = this.maildrop.messages
    this.say(`+OK ${length} ${length === 1 ? 'message' : 'messages'}`)
  }

  /** The client has said something, or taken what was said. One deadline for all that comes before a login. */
  #markActive(): void {
    this.lastActive = this.options.clock.elapsed()
    if (this.state === 'transaction') this.connection.active()
  }

  /** Works one line; undefined stands for an over-long one. */
  #line(line: Buffer | undefined): void | Promise<void> {
    this.#markActive()
    const began = this.lastActive
    const turn = Promise.withResolvers<void>()
    this.#proceed = turn.resolve
    const waiting = this.#nextLine
    this.#nextLine = undefined
    if (waiting) waiting(line)
    else {
      const running = this.#run(line)
      if (!(running instanceof Promise)) return this.drained() ?? this.options.turns.over(began)
      void this.#settle(running, began)
    }
    return turn.promise
  }

  /** Lets the next line come when the command is done; our own trouble is temporary, whole in the log. */
  async #settle(running: Promise<void>, began: number): Promise<void> {
    this.#working = true
    try {
      await running
    } catch (error) {
      this.log.error({ session: this.id, err: error }, 'command failed')
      if (this.midResponse) this.end()
      this.say('-ERR [SYS/TEMP] Internal error, try again later')
    }
    await this.drained()
    await this.options.turns.over(began)
    // From now on it is the client's time that runs.
    this.#markActive()
    this.#working = false
    if (this.connection.draining) this.end(shuttingDown)
    if (!this.#ended) this.#proceed?.()
  }

  #run(line: Buffer | undefined): void | Promise<void> {
    if (line === undefined) return this.refuse('Line too long')
    const text = decodeText(line)
    if (text === undefined || /[\x00-\x08\x0a-\x1f\x7f]/.test(text)) return this.refuse('Not a POP3 command')
    const [, keyword = '', argument = ''] = /^(\S*)[ \t]?(.*)$/s.exec(text) ?? []
    const command = commands.get(keyword.toUpperCase())
    // A browser that was made to talk to this port: what follows is somebody else's text, and is not to be run.
    if (!command && / HTTP\/\d/.test(argument)) return this.end('-ERR This is not a web server')
    if (!command) return this.refuse('Unknown command')
    if (!command.states.includes(this.state)) {
      return this.refuse(this.state === 'authorization' ? 'Log in first' : 'Already logged in')
    }
    const errors = this.#errors
    const done = command.run(this, argument)
    const settle = (): void => {
      if (this.#errors === errors) this.#errors = 0
    }
    if (done instanceof Promise) return done.then(settle)
    settle()
  }

  #release(): void {
    this.#ended = true
    this.#held.dispose()
    const { maildrop } = this
    this.maildrop = undefined
    maildrop?.[Symbol.asyncDispose]().catch((error: unknown) => {
      this.log.error({ session: this.id, err: error }, 'maildrop not closed')
    })
  }
}

const shuttingDown = '-ERR [SYS/TEMP] Server is shutting down'
