/**
 * Tells each domain that asks for it how a day went: when the day is over, what was counted goes out and is forgotten.
 *
 * Never broken: a day is reported once, after it is over and at a time of its own, in a later night where no server ran
 * in this one; what cannot be sent is not tried for ever.
 * Who calls it: `createRelay` starts and stops it, once for TLS and once for DMARC.
 */
import type { Clock, Log, Random, Timer } from '@pennypost/model'
import { type Counted, type DayCounts, dayOf } from './day-counts.ts'

/** A day of a domain's, as it was counted. */
export interface DomainDay<T> {
  domain: string
  /** `2026-11-26` */
  day: string
  counted: readonly Counted<T>[]
}

/** A report that is ready for one of those who want it. */
export interface ReadyReport {
  to: string
  /** Rejects when it could not be handed over; another time it may. */
  send(): Promise<void>
}

export interface NightlyReportsOptions<T> {
  /** For the log: `TLS`. */
  what: string
  counts: DayCounts<T>
  /** Reports for all who want one; rejects when that cannot be found out now. */
  make(domainDay: DomainDay<T>, signal: AbortSignal): Promise<readonly ReadyReport[]>
  clock: Clock
  random: Random
  log: Log
}

const dayMs = 86_400_000
/** Reports go out within so long after midnight, so that not all of the world's come at once (RFC 8460 §4.1). */
const spreadMs = 4 * 3_600_000
/** Domains that are told at once: those of strangers may have DNS that is slow for all of them, and there may be thousands. */
const atOnce = 20
/** After an hour, two, four and eight more: within a day of the first attempt (RFC 8460 §5.5). */
const retryFirstMs = 3_600_000
const retryLastMs = 8 * retryFirstMs

export class NightlyReports<T extends { domain: string }> {
  readonly #options: NightlyReportsOptions<T>
  #timer: Timer | undefined
  readonly #stopping = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  /** What could not be done, until it is tried again; it ends with the process. */
  readonly #retries = new Set<Timer>()

  constructor(options: NightlyReportsOptions<T>) {
    this.#options = options
  }

  /** A server that begins in the night is in time for it: it may never live to see another. */
  start(): void {
    this.#wait(this.#options.clock.now())
  }

  /** Until the first moment of a night's that is not before `from`. */
  #wait(from: number): void {
    const { what, clock, random } = this.#options
    const midnight = Math.floor(from / dayMs) * dayMs
    const tonight = midnight + random.fraction() * spreadMs
    const at = tonight >= from ? tonight : tonight + dayMs
    this.#timer = clock.after(at - clock.now(), async () => {
      using _busy = clock.busy(`${what} reports`)
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
    await this.#options.counts.flush()
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
    const { what, counts, log } = this.#options
    try {
      await counts.flush()
      for (const [day, ofDay] of await counts.before(today)) {
        const domains = Map.groupBy(ofDay, ({ domain }) => domain).entries()
        const ended = await Promise.allSettled(Array.from({ length: atOnce }, () => this.#tell(day, domains)))
        const failed = ended.find((each) => each.status === 'rejected')
        if (failed) throw failed.reason
        if (this.#isStopping) return
      }
    } catch (error) {
      log.error({ err: error, today }, `${what} reports could not be made`)
    }
  }

  /** Takes the next of the domains, which others take from too, until none is left. */
  async #tell(day: string, domains: Iterable<[string, readonly Counted<T>[]]>): Promise<void> {
    for (const [domain, counted] of domains) {
      const isTold = await this.#insist({ domain, day }, () => this.#reportTo({ domain, day, counted }))
      // What the stop has cut off, the next night tells.
      if (!isTold && this.#isStopping) return
      await this.#options.counts.forget(day, domain)
      if (this.#isStopping) return
    }
  }

  /** Whether somebody has it, or nobody wants it. More who want it may get it. */
  async #reportTo(domainDay: DomainDay<T>): Promise<boolean> {
    const { what, make, log } = this.#options
    const ready = await make(domainDay, this.#stopping.signal)
    let isTold = ready.length === 0
    for (const { to, send } of ready) {
      const about = { domain: domainDay.domain, day: domainDay.day, to }
      const isSent = await this.#insist(about, async () => {
        await send()
        log.info(about, `${what} report sent`)
        return true
      })
      isTold ||= isSent
    }
    return isTold
  }

  /** Tries it again where it fails, less and less often. Resolves with what comes of the first time; false if it fails. */
  async #insist(about: object, work: () => Promise<boolean>, waitMs = retryFirstMs): Promise<boolean> {
    const { what, clock, log } = this.#options
    try {
      return await work()
    } catch (error) {
      const isOver = waitMs > retryLastMs || this.#isStopping
      log.warn({ err: error, ...about, ...(isOver ? {} : { retryMs: waitMs }) }, `a ${what} report could not be sent`)
      if (isOver) return false
      const retry = clock.after(waitMs, async () => {
        using _busy = clock.busy(`${what} report`)
        this.#retries.delete(retry)
        await this.#run(this.#insist(about, work, 2 * waitMs))
      })
      this.#retries.add(retry)
      return false
    }
  }
}
