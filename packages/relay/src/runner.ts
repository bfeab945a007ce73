/**
 * Works the queue: claims what is due, tries it, concludes it.
 *
 * Theory of operation. `#wake` is called by the queue's watch, by the timer of what is due next, and by each entry that
 * ends. It runs one claim at a time; whatever wakes meanwhile makes one more claim, so that a busy runner claims as many
 * entries at once as have ended since the last claim. It claims until there is nothing to be had, and then sets the timer:
 * entries in work may be long in ending. Leases of what is in work are renewed at a third of their time.
 *
 * Never broken: at most `limits.attempts` entries that were due are in work, each once, and retries have at most half of
 * that, rounded up, so that neither a dead destination nor a flood keeps new mail waiting; what is taken out of turn is
 * besides, and up to `limits.stuck` for which nothing is done. An entry in work holds the clock until it is settled.
 * Who calls it: `createRelay`.
 */
import {
  type Clock,
  type LeasedEntry,
  type Log,
  type Queue,
  type QueueEntryId,
  type Timer,
  turnTaking,
} from '@pennypost/model'
import type { AttemptResult, Concluded, Work } from './attempt-result.ts'
import type { Stuck } from './connection-pool.ts'
import type { RelayLimits } from './limits.ts'

export interface RunnerOptions {
  queue: Queue
  clock: Clock
  log: Log
  limits: Pick<RelayLimits, 'attempts' | 'stuck' | 'leasesPerDestination' | 'leaseMs' | 'troubleMs'>
  /** No entry with so many attempts is put off for longer. */
  longestWaitMs(attempts: number): number
  attempt(work: Work): Promise<AttemptResult>
  /** How many attempts wait for what others find out, and how many of them are retries. */
  stuck(): Stuck
  conclude(entry: LeasedEntry, result: AttemptResult): Promise<Concluded>
  /** After each attempt, whatever came of it. */
  onDone(entry: LeasedEntry): void
}

/** Attempts that begin in one turn of the event loop. */
const startedPerTurn = 20

/** How late an entry may be that comes due behind one that is due and cannot be claimed. */
const lookAgainMs = 10_000

/** How soon a full runner sees that attempts have got stuck. */
const fullMs = 1000

/** A clock that is set back by less strands nothing that matters. */
const setBackMs = 60_000

type Attempt = RunnerOptions['attempt']

/** `next`: it has been claimed again before its end was known. */
interface InWork extends Work {
  next?: { entry: LeasedEntry; attempt: Attempt; resolve(isOver: Promise<boolean | undefined> | undefined): void }
}

export class Runner {
  readonly #options: RunnerOptions
  readonly #working = new Map<QueueEntryId, InWork>()
  /** Resolve when nothing is in work. */
  readonly #quiet: (() => void)[] = []
  #retries = 0
  #takingOutOfTurn = 0
  #running = false
  #stopped = false
  #claiming = false
  #wanted = false
  #watch: Disposable | undefined
  #next: Timer | undefined
  #renewal: Timer | undefined
  /** How far the clock of dates is ahead of the one that nobody sets, at most. */
  #ahead = Number.POSITIVE_INFINITY
  #bringing: Promise<void> | undefined

  constructor(options: RunnerOptions) {
    this.#options = options
  }

  get working(): number {
    return this.#working.size
  }

  get isRunning(): boolean {
    return this.#running
  }

  /** Once: what ended with `stop` does not come back. */
  start(): void {
    if (this.#stopped) throw new Error('a relay that was stopped is not started again')
    if (this.#running) return
    this.#running = true
    this.#watch = this.#options.queue.watch(() => this.#wake())
    this.#wake()
  }

  /** Claims nothing more; resolves when what is in work has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#running = false
    this.#watch?.[Symbol.dispose]()
    this.#next?.[Symbol.dispose]()
    if (!this.#isQuiet) await new Promise<void>((resolve) => this.#quiet.push(resolve))
    this.#renewal?.[Symbol.dispose]()
    await this.#bringing
  }

  /**
   * Makes this attempt at an entry, due or not, held or not. Resolves with whether nothing is left of it; with undefined
   * when it was not made, because somebody has the entry, it is gone, or the runner stops.
   */
  async workOutOfTurn(id: QueueEntryId, attempt: Attempt): Promise<boolean | undefined> {
    if (!this.#running) return undefined
    const { queue, clock, limits } = this.#options
    using _busy = clock.busy('claim')
    this.#takingOutOfTurn++
    try {
      const entry = await queue.claimOne(id, clock.now(), limits.leaseMs)
      return entry && (await this.#work(entry, attempt))
    } finally {
      this.#takingOutOfTurn--
      this.#settleQuiet()
    }
  }

  #wake(): void {
    this.#wanted = true
    if (this.#running && !this.#claiming) void this.#claim()
  }

  async #claim(): Promise<void> {
    using _busy = this.#options.clock.busy('claim')
    this.#claiming = true
    try {
      while (this.#running && this.#wanted && this.#free.slots > 0) {
        this.#wanted = false
        this.#next?.[Symbol.dispose]()
        const now = this.#options.clock.now()
        const entries = await this.#claimOnce(now)
        const othersTurn = turnTaking(startedPerTurn)
        for (const entry of entries) {
          await othersTurn()
          void this.#work(entry, this.#options.attempt)
        }
        if (entries.length > 0) this.#wanted = true
        else if (!this.#wanted) this.#sleep(await this.#pauseMs(now))
        this.#mindTheClock()
      }
      if (this.#wanted) this.#sleep(fullMs)
    } catch (error) {
      this.#options.log.error({ err: error }, 'the queue cannot be read')
      this.#sleep(this.#options.limits.troubleMs)
    } finally {
      this.#claiming = false
      this.#settleQuiet()
    }
  }

  /** What waits for the first connection of a silent destination may wait for minutes, and costs a lease. */
  get #free(): { slots: number; retries: number } {
    const { limits, stuck } = this.#options
    const { entries, retries } = stuck()
    return {
      slots: Math.max(0, limits.attempts + Math.min(limits.stuck, entries) - this.#working.size),
      retries: Math.max(0, Math.ceil(limits.attempts / 2) + Math.min(limits.stuck, retries) - this.#retries),
    }
  }

  #claimOnce(now: number): Promise<LeasedEntry[]> {
    const { queue, limits } = this.#options
    return queue.claim({
      now,
      ...this.#free,
      perDestination: limits.leasesPerDestination,
      leaseMs: limits.leaseMs,
    })
  }

  /** How long there is nothing to do after a claim that gave nothing. */
  async #pauseMs(claimedAt: number): Promise<number> {
    const { queue, clock, limits } = this.#options
    const due = await queue.nextDueAt()
    if (due === null) return limits.leaseMs
    // It may have come due since.
    if (due > claimedAt) return Math.min(Math.max(0, due - clock.now()), limits.leaseMs)
    // It was due and could not be claimed: it waits for an entry in work to end, what comes due behind it does not.
    return this.#working.size > 0 ? lookAgainMs : 100
  }

  /** Also once at the start: the process before may have gone by a clock that was ahead. */
  #mindTheClock(): void {
    const { clock } = this.#options
    const ahead = clock.now() - clock.elapsed()
    if (ahead > this.#ahead - setBackMs) this.#ahead = Math.max(ahead, this.#ahead)
    else this.#bringing ??= this.#bringForward(ahead).finally(() => (this.#bringing = undefined))
  }

  /** What a clock that was ahead has put off would wait until the right one has caught up. */
  async #bringForward(ahead: number): Promise<void> {
    const { queue, clock, longestWaitMs, log } = this.#options
    using _busy = clock.busy('bringing forward')
    const now = clock.now()
    let count = 0
    try {
      for await (const page of queue.list({})) {
        if (!this.#running) return
        const stranded = page.filter(({ held, dueAt, attempts }) => !held && dueAt > now + longestWaitMs(attempts))
        if (stranded.length === 0) continue
        const ids = stranded.map(({ id }) => id)
        count += await queue.retryNow(ids, now)
      }
      this.#ahead = ahead
    } catch (error) {
      log.error({ err: error }, 'the queue cannot be read')
    }
    if (count > 0) log.warn({ entries: count }, 'the clock was set back: what it had put off too far is tried now')
  }

  #sleep(ms: number): void {
    this.#next?.[Symbol.dispose]()
    if (this.#running) this.#next = this.#options.clock.after(ms, () => this.#wake())
  }

  /** Whether nothing is left of the entry; undefined when an attempt at it was under way. Never rejects. */
  async #work(entry: LeasedEntry, attempt: Attempt): Promise<boolean | undefined> {
    const { clock, log } = this.#options
    using _busy = clock.busy('attempt')
    const under = this.#working.get(entry.id)
    if (under) return this.#behind(under, entry, attempt)
    const work: InWork = { entry, lost: false }
    const isRetry = entry.attempts > 0 && attempt === this.#options.attempt
    this.#working.set(entry.id, work)
    if (isRetry) this.#retries++
    this.#renewal ??= clock.after(this.#options.limits.leaseMs / 3, () => void this.#renew())
    let concluded: Concluded | undefined
    try {
      const result = await attempt(work)
      // What could not be tried because we stop is as due as it was.
      if (!this.#running) for (const [index, { own }] of result.verdicts) if (own) result.verdicts.delete(index)
      concluded = await this.#options.conclude(entry, result)
    } catch (error) {
      // The lease runs out, and then it is tried again: at least once, never not at all.
      log.error({ err: error, journey: entry.journey, entry: entry.id }, 'an attempt could not be concluded')
    }
    this.#working.delete(entry.id)
    if (isRetry) this.#retries--
    this.#options.onDone(entry)
    const { next } = work
    const isAnotherTurn = concluded !== undefined && concluded.lease !== entry.lease
    next?.resolve(isAnotherTurn ? this.#work(next.entry, next.attempt) : undefined)
    this.#wake()
    this.#settleQuiet()
    return concluded?.isOver ?? false
  }

  /**
   * A clock that jumped ahead ended the lease, not the attempt: it goes on under the new one. But where it was settled under
   * the old one, and due again at once, it is claimed for another turn.
   */
  #behind(under: InWork, entry: LeasedEntry, attempt: Attempt): Promise<boolean | undefined> {
    under.entry.lease = entry.lease
    under.lost = false
    under.next?.resolve(undefined)
    return new Promise((resolve) => {
      under.next = { entry, attempt, resolve }
    })
  }

  async #renew(): Promise<void> {
    const { queue, clock, limits, log } = this.#options
    using _busy = clock.busy('renewal')
    const leases = [...this.#working.values()].map(({ entry }) => ({ entry: entry.id, lease: entry.lease }))
    this.#renewal = leases.length === 0 ? undefined : clock.after(limits.leaseMs / 3, () => void this.#renew())
    if (leases.length === 0) return
    try {
      const lost = new Set(await queue.renew(leases, clock.now(), limits.leaseMs))
      for (const { entry: id, lease } of leases) {
        const work = this.#working.get(id)
        // Not where it has ended meanwhile, and the entry is in work anew.
        if (lost.has(id) && work?.entry.lease === lease) work.lost = true
      }
    } catch (error) {
      log.error({ err: error }, 'leases cannot be renewed')
    }
  }

  get #isQuiet(): boolean {
    return !this.#claiming && this.#takingOutOfTurn === 0 && this.#working.size === 0
  }

  #settleQuiet(): void {
    if (!this.#isQuiet) return
    for (const resolve of this.#quiet.splice(0)) resolve()
  }
}
