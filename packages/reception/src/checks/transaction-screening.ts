import { type HeaderSection, parseHeader, valuesOf } from '@pennypost/message'
import {
  type AggregateRow,
  type ArcFinding,
  aboutContent,
  aggregateRow,
  authenticationResults,
  type Finding,
  isAuthenticationDecisive,
  judge,
  type SpfFinding,
  type Verdict,
} from '@pennypost/message-auth'
import { type FlowFact, type MemoryNote, plainAddress } from '@pennypost/model'
import { type Mailbox, type Reply, replies, withText } from '@pennypost/smtp'
import type { ReceivedContent } from '../content.ts'
import { askFilter, type MailToLookAt } from '../filters/filter.ts'
import type { Recipient, Transaction } from '../transaction.ts'
import { authorDomains } from './author-domains.ts'
import type { Screening } from './screening.ts'

/**
 * The checks of one transaction: SPF from MAIL on, the judge over what is known of the client at RCPT, and over
 * everything at the end of the content. What it found goes into the journey whatever becomes of the message.
 * Who calls it: MAIL begins it, RCPT and the conclusion of the transaction ask it.
 */
export class TransactionScreening {
  readonly #screening: Screening
  readonly #transaction: Transaction
  /** Gives up on SPF; before the content has come there is no hurry. */
  readonly #enough = new AbortController()
  /** Absent where the mail is no stranger's, and only shown to filters. */
  readonly #spf: Promise<SpfFinding> | undefined
  #findings: readonly Finding[] = []
  /** What the policy memory said of the first recipient that was taken. */
  #admitted: readonly Finding[] = []
  #verdict: Verdict | undefined
  /** All recipients so far are a role that must be reachable (RFC 5321 §4.5.1, RFC 2142). */
  #rolesOnly = true
  /** The judge was told so. */
  #isForRoles = false
  #isRecorded = false
  #row: AggregateRow | undefined
  #isReport = false

  constructor(screening: Screening, transaction: Transaction) {
    this.#screening = screening
    this.#transaction = transaction
    const { session, checks, signal } = screening
    if (!screening.isChecked) return
    this.#spf = checks.checker.checkSender(
      {
        clientAddress: session.client.address,
        helo: session.hello ?? '',
        reversePath: transaction.reversePath,
      },
      AbortSignal.any([signal, this.#enough.signal]),
    )
  }

  /** The name that leads back to the client's address, once it is known. */
  get clientName(): string | undefined {
    return nameOf(this.#findings)
  }

  get isQuarantined(): boolean {
    return this.#verdict?.action === 'quarantine'
  }

  /** The transaction is over, whatever came of it: nobody asks any more, and others wait for their turn with DNS. */
  end(): void {
    this.#enough.abort(new Error('the transaction is over'))
  }

  /** Whether a recipient that exists is taken from this client; a reply when not. */
  async recipient({ path, expansion }: Pick<Recipient, 'path' | 'expansion'>): Promise<Reply | undefined> {
    const spf = this.#spf
    if (!spf) return undefined
    const client = await this.#screening.client()
    if (isRole(path)) return undefined
    const { policy } = this.#screening.checks
    let found = client
    let verdict = judge(client, policy)
    // Doubt is no reason before the content has come.
    if (!verdict.reply) {
      const admitted = await this.#admit({ path, expansion }, client, spf)
      found = [...client, ...admitted]
      verdict = judge(found, policy)
      if (!verdict.reply) {
        this.#rolesOnly = false
        if (this.#admitted.length === 0) this.#admitted = admitted
        return undefined
      }
    }
    this.#findings = found
    this.#decide(verdict)
    return verdict.reply
  }

  #admit(
    { path, expansion }: Pick<Recipient, 'path' | 'expansion'>,
    client: readonly Finding[],
    spf: Promise<SpfFinding>,
  ): Promise<Finding[]> {
    const isKnownGood = client.some(({ check, result }) => check === 'dnswl' && result === 'listed')
    return this.#screening.admission.ask(
      {
        reversePath: this.#transaction.reversePath,
        forwardPath: path.text,
        expansion,
        isFirst: this.#rolesOnly,
        spf: () => this.#soon(spf),
      },
      isKnownGood,
    )
  }

  /** What comes to be known within `softMs`; RCPT waits no longer. */
  async #soon<T>(known: Promise<T>): Promise<T | undefined> {
    const { checks, session } = this.#screening
    const late = Promise.withResolvers<undefined>()
    using _timer = session.options.deadline.after(checks.softMs, () => late.resolve(undefined))
    return await Promise.race([known, late.promise])
  }

  /** What the message counts for once it is accepted. */
  notes(now: number): MemoryNote[] {
    if (!this.#screening.isChecked) return []
    const { reversePath, recipients } = this.#transaction
    return this.#screening.admission.notes(reversePath, recipients, now)
  }

  /** The last word; a reply when the content is not taken. Takes at most `hardMs`. */
  async content(received: ReceivedContent): Promise<Reply | undefined> {
    const { checks, session, signal } = this.#screening
    const spf = this.#spf
    const hard = session.options.deadline.signal(checks.hardMs, signal)
    const client = await this.#screening.client()
    const [own, filtered] = await Promise.all([
      spf ? this.#authenticate(received, spf, hard) : [],
      this.#filter(received, client, hard),
    ])
    this.#findings = [...client, ...this.#admitted, ...own, ...filtered]
    this.#isRecorded = false
    this.#row = aggregateRow(own, checks.policy, plainAddress(session.client.address))
    this.#isForRoles = spf !== undefined && this.#rolesOnly
    const counting = this.#isForRoles ? aboutContent(this.#findings) : this.#findings
    const verdict = judge(counting, checks.policy)
    this.#decide(verdict)
    if (verdict.reply) return verdict.reply
    // There is no Junk for what leaves: its author hears of it.
    const isAuthors = this.#screening.service === 'submission'
    return this.isQuarantined && isAuthors ? withText(replies.policyRefused, verdict.detail) : undefined
  }

  /** SPF, DKIM, ARC, DMARC; where nothing can follow from them, nobody waits longer than `softMs`. */
  async #authenticate(
    { content, scanned }: ReceivedContent,
    spf: Promise<SpfFinding>,
    hard: AbortSignal,
  ): Promise<Finding[]> {
    const { policy, checker, softMs } = this.#screening.checks
    const isDecided = isAuthenticationDecisive(policy)
    const limit = isDecided ? hard : this.#screening.session.options.deadline.signal(softMs, hard)
    const giveUp = (): void => this.#enough.abort(limit.reason)
    limit.addEventListener('abort', giveUp, { once: true })
    const section = parseHeader(scanned.header)
    this.#isReport = isReport(section)
    const about = {
      header: scanned.header,
      body: () => content.read(scanned.headerSize),
      authorDomains: authorDomains(section),
    }
    const [sender, found] = await Promise.all([spf, checker.checkContent(about, spf, limit)])
    limit.removeEventListener('abort', giveUp)
    return [sender, ...found]
  }

  async #filter(
    { content, scanned }: ReceivedContent,
    client: readonly Finding[],
    hard: AbortSignal,
  ): Promise<Finding[]> {
    const { checks, session, service, signal } = this.#screening
    const filters = checks.filters?.filter(({ services }) => services.includes(service)) ?? []
    if (filters.length === 0) return []
    const { journey, reversePath, recipients } = this.#transaction
    const mail: MailToLookAt = {
      journey,
      service,
      clientAddress: session.client.address,
      clientName: nameOf(client) ?? '',
      helo: session.hello ?? '',
      account: session.account?.login ?? '',
      reversePath,
      forwardPaths: recipients.map(({ path }) => path.text),
      size: content.size,
      content: () => content.read(),
      header: scanned.header,
      findings: client,
    }
    return Promise.all(
      filters.map(async (filter) => {
        const finding = await askFilter(filter, mail, { deadline: session.options.deadline, signal: hard })
        if (finding.result === 'unavailable' && !signal.aborted) filter.onUnavailable?.(finding.detail)
        return finding
      }),
    )
  }

  /** The Authentication-Results field with its CRLF; '' for what accounts send. */
  trace(): string {
    const { service, session } = this.#screening
    if (service === 'submission') return ''
    return authenticationResults(session.options.hostname, this.#findings, this.#verdict)
  }

  /** What was found of the ARC sets that the message has; undefined where nothing was checked. */
  get arc(): ArcFinding | undefined {
    return this.#findings.find((finding) => finding.check === 'arc')
  }

  /** What the journey is still to be told. */
  facts(): FlowFact[] {
    if (this.#isRecorded || !this.#verdict) return []
    const { action, reason } = this.#verdict
    const roles: FlowFact[] = this.#isForRoles ? [{ kind: 'finding', check: 'recipients', result: 'roles' }] : []
    return [...this.#findings.map(factOf), ...roles, { kind: 'verdict', verdict: action, reason }]
  }

  /** The journey has been told the facts, and the transaction goes on. */
  recorded(): void {
    this.#isRecorded = this.#verdict !== undefined
  }

  /** The transaction has its last reply, and the client will not come again with the message. */
  settled(): void {
    if (this.#row) this.#screening.checks.onAggregateRow?.(this.#row, this.#isReport)
  }

  #decide(verdict: Verdict): void {
    const { session } = this.#screening
    this.#verdict = verdict
    session.options.onVerdict?.(verdict.action, verdict.reason)
    if (verdict.action === 'accept') return
    const { action, reason, detail } = verdict
    session.log.info({ journey: this.#transaction.journey, action, reason, detail }, 'judged')
  }
}

function nameOf(findings: readonly Finding[]): string | undefined {
  const found = findings.find(({ check, result }) => check === 'reverse-dns' && result === 'pass')
  return found?.check === 'reverse-dns' && found.name !== '' ? found.name : undefined
}

function factOf({ check, result, detail, ...facts }: Finding): FlowFact {
  return { kind: 'finding', check, result, ...(detail === '' ? {} : { detail }), facts }
}

/** Of DMARC or of TLS, as they must be called (RFC 9990 §3.5.2, RFC 8460 §5.3). */
function isReport(section: HeaderSection): boolean {
  return /^\s*Report\s+Domain:/i.test(valuesOf(section, 'subject')[0] ?? '')
}

/** Whom somebody who is refused must still be able to write to. */
function isRole({ localPart }: Mailbox): boolean {
  return /^(postmaster|abuse)$/i.test(localPart)
}
