import type Database from 'better-sqlite3'

/**
 * Numbers that must never be given out twice, though a relaxed commit may be lost in a crash: MODSEQs of each account,
 * message ids, queue entry ids, UIDVALIDITYs. They are reserved in blocks; the block's end is on disk before any number of it is
 * acknowledged, and counting starts there after an unclean stop. A clean stop writes back what is left.
 */
export const messageIds = 0
export const queueEntryIds = -1
/** One counter for the whole store: a mailbox made anew never gets an old UIDVALIDITY, nor does an account's. */
export const uidValidities = -2

const blockSize = 1000

interface Counter {
  next: number
  /** The first number that is not ours yet. */
  reserved: number
}

export class ReservedNumbers {
  readonly #counters = new Map<number, Counter>()
  /** Owners whose block was reserved by the transaction that is open. */
  readonly #uncommitted = new Set<number>()
  readonly #read: Database.Statement
  readonly #write: Database.Statement

  constructor(db: Database.Database) {
    this.#read = db.prepare('SELECT reserved FROM counters WHERE owner = ?').pluck()
    this.#write = db.prepare(
      'INSERT INTO counters (owner, reserved) VALUES (?, ?) ON CONFLICT DO UPDATE SET reserved = excluded.reserved',
    )
  }

  /** The next number of this owner (an account for its MODSEQs), from 1. Inside a transaction only. */
  next(owner: number): number {
    const counter = this.#counters.get(owner)
    if (counter && counter.next < counter.reserved) return counter.next++
    const start = Math.max((this.#read.get(owner) as number | undefined) ?? 1, counter?.next ?? 1)
    this.#write.run(owner, start + blockSize)
    this.#counters.set(owner, { next: start + 1, reserved: start + blockSize })
    this.#uncommitted.add(owner)
    return start
  }

  /** What the owner gets next is not below `least`. Inside a transaction only. */
  raise(owner: number, least: number): void {
    const next = this.#counters.get(owner)?.next ?? (this.#read.get(owner) as number | undefined) ?? 1
    if (next >= least) return
    this.#write.run(owner, least)
    this.#counters.delete(owner)
    this.#uncommitted.add(owner)
  }

  /** Whether the open transaction reserved a block: then it must be synced before anything of it is acknowledged. */
  get reservedNow(): boolean {
    return this.#uncommitted.size > 0
  }

  committed(): void {
    this.#uncommitted.clear()
  }

  /** Something was rolled back: blocks reserved since the last commit may not be on disk. */
  rolledBack(): void {
    for (const owner of this.#uncommitted) {
      const counter = this.#counters.get(owner)
      if (counter) counter.reserved = counter.next
    }
  }

  /** Gives back what is left of the blocks; in the last transaction before a clean close. */
  giveBack(): void {
    for (const [owner, counter] of this.#counters) this.#write.run(owner, counter.next)
  }

  /** For an account that is gone. */
  forget(owner: number): void {
    this.#counters.delete(owner)
  }
}
