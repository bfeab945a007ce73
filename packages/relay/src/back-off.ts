/**
 * Destinations that could not be had lately: what else comes for them waits without costing a connection or a place.
 *
 * Never broken: only first attempts wait, and never as long as a step of the retry schedule; the first attempt behind the
 * wait is a real one.
 * Who calls it: the connection pool.
 */
import type { Clock } from '@pennypost/model'
import { describeReply } from '@pennypost/smtp'
import { dropOldest } from './drop-oldest.ts'
import type { RelayLimits } from './limits.ts'
import { deferred, type Verdict } from './verdict.ts'

export interface BackOffOptions {
  clock: Clock
  limits: Pick<RelayLimits, 'backOffMs' | 'backOffMaxMs'>
}

interface Down {
  /** Of `clock.elapsed()`. */
  until: number
  failures: number
  last: string
}

/** Destinations that are remembered. */
const destinationsMax = 10_000

export class BackOff {
  readonly #options: BackOffOptions
  readonly #down = new Map<string, Down>()

  constructor(options: BackOffOptions) {
    this.#options = options
  }

  /** Why the destination is not asked now, if so. */
  verdictOn(key: string): Verdict | undefined {
    const down = this.#down.get(key)
    if (!down) return undefined
    const { clock } = this.#options
    const leftMs = down.until - clock.elapsed()
    if (leftMs <= 0) return undefined
    const verdict = deferred('4.4.1', `It could not be reached a moment ago; it said ${down.last}`)
    // Whole milliseconds, as the queue keeps them: the clock that only rises has fractions.
    return { ...verdict, own: true, notBefore: clock.now() + Math.ceil(leftMs) }
  }

  /** It could not be had last time, however long ago. */
  isKnown(key: string): boolean {
    return this.#down.has(key)
  }

  /** No connection came about, or none that was of any use. */
  failed(key: string, verdict: Verdict): void {
    if (verdict.outcome !== 'deferred' || verdict.own) return
    const { clock, limits } = this.#options
    const failures = (this.#down.get(key)?.failures ?? 0) + 1
    const waitMs = Math.min(limits.backOffMaxMs, limits.backOffMs * 2 ** Math.min(failures - 1, 20))
    this.#down.delete(key)
    this.#down.set(key, { until: clock.elapsed() + waitMs, failures, last: describeReply(verdict.reply) })
    dropOldest(this.#down, destinationsMax)
  }

  /** A connection was of use, or somebody knows better. */
  forget(key: string): void {
    this.#down.delete(key)
  }
}
