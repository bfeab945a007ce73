import type { Duplex } from 'node:stream'
import type { TlsDialOptions, TlsFacts } from '@pennypost/model'
import { type Capabilities, noCapabilities, parseCapabilities } from '../capabilities.ts'
import { isPermanent, isPositive, type Reply } from '../reply.ts'
import { authenticate, type Credentials } from './authenticate.ts'
import { composeEnvelope } from './envelope.ts'
import { type Failure, failure, type Outcome, replyFailure } from './failure.ts'
import type { ClientOptions } from './options.ts'
import type { TransactionRequest, TransactionResult } from './request.ts'
import { Session } from './session.ts'
import { Transaction } from './transaction.ts'
import { defaultTranscriptLimits, Transcript } from './transcript.ts'
import { Wire } from './wire.ts'

/**
 * Our SMTP and LMTP client: one connection that the caller has opened, any number of transactions over it.
 * Order of calls: `hello`, if wanted `startTls` and `authenticate`, then `transact` as often as `usable`, `quit`.
 * One call at a time. Failures are values; only a wrong order of calls throws. The connection belongs to the client
 * from here on: every failure but a plain refusal destroys it.
 * Who calls it: the relay, for next hops, smarthosts and LMTP stores.
 */
export function createSmtpClient(stream: Duplex, options: ClientOptions): SmtpClient {
  return new SmtpClient(stream, options)
}

/** Of mail that might be sent. */
export interface ProbeEnvelope {
  reversePath: string
  forwardPath: string
  requireTls: boolean
}

/** What a peer said to one recipient. */
export interface Probed {
  mail: Reply | null
  rcpt: Reply | null
  failure: Failure | null
}

export class SmtpClient {
  readonly #wire: Wire
  readonly #options: ClientOptions
  readonly #session: Session
  #greeting: Reply | null = null
  #busy = false

  constructor(stream: Duplex, options: ClientOptions) {
    // It goes into a command line: a line end in it would be a command of its own.
    if (!/^[^\s\x00-\x1f\x7f]+$/.test(options.hostname)) throw new TypeError('hostname is not one word')
    this.#options = options
    this.#session = new Session(options)
    const { onTranscript: sink, clock } = options
    this.#wire = new Wire(stream, {
      deadline: options.deadline,
      transcript: sink
        ? new Transcript(sink, () => clock.elapsed(), options.limits?.transcript ?? defaultTranscriptLimits)
        : null,
    })
  }

  /** The peer's first word; its first line begins with the name that the peer gives itself. */
  get greeting(): Reply | null {
    return this.#greeting
  }

  get capabilities(): Capabilities {
    return this.#session.capabilities
  }

  get tls(): TlsFacts | null {
    return this.#session.tls
  }

  /** Whether another transaction can be begun. */
  get usable(): boolean {
    return this.#wire.down === null && !this.#busy && this.#session.mayGoOn
  }

  /** The connection ended otherwise than by us, and not behind a transaction: it broke, fell silent, or the peer said 421. */
  get isBroken(): boolean {
    const { down } = this.#wire
    return down !== null && down.kind !== 'local' && !(down.phase === 'idle' && this.transactions > 0)
  }

  /** The connection ended because the peer was silent for longer than its phase allows. */
  get hasStalled(): boolean {
    return this.#wire.down?.kind === 'timeout'
  }

  /**
   * The peer offered CHUNKING and answered BDAT as if it were no command. The connection is over, since what followed may
   * have been taken for commands; another one is to be used with `byData`.
   */
  get refusesBdat(): boolean {
    return this.#session.refusesBdat
  }

  /** Transactions begun on this connection. */
  get transactions(): number {
    return this.#session.transactions
  }

  /** For a stream that is secured already (implicit TLS): call before `hello`. */
  secured(tls: TlsFacts): void {
    this.#session.tls = tls
  }

  /** Takes the greeting and says EHLO, then HELO where that is refused (RFC 5321 §3.2), or LHLO. */
  hello(): Promise<Outcome<{ capabilities: Capabilities }>> {
    return this.#exclusively(async () => {
      const greeting = await this.#wire.ask('greeting', this.#session.timeouts.greetingMs, null)
      if (!greeting.ok) return greeting
      this.#greeting = greeting.reply
      if (greeting.reply.code === 220) return this.#ehlo()
      return { ok: false, failure: replyFailure('greeting', greeting.reply) }
    })
  }

  /**
   * STARTTLS, handshake, EHLO again. A refusal leaves the connection usable in clear; anything behind it ends it.
   * Octets that came in clear behind the 220 end it too: somebody put them there (RFC 3207 §6, CVE-2011-0411).
   */
  startTls(options: TlsDialOptions): Promise<Outcome<{ tls: TlsFacts; capabilities: Capabilities }>> {
    return this.#exclusively(async () => {
      const { timeouts } = this.#session
      if (!this.#session.offers('STARTTLS')) {
        return { ok: false, failure: failure('unsupported', 'starttls', '5.7.4', 'peer does not offer STARTTLS') }
      }
      const asked = await this.#wire.ask('starttls', timeouts.helloMs, 'STARTTLS', { last: true })
      if (!asked.ok) return asked
      if (asked.reply.code !== 220) return { ok: false, failure: replyFailure('starttls', asked.reply) }
      const stream = this.#wire.detach()
      if (stream === null) return { ok: false, failure: this.#wire.down! }
      try {
        const secured = await this.#options.dialer.secure(
          stream,
          options,
          this.#options.deadline.signal(timeouts.tlsMs),
        )
        if (this.#wire.down !== null) secured.stream.destroy()
        else this.#wire.attach(secured.stream)
        this.#session.tls = secured.tls
        this.#session.needsReset = false
      } catch (error) {
        this.#wire.fail(handshakeFailure(error as NodeJS.ErrnoException, timeouts.tlsMs))
        return { ok: false, failure: this.#wire.down! }
      }
      const { protocol, cipher } = this.#session.tls
      this.#wire.transcript?.note('starttls', `${protocol} ${cipher}`)
      const hello = await this.#ehlo()
      return hello.ok ? { ...hello, tls: this.#session.tls } : hello
    })
  }

  /** AUTH with PLAIN, or LOGIN where the peer has only that; in clear only if the caller says so (RFC 4954 §4). */
  authenticate(credentials: Credentials): Promise<Outcome<{ mechanism: string }>> {
    return this.#exclusively(() => authenticate(this.#wire, this.#session, credentials))
  }

  /** One mail transaction. Never rejects: what became of each recipient is in the result. */
  transact(request: TransactionRequest): Promise<TransactionResult> {
    return this.#exclusively(() => {
      this.#wire.transcript?.begin()
      this.#session.transactions++
      return new Transaction(this.#wire, this.#session, request).run()
    })
  }

  /**
   * MAIL and RCPT, one after the other, and RSET: what the peer says to this recipient, without any content. `failure`:
   * why one of them could not be asked or was not answered.
   */
  probe({ reversePath, forwardPath, requireTls }: ProbeEnvelope): Promise<Probed> {
    return this.#exclusively(async () => {
      const { timeouts } = this.#session
      const recipients = [{ forwardPath }]
      const request = { reversePath, recipients, body: Buffer.alloc(0), size: null, requireTls }
      const envelope = composeEnvelope(request, this.#session.envelopeContext())
      const probed: Probed = { mail: null, rcpt: null, failure: null }
      if ('kind' in envelope) return { ...probed, failure: envelope }
      const [rcpt] = envelope.rcpts
      if (typeof rcpt !== 'string') return { ...probed, failure: rcpt ?? null }
      const mail = await this.#wire.ask('mail', timeouts.mailMs, envelope.mail)
      if (!mail.ok) return { ...probed, failure: mail.failure }
      if (!isPositive(mail.reply)) return { ...probed, mail: mail.reply, failure: replyFailure('mail', mail.reply) }
      const asked = await this.#wire.ask('rcpt', timeouts.rcptMs, rcpt)
      if (!asked.ok) return { ...probed, mail: mail.reply, failure: asked.failure }
      await this.#wire.ask('rset', timeouts.rsetMs, 'RSET')
      return { mail: mail.reply, rcpt: asked.reply, failure: null }
    })
  }

  /** Says QUIT and closes, whatever the peer says to it. */
  quit(): Promise<void> {
    return this.#exclusively(async () => {
      if (this.#wire.down === null) await this.#wire.ask('quit', this.#session.timeouts.quitMs, 'QUIT')
      this.close()
    })
  }

  /** Ends the connection at once; a call in flight gets a failure of kind `local`. */
  close(): void {
    this.#wire.fail(failure('local', 'idle', '4.3.2', 'closed by this side'))
  }

  async #ehlo(): Promise<Outcome<{ capabilities: Capabilities }>> {
    const { timeouts, lmtp } = this.#session
    this.#session.capabilities = noCapabilities
    let asked = await this.#wire.ask('hello', timeouts.helloMs, `${lmtp ? 'LHLO' : 'EHLO'} ${this.#options.hostname}`)
    const extended = asked.ok && asked.reply.code === 250
    if (asked.ok && isPermanent(asked.reply) && !lmtp) {
      asked = await this.#wire.ask('hello', timeouts.helloMs, `HELO ${this.#options.hostname}`)
    }
    if (!asked.ok) return asked
    if (asked.reply.code !== 250) return { ok: false, failure: replyFailure('hello', asked.reply) }
    const { lines } = asked.reply
    const capabilities = parseCapabilities(extended ? asked.reply : { ...asked.reply, lines: lines.slice(0, 1) })
    this.#session.capabilities = capabilities
    return { ok: true, capabilities }
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) throw new Error('the client is busy with another call')
    this.#busy = true
    try {
      return await work()
    } finally {
      this.#busy = false
    }
  }
}

/** A peer that is silent in the handshake says nothing about its certificate, nor about what it has to offer. */
function handshakeFailure(
  error: NodeJS.ErrnoException & { library?: string; reason?: string },
  tlsMs: number,
): Failure {
  const { name, message, code, library, reason } = error
  if (name === 'TimeoutError') return failure('timeout', 'starttls', '4.4.2', `no TLS session within ${tlsMs} ms`)
  // OpenSSL's message names a thread and a line of its source; its reason is what is for people.
  const words = library === undefined ? message : (reason ?? message)
  return failure('tls', 'starttls', '4.7.5', words, { code })
}
