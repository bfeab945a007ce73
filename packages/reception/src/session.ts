import type { Duplex } from 'node:stream'
import {
  type Account,
  createJourneyId,
  type FlowFact,
  type JourneyId,
  type Log,
  type Random,
  StoreError,
  type Timer,
} from '@pennypost/model'
import { greetingReply, isPermanent, printReply, type Reply, replies, reply, withText } from '@pennypost/smtp'
import { type Connection, networkOf, type Refusal } from '@pennypost/transport'
import { Screening } from './checks/screening.ts'
import type { Outcome } from './command.ts'
import { commands } from './commands/index.ts'
import { reportBrokenOff } from './conclude.ts'
import { Confirmation } from './confirmation.ts'
import type { ContentReader } from './content.ts'
import { ErrorBudget } from './error-budget.ts'
import type { FilteredService } from './filters/filter.ts'
import type { ReceptionOptions, Service } from './options.ts'
import { runCommand } from './run-command.ts'
import type { SubmissionQuota } from './submission-limits.ts'
import type { Transaction } from './transaction.ts'
import type { WireHandler } from './wire/connection.ts'
import type { OctetReader } from './wire/stream.ts'

/**
 * One client's session: who it is, what it may do, the transaction it is in, the errors it has left. Commands read and
 * change it; the wire calls it. It knows no socket: `Wire` is all it has of one.
 *
 * What must never break: a reply for every command, in order; nothing learnt before STARTTLS is believed after it
 * (RFC 3207 §4.2); no command runs for a client that was told 421; staged content and timers end with the transaction
 * and the session, however these end; nothing that a command does wrong reaches the process.
 */
export interface Wire {
  /** Replies as they are printed; those of one turn leave together. */
  say(text: string): void
  /** What follows the current command goes to `reader`. */
  receive(reader: OctetReader): void
  /** Says `goAhead` and makes the handshake; rejects when there is none, and then the connection is gone. */
  startTls(goAhead: string): Promise<void>
  /** Says what is left to say, and ends the connection. */
  close(): void
  /** Says what is left to say, and lets go of the connection, which goes on. */
  handOver(): Duplex
  /** Octets that the client has sent so far, Infinity once it has ended its side. */
  arrived(): number
  /** Octets of them that have been worked. */
  taken(): number
}

/** What all sessions of a listener share. */
export interface SessionContext {
  readonly service: Service
  readonly options: ReceptionOptions
  readonly random: Random
  /** Whether the client at this address may say for whom it speaks (XCLIENT, XFORWARD). */
  mayNameClient(address: string): boolean
  /** Whether the mail of this client is checked; absent: nobody's. */
  isChecked?(address: string): boolean
}

/** Who the mail comes from: the peer of the socket, or whom a trusted proxy speaks for. */
export interface Client {
  readonly address: string
  readonly port: number
  /** What it called itself, where a proxy says so (XCLIENT). */
  readonly helo?: string
}

/** How a session came about. */
export interface Origin {
  readonly connection: Connection
  /** The client does not count against its address any more. */
  leaveAddressLimit(): void
  /** From now on it counts against this address, not against that of its proxy; the reason when it is one too many. */
  countAs(address: string): Refusal | undefined
}

export class Session implements WireHandler {
  readonly id: string
  readonly service: Service
  readonly connection: Connection
  readonly options: ReceptionOptions
  /** Names the session in each line. */
  readonly log: Log
  readonly commands = commands
  readonly errors: ErrorBudget
  readonly origin: Origin
  wire!: Wire
  client: Client
  /** What a trusted relay says of the client behind it, for journeys only (XFORWARD); of one transaction, as Postfix has it. */
  forwarded: { address?: string; helo?: string } | undefined
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
  readonly #context: SessionContext
  #following: Disposable | undefined
  #nextLine: ((line: Buffer | undefined) => void) | undefined
  /** The wire's callback for what is being worked: while it is there, the client waits for us. */
  #next: (() => void) | undefined
  #reader: ContentReader | undefined
  #quietMs = 0
  #tarpit: Timer | undefined
  #loginEnd: Timer | undefined
  /** Ends the session behind the reply to what is being worked. */
  #lastWord: Reply | undefined
  #transactionEnd: Timer | undefined
  #ended = false
  readonly #confirmation = new Confirmation((journey) => this.#unconfirm(journey))
  #screening: Screening | undefined
  #filtering: Screening | undefined

  constructor(context: SessionContext, origin: Origin) {
    const { service, options, random } = context
    this.#context = context
    this.service = service
    this.connection = origin.connection
    this.client = origin.connection.remote
    this.origin = origin
    this.options = options
    this.id = random.bytes(6).toString('hex')
    this.log = options.log.child({ session: this.id })
    this.errors = new ErrorBudget(options.limits)
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

  /** Neither logged in, nor trusted, nor a neighbour that hands on by LMTP: whom errors cost time. */
  get isStranger(): boolean {
    return this.account === undefined && !this.isLmtp
  }

  /** A proxy speaks for a client of whom it knows no address (XCLIENT). */
  get isOfUnknown(): boolean {
    return this.client.address === '' && this.client !== this.connection.remote
  }

  /** Whether who connected, by whatever proxy that speaks the PROXY protocol, may say for whom it speaks. */
  get mayNameClient(): boolean {
    return this.#context.mayNameClient(this.connection.remote.address)
  }

  /** What is checked of this client's mail now; undefined when nothing is. */
  get screening(): Screening | undefined {
    if (this.account === undefined) return this.#screening
    this.#filtering ??= this.#filtersFor('submission')
    return this.#filtering
  }

  begin(): void {
    this.log.debug({ service: this.service, remote: this.client.address }, 'session begins')
    // Between transactions nothing is lost by ending now; a running one ends first, and its reply is the last but one.
    this.connection.onDrain(() => {
      if (!this.transaction) this.end(replies.shuttingDown)
    })
    this.connection.onCutOff(() => {
      if (!this.transaction?.committing) this.end(replies.shuttingDown)
    })
    const { requireAuth, deadline, limits } = this.options
    if (requireAuth(this.service)) this.#loginEnd = deadline.after(limits.loginTimeoutMs, () => this.#loginDue())
    this.greet()
  }

  /** The banner, for a client that may have become another one. */
  greet(): void {
    // Who fetches mail logs in: what waits goes to whoever is at the other end (RFC 2645 §5.1).
    const account = this.isLmtp || this.service === 'odmr' ? undefined : this.options.trusted.get(this.client.address)
    this.identify(account, account !== undefined)
    if (account) this.origin.leaveAddressLimit()
    this.#screen()
    this.reply(greetingReply(this.options.hostname, this.isLmtp ? 'LMTP' : 'ESMTP'))
  }

  /** Who the client is from now on; the session ends when that account, or who acts for it, is suspended or removed. */
  identify(account: Account | undefined, trusted = false, actor = account): void {
    // The client left while its password was being checked.
    if (this.#ended) return
    this.#following?.[Symbol.dispose]()
    this.account = account
    this.trusted = trusted
    if (account) this.#lastWord = undefined
    this.#following = account && actor && this.options.follow?.(account.id, actor.id, () => this.#close())
  }

  /** A message that is being stored gets its reply. */
  #close(): void {
    if (this.transaction?.committing) this.#lastWord = sessionsEnded
    else this.end(sessionsEnded)
  }

  /** Begins to look at a client whose mail is checked. */
  #screen(): void {
    this.#screening?.end()
    const { checks } = this.options
    const isChecked = this.isOfUnknown || this.#context.isChecked?.(this.client.address) === true
    if (checks && isChecked && this.service === 'smtp') this.#screening = new Screening(checks, this, 'smtp')
    else this.#screening = this.isLmtp ? this.#filtersFor('lmtp') : undefined
  }

  #filtersFor(service: FilteredService): Screening | undefined {
    const { checks } = this.options
    const isFiltered = checks?.filters?.some(({ services }) => services.includes(service)) === true
    return isFiltered ? new Screening(checks, this, service) : undefined
  }

  /** What the account may send; undefined where nothing is limited. */
  get quota(): SubmissionQuota | undefined {
    return this.account && this.options.submissionQuota
  }

  /** The client's network, by which limits and fingerprints count. */
  get network(): string {
    return this.client === this.connection.remote ? this.connection.network : networkOf(this.client.address)
  }

  // --- what the wire tells ---

  line(line: Buffer, next: () => void): void {
    this.#take(line, next)
  }

  lineTooLong(next: () => void): void {
    this.#take(undefined, next)
  }

  /** A command, or the answer that one waits for; undefined: it was too long to be kept. */
  #take(line: Buffer | undefined, next: () => void): void {
    if (this.#ended) return
    this.#confirmation.worked(this.wire.taken())
    this.#next = next
    const waiting = this.#nextLine
    this.#nextLine = undefined
    if (waiting) waiting(line && line.length <= this.options.limits.authLine ? line : undefined)
    else this.#answer(line ? this.#guarded(() => runCommand(this, line)) : replies.lineTooLong)
  }

  lineWithoutCr(): void {
    this.end(reply(521, '5.5.2', 'Lines end with CR LF'))
  }

  /** Whose turn is it? A client has its time for a command, and content a least rate; our own work takes what it takes. */
  tick(tickMs: number): void {
    const { limits } = this.options
    this.#quietMs += tickMs
    if (this.#next || this.#reader?.held) this.#quietMs = 0
    else if (this.#reader) {
      if (this.#reader.isTooSlow(tickMs, limits.minimumRate)) {
        this.end(withText(replies.idleTooLong, 'Content comes too slowly'))
      }
    } else if (this.#quietMs >= limits.idleTimeoutMs) this.end(replies.idleTooLong)
    this.connection.active()
  }

  /** One deadline for a login, whatever is said before it; what is being checked right now still counts. */
  #loginDue(): void {
    if (this.account) return
    if (this.#next) this.#lastWord = noLogin
    else this.end(noLogin)
  }

  inputEnded(): void {
    if (this.#ended) return
    this.#stop()
    this.wire.close()
  }

  closed(orderly: boolean): void {
    this.#stop()
    this.#confirmation.gone(orderly)
    this.log.debug({ service: this.service }, 'session ends')
  }

  // --- what commands do ---

  /** What follows the current command is content; `conclude` gives the reply when the reader has all of it. */
  read(reader: ContentReader, conclude: () => Outcome): void {
    this.#reader = reader
    this.wire.receive({
      push: (chunk) => this.#reading(() => reader.push(chunk), -1),
      ready: () => this.#reading(() => reader.ready(), undefined),
      end: (next) => {
        this.#reader = undefined
        if (this.#ended) return
        this.#next = next
        this.#answer(this.#guarded(conclude))
      },
    })
  }

  /** The next line of the client is not a command but an answer to what was just said (AUTH); undefined: too long. */
  nextLine(): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      this.#nextLine = resolve
      this.#proceed()
    })
  }

  /** A reply, counted when it is an error; 421 is the last one. */
  reply(reply: Reply): void {
    if (reply.code === 421) this.end(reply)
    else {
      this.say(reply)
      if (isPermanent(reply) && this.errors.count() === 'spent') this.end(replies.tooManyErrors)
    }
  }

  /** A reply, or one more of several to one command. RFC 6531 §3.7.4: only who asked for it gets more than ASCII. */
  say(reply: Reply, smtpUtf8 = this.transaction?.parameters.smtpUtf8 === true): void {
    if (this.#ended) return
    const text = printReply(reply)
    this.wire.say(smtpUtf8 ? text : text.replace(/[^\x00-\x7f]+/g, '?'))
  }

  /** The last reply of the session. */
  end(reply: Reply): void {
    if (this.#ended) return
    this.say(reply)
    this.#stop(reply)
    this.wire.close()
  }

  /** The last reply of the session; the connection goes on without it. Undefined: it has ended already. */
  handOver(reply: Reply): Duplex | undefined {
    if (this.#ended) return undefined
    this.say(reply)
    this.#stop()
    return this.wire.handOver()
  }

  /** A transaction begins; it has `transactionMs` for its end. */
  open(transaction: Transaction): void {
    this.transactions++
    this.transaction = transaction
    if (this.#transactionEnd) this.#transactionEnd.refresh()
    else {
      const { deadline, limits } = this.options
      this.#transactionEnd = deadline.after(limits.transactionMs, () => {
        // What is being worked gets its reply first.
        if (this.#next) this.#transactionEnd?.refresh()
        else if (this.transaction) this.end(withText(replies.idleTooLong, 'Transaction takes too long'))
      })
    }
  }

  /** A fresh journey for a transaction that begins now. */
  newJourney(): JourneyId {
    return createJourneyId(this.options.clock.now(), this.#context.random)
  }

  /** Forgets the transaction with all that is staged of it (RSET, a new hello, a refused chunk, the end). */
  reset(): void {
    const { intake, room, screening } = this.transaction ?? {}
    screening?.end()
    // Content that has begun to come holds its room until it is gone.
    if (intake) intake.discard()
    else room?.[Symbol.dispose]()
    this.transaction = undefined
    this.forwarded = undefined
  }

  /** TLS begins, or another client speaks: nothing that was said before counts (RFC 3207 §4.2). */
  forget(): void {
    this.reset()
    this.hello = undefined
    this.extended = false
    if (!this.trusted) this.identify(undefined)
  }

  /** A 250 is about to be said: should the connection break before the client speaks again, it may not have read it. */
  confirmable(journey: JourneyId): void {
    this.#confirmation.expect(journey, this.#ended ? Number.POSITIVE_INFINITY : this.wire.arrived())
  }

  /** Work that nobody waits for: its failure is logged. */
  detach(work: Promise<unknown>, what: string): void {
    work.catch((error: unknown) => this.log.error({ err: error }, `${what} failed`))
  }

  /** Our own trouble is temporary and generic to the client, and whole in the log. */
  trouble(error: unknown): Reply {
    if (error instanceof StoreError && error.reason === 'no-room') return replies.systemFull
    // The next time RCPT refuses who is full, or MAIL the sender who is.
    if (error instanceof StoreError && error.reason === 'over-quota') return replies.mailboxFull
    this.log.error({ err: error }, 'command failed')
    return replies.localError
  }

  /** Writes into a journey, apart from any acceptance; nobody waits for it. */
  record(journey: JourneyId, facts: readonly FlowFact[]): void {
    const { store, clock } = this.options
    const at = clock.now()
    this.detach(store.flow.record(facts.map((fact) => ({ journey, at, ...fact }))), 'journey')
  }

  #unconfirm(journey: JourneyId): void {
    const { store, clock } = this.options
    this.detach(store.mail.unconfirm(journey, clock.now()), 'unconfirm')
    this.record(journey, [{ kind: 'unconfirmed' }])
  }

  /** Nothing more is run or said; `said`: the last reply. */
  #stop(said?: Reply): void {
    this.#ended = true
    reportBrokenOff(this, said)
    this.#following?.[Symbol.dispose]()
    this.reset()
    this.#screening?.end()
    this.#filtering?.end()
    this.#reader = undefined
    this.#tarpit?.[Symbol.dispose]()
    this.#loginEnd?.[Symbol.dispose]()
    this.#transactionEnd?.[Symbol.dispose]()
  }

  /** Lets the wire read on behind what was worked last: from now on it is the client's time that runs. */
  #proceed(): void {
    const next = this.#next
    this.#next = undefined
    this.#quietMs = 0
    this.connection.active()
    next?.()
  }

  /** Gives the reply that `outcome` has or comes to, then lets the wire go on. */
  #answer(outcome: Outcome): void {
    if (!(outcome instanceof Promise)) {
      this.#respond(outcome)
      return
    }
    outcome.then(
      (reply) => this.#respond(reply),
      (error: unknown) => this.#respond(this.trouble(error)),
    )
  }

  #respond(reply: Reply | undefined): void {
    if (this.#ended) return
    const delayMs = reply && isPermanent(reply) && this.isStranger ? this.errors.delayMs : 0
    if (delayMs === 0) {
      this.#finish(reply)
      return
    }
    this.#tarpit = this.options.deadline.after(delayMs, () => this.#finish(reply))
  }

  #finish(reply: Reply | undefined): void {
    if (reply) this.reply(reply)
    if (this.#lastWord) this.end(this.#lastWord)
    if (this.connection.draining && !this.transaction) this.end(replies.shuttingDown)
    if (!this.#ended) this.#proceed()
  }

  #guarded(work: () => Outcome): Outcome {
    try {
      return work()
    } catch (error) {
      return this.trouble(error)
    }
  }

  /** Where content ends that we could not work is unknown, so nothing behind it can be read. */
  #reading<Read>(work: () => Read, otherwise: Read): Read {
    try {
      return work()
    } catch (error) {
      this.trouble(error)
      this.end(replies.serviceUnavailable)
      return otherwise
    }
  }
}

const sessionsEnded = reply(421, '4.7.0', 'The administrator has ended the sessions of this account')
const noLogin = withText(replies.idleTooLong, 'There was no login for too long')
