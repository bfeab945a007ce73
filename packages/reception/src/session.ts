import { type Account, createJourneyId, type JourneyId, type Log } from '@pennypost/model'
import { greetingReply, isPermanent, printReply, type Reply, replies, splitCommandLine } from '@pennypost/smtp'
import type { Connection } from '@pennypost/transport'
import type { Command } from './command.ts'
import { commands } from './commands/index.ts'
import type { ReceptionOptions, Service } from './options.ts'
import type { Transaction } from './transaction.ts'
import type { WireHandler } from './wire/connection.ts'
import type { OctetReader } from './wire/stream.ts'

/**
 * One client's session: who it is, what it may do, the transaction it is in, the errors it has left. Commands read and
 * change it; the wire calls it. It knows no socket: `Wire` is all it has of one.
 *
 * What must never break: a reply for every command, in order; nothing learnt before STARTTLS is believed after it
 * (RFC 3207 §4.2); no command runs for a client that was told 421.
 */
export interface Wire {
  say(text: string): void
  receive(reader: OctetReader): void
  startTls(goAhead: string): Promise<void>
  close(): void
}

export class Session implements WireHandler {
  readonly id: string
  readonly service: Service
  readonly connection: Connection
  readonly options: ReceptionOptions
  readonly log: Log
  readonly commands = commands
  wire!: Wire
  /** Argument of HELO, EHLO or LHLO. */
  hello: string | undefined
  /** EHLO or LHLO was said, not HELO. */
  extended = false
  account: Account | undefined
  /** The account came from `[submission] trusted`, not from AUTH. */
  trusted = false
  transaction: Transaction | undefined
  transactions = 0
  authFailures = 0
  #errors = 0
  #nextLine: ((line: Buffer) => void) | undefined
  /** The wire's callback for the line that is being worked. */
  #next: (() => void) | undefined
  #ended = false
  /** An acceptance whose 250 the client has not yet shown to have read. */
  #unconfirmed: JourneyId | undefined
  readonly #onClose: (() => void)[] = []

  constructor(service: Service, connection: Connection, options: ReceptionOptions) {
    this.service = service
    this.connection = connection
    this.options = options
    this.id = options.random.bytes(6).toString('hex')
    this.log = options.log
  }

  get isLmtp(): boolean {
    return this.service === 'lmtp'
  }

  /** Mail that its author hands in (RFC 6409), rather than mail that another server hands on. */
  get isSubmission(): boolean {
    return this.account !== undefined
  }

  get secure(): boolean {
    return this.connection.tls !== undefined
  }

  get ended(): boolean {
    return this.#ended
  }

  begin(): void {
    const { remote } = this.connection
    this.trust()
    this.log.debug({ session: this.id, service: this.service, remote: remote.address }, 'session begins')
    this.connection.onDrain(() => {
      // Between transactions nothing is lost by ending now; a running one ends first (`endTransaction`).
      if (!this.transaction) this.end(replies.shuttingDown)
    })
    if (!this.#ended) this.reply(greetingReply(this.options.hostname, this.isLmtp ? 'LMTP' : 'ESMTP'))
  }

  /** Configured devices are taken for their account without AUTH. */
  trust(): void {
    const trusted = this.isLmtp ? undefined : this.options.trusted.get(this.connection.remote.address)
    if (!trusted) return
    this.account = trusted
    this.trusted = true
  }

  line(line: Buffer, next: () => void): void {
    if (this.#ended) return
    this.#unconfirmed = undefined
    this.#next = next
    const waiting = this.#nextLine
    if (waiting) {
      this.#nextLine = undefined
      waiting(line)
    } else this.answer(this.#run(line), () => this.#proceed())
  }

  /** Lets the wire read on behind the line that was worked last. */
  #proceed(): void {
    const next = this.#next
    this.#next = undefined
    next?.()
  }

  lineTooLong(next: () => void): void {
    // An over-long answer of AUTH is as good as a cancelled one.
    if (this.#nextLine) this.line(Buffer.from('*'), next)
    else this.answer(replies.lineTooLong, next)
  }

  idle(): void {
    this.end(replies.idleTooLong)
  }

  closed(orderly: boolean): void {
    this.#ended = true
    if (!orderly) this.#unconfirm()
    this.transaction = undefined
    for (const tell of this.#onClose.splice(0)) tell()
    this.log.debug({ session: this.id, service: this.service }, 'session ends')
  }

  /** A 250 is about to be said: should the connection break before the client speaks again, it may not have read it. */
  confirmable(journey: JourneyId): void {
    this.#unconfirmed = journey
    if (this.#ended) this.#unconfirm()
  }

  #unconfirm(): void {
    const journey = this.#unconfirmed
    if (!journey) return
    this.#unconfirmed = undefined
    const { store, clock } = this.options
    store.mail
      .unconfirm(journey, clock.now())
      .catch((error: unknown) => this.log.error({ session: this.id, journey, err: error }, 'unconfirm failed'))
  }

  /** `tell` runs when the socket is gone. */
  onClose(tell: () => void): void {
    if (this.#ended) tell()
    else this.#onClose.push(tell)
  }

  /** Takes a `tell` of `onClose` back. */
  offClose(tell: () => void): void {
    const at = this.#onClose.indexOf(tell)
    if (at >= 0) this.#onClose.splice(at, 1)
  }

  /** The next line of the client is not a command but an answer to what was just said (AUTH). */
  nextLine(): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#nextLine = resolve
      this.#proceed()
    })
  }

  reply(reply: Reply): void {
    if (this.#ended) return
    if (reply.code === 421) {
      this.end(reply)
      return
    }
    this.wire.say(printReply(reply))
    if (isPermanent(reply) && ++this.#errors >= this.options.limits.errors) this.end(replies.tooManyErrors)
  }

  /** The last reply of the session. */
  end(reply: Reply): void {
    if (this.#ended) return
    this.#ended = true
    this.wire.say(printReply(reply))
    this.wire.close()
  }

  /** A fresh journey for a transaction that begins now. */
  newJourney() {
    return createJourneyId(this.options.clock.now(), this.options.random)
  }

  /** Forgets the transaction (RSET, a new hello, an ended one). */
  reset(): void {
    this.transaction = undefined
    if (this.connection.draining) this.end(replies.shuttingDown)
  }

  /** TLS begins: nothing that was said before counts (RFC 3207 §4.2). */
  forget(): void {
    this.transaction = undefined
    this.hello = undefined
    this.extended = false
    if (!this.trusted) this.account = undefined
  }

  /** Gives the reply that `outcome` has or comes to, then lets the wire go on. Our own trouble is 451, whole in the log. */
  answer(outcome: ReturnType<Command['run']>, next: () => void): void {
    if (!(outcome instanceof Promise)) {
      if (outcome) this.reply(outcome)
      if (!this.#ended) next()
      return
    }
    outcome.then(
      (reply) => this.answer(reply, next),
      (error: unknown) => {
        this.log.error({ session: this.id, err: error }, 'command failed')
        this.answer(replies.localError, next)
      },
    )
  }

  #run(line: Buffer): ReturnType<Command['run']> {
    const split = splitCommandLine(line)
    if (!split.ok) return split.reply
    const { verb, argument } = split.value
    if (/^(GET|POST|PUT|HEAD|OPTIONS|CONNECT|DELETE|TRACE|PATCH)$/.test(verb) && / HTTP\/\d/.test(argument)) {
      // A browser made to talk to us: nothing it says is meant for a mail server.
      this.end({ ...replies.serviceUnavailable, lines: ['This is not a web server'] })
      return undefined
    }
    const command = commands.get(verb)
    if (!command || (command.services && !command.services.includes(this.service))) return replies.unknownCommand
    if (command.needsHello && this.hello === undefined) return replies.sayHelloFirst
    if (command.needsAuth && this.options.requireAuth(this.service) && !this.account) {
      return this.secure || !this.options.requireTlsForAuth ? replies.authRequired : replies.tlsRequired
    }
    if (command.bare && argument !== '') return replies.badArgument
    return command.run(this, argument)
  }
}
