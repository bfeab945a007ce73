import type { Clock, Log } from '@pennypost/model'
import type { DnsListFinding } from './finding.ts'

/**
 * Tells the operator of DNS lists that answer and yet are of no use: they refuse our questions, or list everything. Mail
 * goes on as if they were not asked, so that nobody else would notice. One that does not answer just now is not told.
 */
export class BrokenLists {
  readonly #clock: Pick<Clock, 'elapsed'>
  readonly #log: Pick<Log, 'error'>
  /** When each was last told, by zone. */
  readonly #told = new Map<string, number>()

  constructor(clock: Pick<Clock, 'elapsed'>, log: Pick<Log, 'error'>) {
    this.#clock = clock
    this.#log = log
  }

  /** Gives the finding back. Each list is told once in a day. */
  note(finding: DnsListFinding): DnsListFinding {
    const { result, codes, zone, detail } = finding
    if (result !== 'unavailable' || codes.length === 0) return finding
    const now = this.#clock.elapsed()
    const last = this.#told.get(zone)
    if (last !== undefined && now - last < againMs) return finding
    this.#told.set(zone, now)
    this.#log.error({ zone, codes }, `the DNS list ${zone} is of no use: ${detail}`)
    return finding
  }
}

const againMs = 86_400_000
