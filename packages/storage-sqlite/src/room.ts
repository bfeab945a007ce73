import type { Clock } from '@pennypost/model'
import type { FileSystemSpace, SqliteLimits } from './options.ts'

/** For how long an answer of the file system is good enough. Milliseconds. */
const freshMs = 1000

/** How much the file system still takes before its reserve is touched. */
export class Room {
  readonly #measure: () => FileSystemSpace
  readonly #clock: Clock
  readonly #limits: SqliteLimits
  #measuredAt = Number.NEGATIVE_INFINITY
  #above = 0

  constructor(measure: () => FileSystemSpace, clock: Clock, limits: SqliteLimits) {
    this.#measure = measure
    this.#clock = clock
    this.#limits = limits
  }

  /** False when so many octets more would leave less than the reserve. */
  has(octets: number): boolean {
    const now = this.#clock.elapsed()
    if (now - this.#measuredAt >= freshMs) {
      const { free, total } = this.#measure()
      const { reserveShare, reserveOctets } = this.#limits
      this.#above = free - Math.min(total * reserveShare, reserveOctets)
      this.#measuredAt = now
    }
    return octets <= this.#above
  }
}
