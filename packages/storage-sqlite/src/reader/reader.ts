import { type Clock, type MailboxId, nextTurn } from '@pennypost/model'
import Database from 'better-sqlite3'
import { Statements } from '../statements.ts'
import { unavailable } from '../writer-client.ts'

/**
 * The main thread's read-only connection. Everything that it does is synchronous and short: long reads come in pages,
 * and no statement stays open over a turn of the event loop. Once it is closed, whatever asks it for a statement rejects
 * with `unavailable`.
 */
export class Reader extends Statements {
  readonly #clock: Clock
  readonly #begin: Database.Statement
  readonly #commit: Database.Statement
  /** Mailboxes that have been found to be there since the last commit: asking again costs more than reading a letter. */
  readonly #present = new Set<MailboxId>()
  #open = true

  /** @param cacheOctets pages of the database that are kept */
  constructor(path: string, clock: Clock, cacheOctets: number) {
    super(new Database(path, { readonly: true, fileMustExist: true, timeout: 0 }))
    this.#clock = clock
    this.db.exec(`PRAGMA cache_size = -${Math.floor(cacheOctets / 1024)}`)
    // A body is copied once less, and no page of it takes a place in the cache. Bounded, since what was read counts as ours.
    this.db.exec(`PRAGMA mmap_size = ${256 * 1024 * 1024}`)
    this.#begin = this.db.prepare('BEGIN')
    this.#commit = this.db.prepare('COMMIT')
  }

  override sql(text: string): Database.Statement {
    this.requireOpen()
    return super.sql(text)
  }

  override pluck(text: string): Database.Statement {
    this.requireOpen()
    return super.pluck(text)
  }

  override raw(text: string): Database.Statement {
    this.requireOpen()
    return super.raw(text)
  }

  /** Runs several reads of one state of the database; it must not wait for anything. */
  together<Result>(read: () => Result): Result {
    this.requireOpen()
    this.#begin.run()
    try {
      return read()
    } finally {
      // After a read that the disk refused there is none any more, and that error is the one to tell.
      if (this.db.inTransaction) this.#commit.run()
    }
  }

  /** Whether there is such a mailbox, as far as the main thread has heard of commits. */
  hasMailbox(id: MailboxId): boolean {
    if (this.#present.has(id)) return true
    if (this.pluck('SELECT 1 FROM mailboxes WHERE id = ?').get(id) === undefined) return false
    this.#present.add(id)
    return true
  }

  /** Something has been committed. */
  committed(): void {
    this.#present.clear()
  }

  /** Throws `unavailable` when the store is closed: for what is answered without a statement. */
  requireOpen(): void {
    if (!this.#open) throw unavailable()
  }

  /** Lets the event loop turn once, between two pages. Rejects with `unavailable` when the store was closed meanwhile. */
  async turn(): Promise<void> {
    await nextTurn()
    this.requireOpen()
  }

  /** A page that begins now. */
  page(): Page {
    return new Page(this.#clock)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.db.close()
  }
}

export const pageRows = 250
const pageOctets = 256 * 1024
const pageMs = 4

/** The bound of one page: 250 rows, 256 KB or 4 ms, whichever comes first. */
export class Page {
  readonly #clock: Clock
  readonly #until: number
  #rows = 0
  #octets = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#until = clock.elapsed() + pageMs
  }

  get rowsLeft(): number {
    return pageRows - this.#rows
  }

  /** How many rows like those so far still fit into its octets. */
  get rowsFitting(): number {
    return Math.ceil((pageOctets - this.#octets) / Math.max(1, this.#octets / Math.max(1, this.#rows)))
  }

  /** Counts a row; says whether the page is full. The clock is asked now and then only. */
  add(octets: number): boolean {
    this.#rows++
    this.#octets += octets
    return this.isFull
  }

  get isFull(): boolean {
    if (this.#rows >= pageRows || this.#octets >= pageOctets) return true
    return this.#rows % 16 === 0 && this.#clock.elapsed() >= this.#until
  }
}

/**
 * All rows, in pages with a turn of the loop between: `read` gives the next `limit` behind a row. Each row is of its own
 * moment, so this is for rows that change one by one.
 */
export async function readPages<Row>(
  reader: Reader,
  read: (after: Row | undefined, limit: number) => Row[],
): Promise<Row[]> {
  const all: Row[] = []
  for (;;) {
    const rows = read(all.at(-1), pageRows)
    for (const row of rows) all.push(row)
    if (rows.length < pageRows) return all
    await reader.turn()
  }
}
