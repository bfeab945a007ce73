/**
 * One address of one host: connection, greeting, TLS by policy, EHLO, AUTH. Ends with a connection that is ready for
 * mail, or with a verdict on the address.
 *
 * Never broken: a failed handshake of opportunistic TLS costs one more connection, in clear, at once, and the journey says
 * so; where TLS is required, no octet of mail and no credential goes without it.
 * Who calls it: the opener, address by address.
 */
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  type Clock,
  type Deadline,
  type Dialer,
  isLoopback,
  type Log,
  type TlsDialOptions,
  type TlsFacts,
} from '@pennypost/model'
import {
  type ClientTimeouts,
  createSmtpClient,
  describeReply,
  type Failure,
  type SmtpClient,
  type TranscriptEvent,
} from '@pennypost/smtp'
import type { Hop } from './hop.ts'
import type { RelayLimits } from './limits.ts'
import { type NextHop, placeOf, type Tried } from './next-hop.ts'
import type { OwnHosts } from './own-hosts.ts'
import { reportedDomain, type TlsResult, type TlsSessions, tlsResultOf } from './reports/tls-sessions.ts'
import type { Route } from './routes.ts'
import { checkDane } from './tls/check-dane.ts'
import { nameFault } from './tls/tls-demand.ts'
import type { TlsHosts } from './tls/tls-hosts.ts'
import type { Security, TlsPolicy } from './tls/tls-policy.ts'
import { deferred, failed, type Verdict, verdictOf } from './verdict.ts'

export interface DialOptions {
  dialer: Dialer
  clock: Clock
  deadline: Deadline
  log: Pick<Log, 'error'>
  /** What EHLO says. */
  hostname: string
  own: OwnHosts
  limits: Pick<RelayLimits, 'connectMs'>
  /** Ends whatever is being opened. */
  stopping: AbortSignal
  /** Source addresses, at most one of each family; without one of a family the system chooses. */
  sourceAddresses?: readonly string[]
  timeouts?: Partial<ClientTimeouts>
  /** Counts how TLS went. */
  sessions?: Pick<TlsSessions, 'note'>
  /** Knows who had TLS before. */
  tlsHosts?: TlsHosts
  /** PEM of the anchors that verified TLS trusts instead of the system's. */
  ca?: readonly string[]
}

export interface Target {
  destination: string
  security: Security
  route: Route
  host: string
  address: string
  port: number
}

export type Dialled =
  | { kind: 'ready'; hop: NextHop; tried: readonly Tried[] }
  /** `unreachable`: no connection came about, or nobody spoke. `loop`: the peer calls itself what we are called. */
  | { kind: 'refused' | 'unreachable' | 'loop'; verdict: Verdict; tried: readonly Tried[] }

/** Never rejects: what goes wrong is a verdict. */
export async function dial(target: Target, policy: TlsPolicy, options: DialOptions): Promise<Dialled> {
  const first = await new Dial(target, policy, options).run()
  if (!('inClear' in first)) return first
  const inClear: TlsPolicy = { ...policy, use: 'never', check: { kind: 'none' }, reason: first.inClear }
  const again = await new Dial(target, inClear, options).run()
  if ('inClear' in again) throw new Error('a connection in clear has no handshake that can fail')
  return { ...again, tried: [...first.tried, ...again.tried] }
}

/** The same over a connection that the peer opened, as secure as it is (RFC 2645 §5). */
export async function dialOver(
  { stream, tls }: { stream: Duplex; tls: TlsFacts | undefined },
  target: Target,
  options: DialOptions,
): Promise<Dialled> {
  const policy: TlsPolicy = { use: 'never', check: { kind: 'none' }, by: 'none', reason: 'the connection turned round' }
  const running = new Dial(target, policy, options, { stream, tls: tls ?? null }).run()
  // Whoever read from it before has paused it.
  stream.resume()
  const dialled = await running
  if ('inClear' in dialled) throw new Error('a connection that has turned round begins no handshake')
  return dialled
}

/** `inClear`: opportunistic TLS failed in the handshake, for this reason. */
type Round = Dialled | { inClear: string; tried: readonly Tried[] }

class Dial {
  readonly #target: Target
  readonly #policy: TlsPolicy
  readonly #options: DialOptions
  readonly #begun: number
  readonly #lines: string[] = []
  readonly #given: Duplex | undefined
  #tls: TlsFacts | null
  /** '' until the policy has been asked: of a connection that came to nothing before, no TLS was decided. */
  #tlsReason = ''

  constructor(
    target: Target,
    policy: TlsPolicy,
    options: DialOptions,
    given?: { stream: Duplex; tls: TlsFacts | null },
  ) {
    this.#target = target
    this.#policy = policy
    this.#options = options
    this.#given = given?.stream
    this.#tls = given?.tls ?? null
    this.#begun = options.clock.elapsed()
  }

  async run(): Promise<Round> {
    let stream: Duplex
    const { use, reason } = this.#policy
    const { stopping } = this.#options
    try {
      stream = this.#given ?? (await this.#connect())
    } catch (error) {
      return this.#refuse('unreachable', deferred('4.4.1', `${this.#place}: ${this.#faultOf(error)}`))
    }
    try {
      if (use === 'implicit') stream = await this.#secure(stream)
    } catch (error) {
      const text = `${this.#place}: ${reason} wants TLS: ${this.#faultOf(error)}`
      const { name, code } = error as NodeJS.ErrnoException
      if (!stopping.aborted && name !== 'TimeoutError' && !isBroken(code)) this.#tellUnsafe(text)
      return this.#refuse('unreachable', deferred('4.7.5', text))
    }
    const client = this.#client(stream)
    const close = (): void => client.close()
    stopping.addEventListener('abort', close, { once: true })
    try {
      return await this.#greet(client)
    } finally {
      stopping.removeEventListener('abort', close)
    }
  }

  async #greet(client: SmtpClient): Promise<Round> {
    const hello = await client.hello()
    if (this.#greetsAsUs(client)) {
      client.close()
      return this.#refuse('loop', failed(554, '5.4.6', `${this.#place} greets with the name of this server`))
    }
    if (!hello.ok) return this.#greetingRefused(client, hello.failure)
    const unsecured = await this.#startTls(client)
    if (unsecured) return unsecured
    return this.#lacksRequireTls(client) ?? (await this.#authenticate(client)) ?? this.#ready(client)
  }

  get #place(): string {
    return placeOf(this.#target)
  }

  /** Of a socket without its path, which the system's message has too. */
  #faultOf(error: unknown): string {
    const { address, port } = this.#target
    const text = textOf(error)
    return port === 0 ? text.replace(` ${address}`, '') : text
  }

  #connect(): Promise<Duplex> {
    const { dialer, deadline, limits, sourceAddresses = [], stopping } = this.#options
    const { address, port } = this.#target
    const signal = deadline.signal(limits.connectMs, stopping)
    const localAddress = isLoopback(address) ? undefined : sourceAddresses.find((own) => isIP(own) === isIP(address))
    return dialer.connect({ address, port, ...(localAddress === undefined ? {} : { localAddress }) }, signal)
  }

  async #secure(stream: Duplex): Promise<Duplex> {
    this.#tlsReason = this.#policy.reason
    const { dialer, deadline, limits, stopping } = this.#options
    const secured = await dialer.secure(stream, this.#tlsOptions(), deadline.signal(limits.connectMs, stopping))
    this.#tls = secured.tls
    return secured.stream
  }

  #tlsOptions(): TlsDialOptions {
    const { ca, clock } = this.#options
    const { check, use } = this.#policy
    // Old TLS is better than none, but no place for credentials or promises (RFC 7435 §3, RFC 8996).
    const minVersion = use === 'opportunistic' ? 'TLSv1' : 'TLSv1.2'
    const servername = (check.kind === 'pkix' ? check.name : undefined) ?? this.#target.host
    const common = {
      servername,
      verify: check.kind === 'pkix',
      minVersion,
      ...(ca ? { ca } : {}),
    } as const
    if (check.kind === 'pkix' && check.names) {
      const { names } = check
      return { ...common, checkName: (peer) => nameFault(peer, names) }
    }
    if (check.kind !== 'dane') return common
    return {
      ...common,
      // RFC 7672 §8.1: a host with many names shows the certificate of this one.
      servername: check.base,
      checkPeer: (peer) => {
        this.#tlsReason = `DANE: ${checkDane(peer, check.records, check.names, clock.now())}`
      },
    }
  }

  #client(stream: Duplex): SmtpClient {
    const { dialer, deadline, clock, hostname, timeouts } = this.#options
    const client = createSmtpClient(stream, {
      dialer,
      deadline,
      clock,
      hostname,
      ...(this.#hop?.protocol ? { protocol: this.#hop.protocol } : {}),
      ...(timeouts ? { timeouts } : {}),
      onTranscript: (event) => this.#lines.push(printLine(event)),
    })
    if (this.#tls) client.secured(this.#tls)
    return client
  }

  get #hop(): Hop | undefined {
    const { route } = this.#target
    return 'hop' in route ? route.hop : undefined
  }

  /** A store beside us may well be called what we are. */
  #greetsAsUs({ greeting, capabilities }: SmtpClient): boolean {
    if (this.#hop?.protocol === 'lmtp') return false
    const named = /^\S*/.exec(greeting?.lines[0] ?? '')?.[0] ?? ''
    return [named, capabilities.hostname].some((name) => name !== '' && this.#options.own.isName(name))
  }

  /**
   * A host that turns everybody away at the door may have a neighbour that does not, and may change its mind: only 521,
   * which says that it never takes mail, is for good (RFC 7504 §3).
   */
  #greetingRefused(client: SmtpClient, failure: Failure): Dialled {
    client.close()
    const verdict = this.#verdictOf(failure)
    const final = failure.phase !== 'greeting' || failure.reply?.code === 521
    return this.#refuse(kindOf(failure), final ? verdict : { ...verdict, outcome: 'deferred' })
  }

  async #startTls(client: SmtpClient): Promise<Round | undefined> {
    const { use, reason } = this.#policy
    this.#tlsReason ||= reason
    if (use === 'never' || use === 'implicit') return undefined
    if (!client.capabilities.keywords.has('STARTTLS')) {
      this.#count('starttls-not-supported', '')
      if (use === 'required') return this.#withoutTls(client, 'STARTTLS is not offered')
      const lack = this.#options.tlsHosts?.hasLost(this.#target) ? 'not offered, as it was before' : 'not offered'
      this.#tlsReason = reason === 'opportunistic' ? lack : `${reason}; ${lack}`
      return undefined
    }
    const secured = await client.startTls(this.#tlsOptions())
    this.#tls = client.tls
    const failure = secured.ok ? undefined : secured.failure
    if (client.tls && (!failure || failure.kind === 'reply')) {
      this.#options.tlsHosts?.secured(this.#target.host)
      const { testing, fault, check } = this.#policy
      const { unverified } = client.tls
      const trouble = testing && (fault ?? unverified)
      this.#count(trouble === undefined ? 'success' : tlsResultOf(trouble), trouble ?? '')
      if (check.kind === 'pkix' || (testing && trouble === undefined))
        this.#tlsReason = `${reason}: the certificate stands`
      else if (testing && !fault) this.#tlsReason = `${reason}: the certificate does not stand (${unverified})`
    }
    if (!failure) return undefined
    // EHLO behind the handshake is as final as the one before it.
    if (client.tls && failure.kind === 'reply') return this.#greetingRefused(client, failure)
    this.#count(tlsResultOf(failure.code ?? ''), failure.code ?? failure.text)
    if (use === 'required') {
      const isLost = failure.kind !== 'tls' || isBroken(failure.code)
      return this.#withoutTls(client, wordsOf(failure), isLost, kindOf(failure))
    }
    if (client.usable) {
      this.#tlsReason = `STARTTLS refused: ${wordsOf(failure)}; in clear`
      return undefined
    }
    if (failure.kind === 'reply') return this.#refuse('refused', this.#verdictOf(failure))
    return {
      inClear: `TLS failed: ${failure.text}; in clear`,
      tried: [this.#tried(`TLS failed: ${failure.text}`)],
    }
  }

  /** For the reports. */
  #count(result: TlsResult, reason: string): void {
    const { route, security, host, address } = this.#target
    const { by, lines: policy = [] } = this.#policy
    const domain = reportedDomain(route, security)
    if (domain !== undefined) this.#options.sessions?.note({ domain, by, result, host, address, reason, policy })
  }

  /** What REQUIRETLS asks for and the peer cannot give is not to be had later either (RFC 8689 §4.2.1). */
  #withoutTls(client: SmtpClient, why: string, isLost = false, kind = kindOf()): Dialled {
    client.close()
    // OpenSSL's words, without Node's advice to whoever started it.
    const text = `${this.#place}: ${this.#policy.reason} wants TLS: ${why.replace(/; if the root CA .*$/, '')}`
    const isFinal = this.#target.security === 'required' && !isLost
    if (!isFinal && !isLost) this.#tellUnsafe(text)
    return this.#refuse(kind, isFinal ? failed(550, '5.7.30', text) : deferred('4.7.5', text))
  }

  /** What a route asks is the administrator's to mend, who sees errors in `status`; mail waits until then. */
  #tellUnsafe(error: string): void {
    const text = 'the next hop is not as safe as its route asks, and its mail waits'
    if (this.#hop) this.#options.log.error({ error }, text)
  }

  #lacksRequireTls(client: SmtpClient): Dialled | undefined {
    if (this.#target.security !== 'required' || client.capabilities.keywords.has('REQUIRETLS')) return undefined
    client.close()
    return this.#refuse(
      'refused',
      failed(550, '5.7.30', `${this.#place}: the message wants REQUIRETLS, which is not offered`),
    )
  }

  async #authenticate(client: SmtpClient): Promise<Dialled | undefined> {
    const { username, password = '' } = this.#hop ?? {}
    if (username === undefined) return undefined
    const { address, port } = this.#target
    const allowClearText = port === 0 || isLoopback(address)
    const outcome = await client.authenticate({ username, password, allowClearText })
    if (outcome.ok) return undefined
    client.close()
    const verdict = this.#verdictOf(outcome.failure)
    // Wrong credentials are the administrator's to mend, who sees errors in `status`; mail waits until then.
    if (verdict.outcome === 'failed') {
      const error = `${this.#place}: ${describeReply(verdict.reply)}`
      this.#options.log.error({ error }, 'the next hop does not take our login, and its mail waits')
    }
    return this.#refuse(kindOf(outcome.failure), { ...verdict, outcome: 'deferred' })
  }

  #ready(client: SmtpClient): Dialled {
    const { destination, security, host, address, port } = this.#target
    const openedMs = this.#elapsedMs()
    const tlsReason = this.#tlsReason
    const hop: NextHop = {
      client,
      destination,
      security,
      host,
      address,
      port,
      tlsReason,
      openedMs,
      tls: this.#tlsText(),
      dns: [],
      lines: this.#lines,
    }
    return { kind: 'ready', hop, tried: [] }
  }

  #refuse(kind: 'refused' | 'unreachable' | 'loop', verdict: Verdict): Dialled {
    return { kind, verdict, tried: [this.#tried(describeReply(verdict.reply))] }
  }

  #tried(error: string): Tried {
    const { host, address } = this.#target
    const tls = this.#tlsText()
    return {
      host,
      address,
      ...(tls === undefined ? {} : { tls }),
      ...(this.#tlsReason === '' ? {} : { tlsReason: this.#tlsReason }),
      elapsedMs: this.#elapsedMs(),
      ...(this.#lines.length > 0 ? { transcript: [...this.#lines] } : {}),
      error,
    }
  }

  #verdictOf(failure: Failure): Verdict {
    return verdictOf(failure, this.#target.host, this.#place)
  }

  #tlsText(): string | undefined {
    return this.#tls === null ? undefined : `${this.#tls.protocol} ${this.#tls.cipher}`
  }

  #elapsedMs(): number {
    return Math.round(this.#options.clock.elapsed() - this.#begun)
  }
}

/** Who has waited for minutes in vain does not ask there first the next time. */
function kindOf(failure?: Failure): 'unreachable' | 'refused' {
  return failure?.kind === 'timeout' ? 'unreachable' : 'refused'
}

/** A reply with its code, which says more than its text. */
function wordsOf({ reply: said, text }: Failure): string {
  return said ? describeReply(said) : text
}

const speakers: Record<TranscriptEvent['direction'], string> = { sent: 'C', received: 'S', note: '*' }

function printLine({ direction, line }: TranscriptEvent): string {
  return `${speakers[direction]}: ${line}`
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { name, message, code } = error as NodeJS.ErrnoException
  if (name === 'TimeoutError') return 'no answer in time'
  return code === undefined || message.includes(code) ? message : `${code} ${message}`
}

/** A handshake that broke off, which says nothing of the certificate. */
function isBroken(code: string | null | undefined): boolean {
  return ['ECONNRESET', 'ETIMEDOUT', 'EPIPE'].includes(code ?? '')
}
