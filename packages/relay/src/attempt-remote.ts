/**
 * One attempt at an entry over SMTP: a connection of its destination, one transaction for all recipients that get the
 * same octets, more where the peer takes fewer at once, and another connection where one breaks.
 *
 * Theory of operation. `#pending` holds who has no verdict yet. Each turn takes a connection, runs one transaction over it,
 * gives it back, and settles who has the message, lest they get it again if the process ends before the others have it. A
 * kept connection that turns out dead costs nothing but a new one; a new one that breaks sends the rest to another address,
 * if there is one; then the rest is deferred.
 *
 * Never broken: `delivered` only by the peer's word after the content; who may have got the content (RFC 1047) is not sent
 * it again in this attempt; each recipient gets at most one verdict.
 * Who calls it: the runner.
 */
import {
  type Clock,
  type FlowFact,
  type LeasedEntry,
  type Log,
  type MailStore,
  type QueueRecipient,
  StoreError,
} from '@pennypost/model'
import { describeReply, type Notify, type RecipientOutcome, type TransactionRequest } from '@pennypost/smtp'
import type { AttemptResult, Work } from './attempt-result.ts'
import type { Acquired, ConnectionPool } from './connection-pool.ts'
import { dropOldest } from './drop-oldest.ts'
import { originalRecipient } from './dsn-recipients.ts'
import { isStoreHere } from './hop.ts'
import type { RelayLimits } from './limits.ts'
import { type NextHop, placeOf, type Tried } from './next-hop.ts'
import type { UnreachableAddresses, Way } from './open-connection.ts'
import { loadContent, type RelayedContent } from './relayed-content.ts'
import type { Security } from './tls/tls-policy.ts'
import { deferred, failed, troubled, unreadable, type Verdict, verdictOf } from './verdict.ts'

/** So many kept connections may break before that counts against the address. */
const staleMax = 3

/** Hosts of which it is remembered that they take no BDAT. */
const byDataMax = 1000

export interface RemoteOptions {
  mail: Pick<MailStore, 'message' | 'readBody'>
  pool: ConnectionPool
  clock: Clock
  log: Pick<Log, 'error'>
  limits: Pick<RelayLimits, 'sessions'>
  /** Whose mail goes over a connection that the host opened itself, which is as secure as it is. */
  turned: { has(destination: string): boolean }
  unreachable: Pick<UnreachableAddresses, 'note'>
  /** Addresses of hosts that offer CHUNKING and do not know BDAT. */
  byData: Map<string, unknown>
  /** For who has the message while others still wait for it. */
  settleDelivered(work: Work, result: AttemptResult): Promise<void>
  /** Verdicts on recipients to whom nothing is relayed. */
  dead?: ReadonlyMap<number, Verdict> | undefined
}

/** Verdicts on all recipients. Never rejects: what goes wrong is a verdict. */
export function attemptRemote(work: Work, options: RemoteOptions): Promise<AttemptResult> {
  return new RemoteAttempt(work, options).run()
}

class RemoteAttempt {
  readonly #work: Work
  readonly #options: RemoteOptions
  readonly #result: AttemptResult = { verdicts: new Map(), flow: [] }
  #pending: readonly QueueRecipient[]
  /** The addresses whose connections broke, and what the last one said. */
  readonly #broken = new Set<string>()
  #breakage: Verdict | undefined
  readonly #begun: number
  /** What the hosts meant for everybody: 421, or silence. */
  #dismissal: Verdict | undefined
  /** One that has a word on its recipients is there for others. */
  #isHeard = false
  #content: RelayedContent | undefined
  /** Kept connections that broke: peers do close them. */
  #stale = 0
  #security: Security

  constructor(work: Work, options: RemoteOptions) {
    this.#work = work
    this.#options = options
    this.#begun = options.clock.elapsed()
    this.#security = securityOf(work.entry)
    const { dead } = options
    for (const [index, verdict] of dead ?? []) this.#result.verdicts.set(index, verdict)
    this.#pending = dead ? work.entry.recipients.filter(({ index }) => !dead.has(index)) : work.entry.recipients
  }

  async run(): Promise<AttemptResult> {
    while (this.#pending.length > 0) {
      if (this.#work.lost) {
        this.#refuseRest(troubled('Somebody else works on the message now'))
        break
      }
      const acquired = await this.#acquire()
      for (const tried of acquired.tried) this.#attempted(tried)
      if (!acquired.ok && this.#yields(acquired.verdict)) continue
      if (!acquired.ok) {
        this.#refuseRest(this.#breakage ?? acquired.verdict)
        break
      }
      await this.#over(acquired.hop, acquired.reused === true)
      if (this.#broken.size >= this.#options.limits.sessions && this.#breakage) this.#refuseRest(this.#breakage)
      if (this.#pending.length > 0) await this.#options.settleDelivered(this.#work, this.#result)
    }
    this.#tellPool()
    return this.#result
  }

  #tellPool(): void {
    if (!this.#dismissal || this.#isHeard) return
    const silentSince = this.#dismissal.reply.code === 421 ? undefined : this.#begun
    this.#options.pool.sentAway(this.#way(), this.#dismissal, silentSince)
  }

  #way(): Way {
    const { destination } = this.#work.entry
    return { destination, security: this.#options.turned.has(destination) ? 'policy' : this.#security }
  }

  #acquire(): Promise<Acquired> {
    const { attempts } = this.#work.entry
    const { pool } = this.#options
    const way = this.#way()
    const avoid = this.#broken.size > 0 ? this.#broken : undefined
    return pool.acquire(way, { avoid, isRetry: attempts > 0 })
  }

  /** A bounce that no host takes under REQUIRETLS goes as other mail does, rather than not at all (RFC 8689 §5). */
  #yields({ outcome, reply }: Verdict): boolean {
    const isBounce = this.#work.entry.envelope.reversePath === ''
    if (!isBounce || this.#security !== 'required' || outcome !== 'failed' || reply.enhanced !== '5.7.30') return false
    this.#security = 'policy'
    return true
  }

  /** Whether the content may go over this connection without REQUIRETLS. */
  #mayGoWithout({ client, tls }: NextHop): boolean {
    const { destination, envelope } = this.#work.entry
    if (!envelope.requireTls || isStoreHere(destination)) return true
    return envelope.reversePath === '' && (tls === undefined || !client.capabilities.keywords.has('REQUIRETLS'))
  }

  /** Runs one transaction, and gives the connection back. */
  async #over(hop: NextHop, reused: boolean): Promise<void> {
    const { clock, pool, unreachable } = this.#options
    const begun = clock.elapsed()
    let breakage: Verdict | undefined
    if (reused) hop.lines.length = 0
    try {
      // Not before there is a connection: what waits for one holds no content.
      const content = await this.#contentFor(hop)
      if ('outcome' in content) this.#refuseRest(content)
      // Without this, a peer that says EHLO's 250 and goes would be called again at once, for ever.
      else if (!hop.client.usable)
        breakage = deferred('4.4.2', `${placeOf(hop)} went away before the first word of mail`)
      else breakage = await this.#transact(hop, content)
    } finally {
      const elapsedMs = Math.round(clock.elapsed() - begun)
      const error = breakage && describeReply(breakage.reply)
      this.#attempted({ ...describeHop(hop, elapsedMs, reused, this.#isQuiet(breakage)), ...(error ? { error } : {}) })
      hop.lines.length = 0
      pool.release(hop)
      // Who has waited for minutes in vain does not ask there first the next time.
      if (hop.client.hasStalled) unreachable.note(hop, true)
    }
    if (breakage) this.#lost(hop, reused, breakage)
    else this.#served()
  }

  /** There is somebody less with every transaction, so what broke before counts no more. */
  #served(): void {
    this.#stale = 0
    this.#broken.clear()
    this.#breakage = undefined
  }

  #lost(hop: NextHop, reused: boolean, breakage: Verdict): void {
    if (this.#takesNoBdat(hop)) return
    if (reused && ++this.#stale <= staleMax) {
      this.#dismissal = undefined
      return
    }
    this.#broken.add(hop.address)
    this.#breakage = breakage
  }

  /** It is tried again at once, by DATA. */
  #takesNoBdat({ client, address }: NextHop): boolean {
    const { byData } = this.#options
    if (!client.refusesBdat) return false
    byData.set(address, true)
    dropOldest(byData, byDataMax)
    return true
  }

  /** What this peer gets, or why it gets nothing. */
  async #contentFor(hop: NextHop): Promise<RelayedContent | Verdict> {
    try {
      const content = (this.#content ??= await loadContent(this.#options.mail, this.#work.entry.message))
      if (!content) return troubled('The message cannot be read')
      // Without 8BITMIME, a body of 7 bits (RFC 6152 §3).
      if (!content.index.eightBitBody || hop.client.capabilities.keywords.has('8BITMIME')) return content
      const text = `${placeOf(hop)} takes no 8-bit content, and the message is too large to be encoded`
      return (await content.sevenBit()) ?? failed(554, '5.6.3', text)
    } catch (error) {
      this.#notRead(String(error))
      // The trouble of the store is ours, and hides no verdict that others have already.
      return error instanceof StoreError ? troubled('The message cannot be read') : unreadable()
    }
  }

  #notRead(error: string): void {
    const { journey, id } = this.#work.entry
    this.#options.log.error({ journey, entry: id, error }, 'the content of a message cannot be read')
  }

  /** Reused connections on which all went well need no transcript. */
  #isQuiet(breakage: Verdict | undefined): boolean {
    return !breakage && [...this.#result.verdicts.values()].every(({ outcome }) => outcome === 'delivered')
  }

  /** One transaction; the verdict of a connection that broke before the content was out. */
  async #transact(hop: NextHop, content: RelayedContent): Promise<Verdict | undefined> {
    const trace = this.#pending[0]?.trace ?? ''
    const now = this.#pending.filter((recipient) => (recipient.trace ?? '') === trace)
    const later = this.#pending.filter((recipient) => (recipient.trace ?? '') !== trace)
    const { outcomes, uncertain, dsnOffered } = await hop.client.transact(this.#request(now, trace, content, hop))
    let breakage: Verdict | undefined
    const rest: QueueRecipient[] = []
    for (const [at, outcome] of outcomes.entries()) {
      const recipient = now[at] as QueueRecipient
      const verdict = verdictOn(outcome, hop, dsnOffered)
      if (verdict.unreadable && at === 0) this.#notRead(outcome.failure?.text ?? '')
      if (isDismissal(outcome)) this.#dismissal = verdict
      else if (!isBreakage(outcome)) this.#isHeard = true
      if (outcome.tooMany) rest.push(recipient)
      else if (!uncertain && isBreakage(outcome)) {
        breakage = verdict
        rest.push(recipient)
      } else this.#result.verdicts.set(recipient.index, verdict)
    }
    this.#pending = [...rest, ...later]
    return breakage
  }

  #request(
    recipients: readonly QueueRecipient[],
    trace: string,
    content: RelayedContent,
    hop: NextHop,
  ): TransactionRequest {
    const { envelope } = this.#work.entry
    const { utf8Header, eightBitBody } = content.index
    const above = (envelope.seal ?? '') + trace
    return {
      reversePath: envelope.reversePath,
      recipients: recipients.map(({ forwardPath, notify, orcpt }) => ({
        forwardPath,
        notify: notifyOf(notify),
        orcpt: originalRecipient(orcpt),
      })),
      body: content.body(above),
      size: content.size(above),
      eightBit: eightBitBody || utf8Header,
      smtpUtf8: envelope.smtpUtf8 && utf8Header,
      ret: envelope.ret ?? null,
      envid: envelope.envid ?? null,
      requireTls: !this.#mayGoWithout(hop),
      byData: this.#options.byData.has(hop.address),
    }
  }

  #refuseRest(verdict: Verdict): void {
    for (const { index } of this.#pending) this.#result.verdicts.set(index, verdict)
    this.#pending = []
  }

  #attempted(tried: Tried): void {
    const { id, destination, journey } = this.#work.entry
    const fact: FlowFact = { kind: 'attempt', entry: id, destination, ...tried }
    this.#result.flow.push({ journey, at: this.#options.clock.now(), ...fact })
  }
}

/** RFC 8689 §3: the header field counts only where REQUIRETLS does not. */
function securityOf({ destination, envelope: { requireTls, tlsOptional } }: LeasedEntry): Security {
  if (isStoreHere(destination)) return 'policy'
  if (requireTls) return 'required'
  return tlsOptional ? 'waived' : 'policy'
}

function verdictOn({ outcome, reply, failure }: RecipientOutcome, hop: NextHop, dsnOffered: boolean): Verdict {
  if (outcome !== 'delivered' || !reply) return verdictOf(failure!, hop.host, placeOf(hop))
  return { outcome, reply, host: hop.host, ...(dsnOffered ? {} : { withoutDsn: true }) }
}

/** The connection broke, or the peer closed it with 421: that says nothing about the recipient. */
export function isBreakage({ failure }: Pick<RecipientOutcome, 'failure'>): boolean {
  if (!failure) return false
  return ['network', 'timeout', 'protocol'].includes(failure.kind) || failure.reply?.code === 421
}

function isDismissal({ failure }: RecipientOutcome): boolean {
  return failure?.kind === 'timeout' || failure?.reply?.code === 421
}

function describeHop(hop: NextHop, elapsedMs: number, reused: boolean, quiet: boolean): Tried {
  const { host, address, dns, tls, tlsReason, lines, openedMs } = hop
  return {
    host,
    address,
    ...(reused || dns.length === 0 ? {} : { dns }),
    ...(tls === undefined ? {} : { tls }),
    tlsReason,
    elapsedMs: reused ? elapsedMs : openedMs + elapsedMs,
    ...(reused && quiet ? {} : { transcript: [...lines] }),
  }
}

function notifyOf(notify: QueueRecipient['notify']): Notify | null {
  return notify?.filter((condition) => condition !== 'NEVER') ?? null
}
