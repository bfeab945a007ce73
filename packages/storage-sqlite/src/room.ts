import { statSync } from 'node:fs'
import { type Clock, StoreError } from '@pennypost/model'
import type { FileSystemSpace, SqliteLimits } from './options.ts'

/** For how long an answer of the file system is good enough. Milliseconds. */
const freshMs = 50

/** What a transaction takes beyond its content: pages in the log, and later in the database. Octets. */
const transactionOctets = 64 * 1024

/**
 * How much the file system still takes before its reserve is touched. What is missing of the ballast counts as taken:
 * new mail does not get the room that was given up for what goes on without room. Called by whoever brings content.
 */
export class Room {
  readonly #measure: () => FileSystemSpace
  readonly #ballast: string
  readonly #clock: Clock
  readonly #limits: SqliteLimits
  #measuredAt = Number.NEGATIVE_INFINITY
  #above = 0
  #ballastOctets = 0

  constructor(measure: () => FileSystemSpace, ballast: string, clock: Clock, limits: SqliteLimits) {
    this.#measure = measure
    this.#ballast = ballast
    this.#clock = clock
    this.#limits = limits
  }

  /** False when so many octets more would leave less than the reserve. */
  has(octets: number): boolean {
    const now = this.#clock.elapsed()
    if (now - this.#measuredAt >= freshMs) {
      this.#refresh()
      this.#measuredAt = now
    }
    return octets <= this.#above
  }

  /** Octets that are being written: a fast sender must not outrun the next measurement. */
  spend(octets: number): void {
    this.#above -= octets
  }

  /** For what stores content: throws `no-room` when there is no room for it. */
  take(octets: number): void {
    if (!this.has(octets)) throw new StoreError('no-room', 'the file system is down to its reserve')
    this.spend(octets + transactionOctets)
  }

  /** How large the ballast is to be made; undefined when there is no room for it. */
  ballast(): number | undefined {
    return this.has(0) ? this.#ballastOctets : undefined
  }

  #refresh(): void {
    const { free, total } = this.#measure()
    const { reserveShare, reserveOctets, ballastOctets } = this.#limits
    const reserve = Math.min(total * reserveShare, reserveOctets)
    this.#ballastOctets = Math.floor(Math.min(reserve, ballastOctets))
    const there = statSync(this.#ballast, { throwIfNoEntry: false })?.size ?? 0
    this.#above = free - reserve - Math.max(0, this.#ballastOctets - there)
  }
}
