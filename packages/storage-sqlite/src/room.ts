import { statSync } from 'node:fs'
import { type Clock, type ReservedRoom, StoreError } from '@pennypost/model'
import type { FileSystemSpace, SqliteLimits } from './options.ts'

/**
 * How much the file system still takes before its reserve is touched. Counted against what was measured: what was
 * promised and has not come yet, what was written since, pages of the log for which the database has to grow, and what
 * is missing of the ballast, since new mail does not get the room that was given up for what goes on without room. So
 * whoever was promised room gets it, however many were, and nothing is promised twice.
 *
 * Called by whoever brings content. Only a fresh measurement refuses.
 */
export class Room {
  readonly #measure: () => FileSystemSpace
  readonly #files: { ballast: string; database: string }
  readonly #clock: Clock
  readonly #limits: SqliteLimits
  #measuredAt = Number.NEGATIVE_INFINITY
  /** Octets above the reserve, when it was measured. */
  #above = 0
  #written = 0
  #promised = 0
  #databaseOctets = 0
  #ballast = { wanted: 0, there: 0 }
  /** Octets above the reserve from which new mail is taken again. */
  #enough = 0
  #isLow = false
  #closedUntil = Number.NEGATIVE_INFINITY

  constructor(
    measure: () => FileSystemSpace,
    files: { ballast: string; database: string },
    clock: Clock,
    limits: SqliteLimits,
  ) {
    this.#measure = measure
    this.#files = files
    this.#clock = clock
    this.#limits = limits
  }

  /** False when new mail of so many octets would leave less than the reserve. */
  has(octets: number): boolean {
    return this.#fits(this.#costOf(octets))
  }

  /** Promises room for new mail of so many octets; undefined when there is none. */
  reserve(octets: number): Reservation | undefined {
    const cost = this.#costOf(octets)
    if (!this.#fits(cost)) return undefined
    this.#promised += cost
    return new Reservation(this, cost)
  }

  /** For what nobody announced: covers nothing yet. */
  open(): Reservation {
    return new Reservation(this, 0)
  }

  /** What the database will have once the log is taken into it. Octets. */
  grows(databaseOctets: number): void {
    this.#databaseOctets = databaseOctets
  }

  /** A write found no room, though it was measured (a quota of our user): new mail is not taken for a moment. */
  ranOut(): void {
    this.#closedUntil = this.#clock.elapsed() + closedMs
  }

  /** How large the ballast is to be made; undefined when there is no room for it. */
  ballast(): number | undefined {
    return this.#fits(0) ? this.#ballast.wanted : undefined
  }

  /** Whether something of the ballast is missing, or new mail is refused: pages of deleted mail are waited for. */
  get isWanted(): boolean {
    return this.#isLow || this.#ballast.there < this.#ballast.wanted
  }

  // --- for reservations ---

  /** Promises more; throws `no-room`. */
  promise(octets: number): void {
    if (!this.#fits(octets)) throw new StoreError('no-room', 'the file system is down to its reserve')
    this.#promised += octets
  }

  keep(octets: number): void {
    this.#promised -= octets
    this.#written += octets
  }

  release(octets: number): void {
    this.#promised -= octets
  }

  /** Small content is in the log first, then in the database. */
  #costOf(octets: number): number {
    const inline = octets <= this.#limits.inlineOctets ? octets : 0
    return octets + inline + announcedOctets
  }

  #fits(octets: number): boolean {
    const now = this.#clock.elapsed()
    if (now < this.#closedUntil) return false
    if (now - this.#measuredAt < freshMs && this.#leaves(octets)) return true
    this.#refresh(now)
    return this.#leaves(octets)
  }

  /**
   * Once down to the reserve, so that not even an empty letter fits, everything waits until there is clearly more: no MAIL
   * is taken a moment after one was refused, and no COPY, which asks for less than a letter.
   */
  #leaves(octets: number): boolean {
    const left = this.#above - this.#written - this.#promised
    if (left >= this.#enough) this.#isLow = false
    else if (left < announcedOctets) this.#isLow = true
    return !this.#isLow && octets <= left
  }

  #refresh(now: number): void {
    const { free, total } = this.#measure()
    const { reserveShare, reserveOctets, ballastOctets } = this.#limits
    const reserve = Math.min(total * reserveShare, reserveOctets)
    const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0
    this.#ballast = { wanted: Math.floor(Math.min(reserve, ballastOctets)), there: sizeOf(this.#files.ballast) }
    const missing = Math.max(0, this.#ballast.wanted - this.#ballast.there)
    const growth = Math.max(0, this.#databaseOctets - sizeOf(this.#files.database))
    this.#above = free - reserve - missing - growth
    this.#enough = announcedOctets + Math.min(clearlyOctets, reserve / 8)
    this.#written = 0
    this.#measuredAt = now
  }
}

/** For how long a measurement is good enough to promise room. Milliseconds. */
const freshMs = 50
const closedMs = 1000
const clearlyOctets = 1024 * 1024

/** What a transaction takes beyond its content: pages in the log, and later in the database. Octets. */
const transactionOctets = 64 * 1024
/** What is promised beside content: the transaction, and its header section once more. */
const announcedOctets = 2 * transactionOctets

/**
 * Room that is promised to one content, from its announcement until it is stored or gone. Given to the stage, then with
 * the content to the job.
 */
export class Reservation implements ReservedRoom {
  readonly #room: Room
  /** Octets that are promised and not written yet. */
  #held: number

  /** `held`: what the room has promised already. */
  constructor(room: Room, held: number) {
    this.#room = room
    this.#held = held
  }

  /** So many octets will be written to a file. Throws `no-room` when they are beyond the promise and there is no more. */
  write(octets: number): void {
    this.#cover(octets)
  }

  /** They are written. */
  wrote(octets: number): void {
    const kept = Math.min(octets, this.#held)
    this.#held -= kept
    this.#room.keep(kept)
  }

  /** So many octets go to the writer in one job. Throws `no-room`. */
  store(octets: number): void {
    this.#cover(2 * octets + transactionOctets)
  }

  /** The job is done: what it took is found by the next measurement. */
  stored(): void {
    this.wrote(this.#held)
  }

  [Symbol.dispose](): void {
    this.#room.release(this.#held)
    this.#held = 0
  }

  #cover(octets: number): void {
    if (octets <= this.#held) return
    this.#room.promise(octets - this.#held)
    this.#held = octets
  }
}
