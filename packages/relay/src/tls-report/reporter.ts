/**
 * Sends the reports of each day to the domains that ask for them (RFC 8460): by mail through the queue, or by HTTPS.
 *
 * Never broken: a day is reported once, after it is over and at a time of its own, in a later night where no server ran
 * in this one; what cannot be sent is not tried for ever, and a report never brings forth a bounce or another report's
 * worth of trouble.
 * Who calls it: `createRelay` starts and stops it.
 */
import { gzipSync } from 'node:zlib'
import { formatDate } from '@pennypost/message'
import {
  type Clock,
  createJourneyId,
  type Directory,
  type Log,
  type MailStore,
  type Random,
  type Resolver,
  type Timer,
} from '@pennypost/model'
import { parseForwardPath, toAsciiPath } from '@pennypost/smtp'
import { type AddressOptions, pathOf, planFor, postmasterFor } from '../dsn-address.ts'
import { type MessageSigner, stageMessage } from '../stage-message.ts'
import type { Https } from '../tls/https.ts'
import type { StsPolicies } from '../tls/sts-policies.ts'
import { printStsPolicy } from '../tls/sts-policy.ts'
import { type ReportFacts, reportAddresses, reportJson, reportMail } from './report.ts'
import { dayOf, type TlsSessions } from './sessions.ts'

export interface ReporterOptions extends AddressOptions {
  sessions: TlsSessions
  mail: Pick<MailStore, 'stage' | 'accept'>
  directory: Pick<Directory, 'domain' | 'domains'>
  resolver: Resolver
  https: Https
  sts?: StsPolicies
  signer?: MessageSigner
  clock: Clock
  random: Random
  log: Log
}

const dayMs = 86_400_000
/** Reports go out within so long after midnight, so that not all of the world's come at once (§4.1). */
const spreadMs = 4 * 3_600_000
/** After an hour, two, four and eight more: within a day of the first attempt (§5.5). */
const retryFirstMs = 3_600_000
const retryLastMs = 8 * retryFirstMs

export class TlsReporter {
  readonly #options: ReporterOptions
  #timer: Timer | undefined
  readonly #stopping = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  /** What could not be done, until it is tried again; it ends with the process. */
  readonly #retries = new Set<Timer>()

  constructor(options: ReporterOptions) {
    this.#options = options
  }

  /** A server that begins in the night is in time for it: it may never live to see another. */
  start(): void {
    this.#wait(this.#options.clock.now())
  }

  /** Until the first moment of a night's that is not before `from`. */
  #wait(from: number): void {
    const { clock, random } = this.#options
    const midnight = Math.floor(from / dayMs) * dayMs
    const tonight = midnight + random.fraction() * spreadMs
    const at = tonight >= from ? tonight : tonight + dayMs
    this.#timer = clock.after(at - clock.now(), async () => {
      using _busy = clock.busy('TLS reports')
      const now = clock.now()
      const nextMidnight = (Math.floor(now / dayMs) + 1) * dayMs
      await this.#run(this.#report(dayOf(now)).finally(() => this.#isStopping || this.#wait(nextMidnight)))
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#timer?.[Symbol.dispose]()
    for (const retry of this.#retries) retry[Symbol.dispose]()
    await Promise.all(this.#running)
    await this.#options.sessions.flush()
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }

  /** Ours to wait for when the server stops. It never rejects: what goes wrong in it is logged. */
  async #run(work: Promise<unknown>): Promise<void> {
    this.#running.add(work)
    await work
    this.#running.delete(work)
  }

  /** Reports on the days before this one, and forgets what it has told. */
  async #report(today: string): Promise<void> {
    const { sessions, log } = this.#options
    try {
      await sessions.flush()
      for (const [day, ofDay] of await sessions.before(today)) {
        for (const [domain, own] of Map.groupBy(ofDay, (session) => session.domain)) {
          const isTold = await this.#insist({ domain, day }, () => this.#reportTo(domain, day, own))
          // What the stop has cut off, the next night tells.
          if (!isTold && this.#isStopping) return
          await sessions.forget(day, domain)
          if (this.#isStopping) return
        }
      }
    } catch (error) {
      log.error({ err: error, today }, 'TLS reports could not be made')
    }
  }

  /** Tries it again where it fails, less and less often. Resolves with what comes of the first time; false if it fails. */
  async #insist(about: object, work: () => Promise<boolean>, waitMs = retryFirstMs): Promise<boolean> {
    const { clock, log } = this.#options
    try {
      return await work()
    } catch (error) {
      const isOver = waitMs > retryLastMs || this.#isStopping
      log.warn({ err: error, ...about, ...(isOver ? {} : { retryMs: waitMs }) }, 'a TLS report could not be sent')
      if (isOver) return false
      const retry = clock.after(waitMs, async () => {
        using _busy = clock.busy('TLS report')
        this.#retries.delete(retry)
        await this.#run(this.#insist(about, work, 2 * waitMs))
      })
      this.#retries.add(retry)
      return false
    }
  }

  /** Whether somebody has it, or nobody wants it. More who want it may get it (RFC 8460 §3). */
  async #reportTo(domain: string, day: string, sessions: ReportFacts['sessions']): Promise<boolean> {
    const { resolver, clock, random, hostname, sts, log } = this.#options
    const answer = await resolver.query(`_smtp._tls.${domain}`, 'TXT')
    if (answer.status === 'failed')
      throw new Error(`whether ${domain} wants one is not to be found out: ${answer.reason}`)
    const wanted = answer.status === 'found' ? reportAddresses(answer.records) : []
    if (wanted.length === 0) return true
    const stsPolicy = sessions.some(({ by }) => by === 'sts') ? (await sts?.find(domain))?.policy : undefined
    const facts: ReportFacts = {
      domain,
      day,
      hostname,
      sessions,
      id: createJourneyId(clock.now(), random),
      contact: await this.#contact(),
      ...(stsPolicy ? { stsPolicy: printStsPolicy(stsPolicy).trimEnd().split('\r\n') } : {}),
    }
    const zipped = gzipSync(reportJson(facts))
    let isTold = false
    for (const uri of wanted) {
      const about = { domain, day, to: uri }
      const isSent = await this.#insist(about, async () => {
        await this.#send(uri, facts, zipped)
        log.info(about, 'TLS report sent')
        return true
      })
      isTold ||= isSent
    }
    return isTold
  }

  async #send(uri: string, facts: ReportFacts, zipped: Buffer): Promise<void> {
    if (!/^mailto:/i.test(uri)) return this.#post(zipped, new URL(uri))
    const to = decodeURIComponent(uri.slice(7).split('?', 1)[0] ?? '')
    // Strangers wrote it, and behind its percent signs there may be line ends.
    if (!parseForwardPath(`<${to}>`, { smtpUtf8: true }).ok) throw new Error('that is no address')
    // A domain beyond ASCII has a name that every host takes; a local part has none.
    await this.#mail(facts, zipped, toAsciiPath(to) ?? to)
  }

  async #contact(): Promise<string> {
    const first = (await this.#options.directory.domains()).find(({ kind }) => kind === 'local')
    return postmasterFor(first ? [`postmaster@${first.name}`] : [], this.#options)
  }

  async #post(body: Buffer, { hostname: host, port, pathname, search }: URL): Promise<void> {
    const headers = { 'content-type': 'application/tlsrpt+gzip', 'content-length': String(body.length) }
    const path = `${pathname}${search}`
    const { status } = await this.#options.https({
      method: 'POST',
      host,
      port: Number(port || 443),
      path,
      headers,
      body,
      signal: this.#stopping.signal,
    })
    if (status < 200 || status > 299) throw new Error(`the site answers ${status}`)
  }

  async #mail(facts: ReportFacts, zipped: Buffer, to: string): Promise<void> {
    const { mail, signer, clock, random } = this.#options
    const at = clock.now()
    const envelope = {
      reversePath: facts.contact,
      smtpUtf8: toAsciiPath(to) === null,
      requireTls: false,
      tlsOptional: true,
      autoSubmitted: true,
    }
    const plan = await planFor(to, envelope, this.#options)
    if (!plan) throw new Error(`nobody is to be reached as ${to}`)
    const journey = createJourneyId(at, random)
    const content = reportMail(facts, zipped, to, formatDate(at))
    const { domain } = pathOf(facts.contact)
    const message = await stageMessage(mail, [content], async (header, body) => {
      return (await signer?.sign({ domain, header, body })) ?? ''
    })
    const queue = plan.queue.map((entry) => ({
      ...entry,
      recipients: entry.recipients.map((recipient) => ({ ...recipient, notify: ['NEVER' as const] })),
    }))
    const received = { service: 'tls-report', session: '', peer: '', reversePath: facts.contact, forwardPaths: [to] }
    await mail.accept([
      {
        journey,
        acceptedAt: at,
        reversePath: facts.contact,
        message,
        queue,
        memory: [],
        filings: plan.filings,
        flow: [
          {
            journey,
            at,
            kind: 'received',
            ...received,
            messageId: `${facts.id}@${facts.hostname}`,
            size: content.length,
          },
        ],
      },
    ])
  }
}
