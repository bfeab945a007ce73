import { rmSync } from 'node:fs'
import Database from 'better-sqlite3'
import { ownersAlone } from '../owners-alone.ts'
import { Statements } from '../statements.ts'
import { Blocks, type Texts } from './blocks.ts'

/**
 * search.db: the folded texts of messages and their signatures. Derived data: it can be deleted whenever no server runs,
 * and one that is damaged, of another version or made for another store is thrown away and made again. Never synced by a
 * commit: what a crash of the machine takes is made again.
 *
 * Who calls it: the search thread, which has its only connection.
 */
const version = 8
/** `PPsx`. */
const applicationId = 0x50507378

const schema = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
  -- What is in a mailbox up to this UID is in texts, or gone.
  CREATE TABLE mailboxes (mailbox INTEGER PRIMARY KEY, up_to INTEGER NOT NULL) STRICT;
  -- block: where its signature is. head: NULL when its texts are too large to be signed. body: its texts with U+0000
  -- between them; NULL when it is not kept, since it is its octets, folded.
  CREATE TABLE texts (message INTEGER PRIMARY KEY, block INTEGER NOT NULL, head TEXT, body TEXT) STRICT;
  CREATE INDEX texts_of_block ON texts (block);
  CREATE TABLE blocks (
    id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, alive INTEGER NOT NULL, messages BLOB NOT NULL
  ) STRICT;
  CREATE TABLE slices (id INTEGER PRIMARY KEY, bits BLOB NOT NULL) STRICT;
`

export interface IndexedText {
  message: number
  /** Of the body with U+0000 between them; undefined: too large, so that any message may match. */
  texts: readonly [head: string, body: string] | undefined
  /** False: its octets, folded, are the body text. Writing that once more would be most of what it costs to index. */
  keepsBody: boolean
}

/** Texts of a message that is in the index, from what the store has; undefined when it has gone. */
type TextsOf = (message: number) => IndexedText['texts']

/** For which store the index is. */
export interface StoreState {
  /** Differs between a store and its copy. */
  lineage: string
  /** The highest message id that was ever seen in it. */
  newest: number
}

export class SearchIndex {
  /** Why an older file was thrown away; undefined when it was not. */
  readonly remade: string | undefined
  readonly #statements: Statements
  readonly #blocks: Blocks
  readonly #textsOf: TextsOf
  /** Message id from which on it is to be seen whether they are still there; undefined when all were. */
  #sweepFrom: number | undefined

  private constructor(db: Database.Database, textsOf: TextsOf, remade: string | undefined) {
    this.remade = remade
    this.#textsOf = textsOf
    this.#statements = new Statements(db)
    this.#blocks = new Blocks(this.#statements, (block) => this.#signedTexts(block))
    this.#blocks.load()
    // On the disk before anything is forgotten, so that what the power takes of that is looked for again.
    db.exec('PRAGMA synchronous = FULL')
    if (this.#meta('clean') !== 1) {
      this.#sweepFrom = 0
      // The power may have taken the newest filings, and their UIDs are given to others.
      db.exec('DELETE FROM mailboxes')
    }
    this.#setMeta('clean', 0)
    db.exec('PRAGMA synchronous = NORMAL')
  }

  /** Opens it, or makes a new one. Throws when there is no room for that. */
  static open(path: string, store: StoreState, textsOf: TextsOf): SearchIndex {
    let remade: string | undefined
    try {
      return connected(path, (db) => {
        const fault = faultOf(db, store)
        if (fault !== undefined) throw new Unusable(fault)
        return new SearchIndex(db, textsOf, undefined)
      })
    } catch (error) {
      if (!(error instanceof Unusable || isDamage(error))) throw error
      if ((error as Error).message !== empty) remade = (error as Error).message
    }
    removeIndex(path)
    return connected(path, (db) => {
      create(db, store)
      return new SearchIndex(db, textsOf, remade)
    })
  }

  /** What is in a mailbox up to this UID is in it, or gone; 0 for a mailbox that it knows nothing of. */
  upTo(mailbox: number): number {
    const select = 'SELECT up_to FROM mailboxes WHERE mailbox = ?'
    return (this.#statements.pluck(select).get(mailbox) as number | undefined) ?? 0
  }

  has(message: number): boolean {
    return this.#statements.pluck('SELECT 1 FROM texts WHERE message = ?').get(message) !== undefined
  }

  /** Size of the file, without its free pages: those are written to before it grows. */
  get octets(): number {
    const [pages, free, size] = ['page_count', 'freelist_count', 'page_size'].map(
      (name) => this.#statements.db.pragma(name, { simple: true }) as number,
    ) as [number, number, number]
    return (pages - free) * size
  }

  /** Adds messages that are not in it, of a mailbox, and moves the mailbox's `upTo`; all or nothing. */
  add(indexed: Iterable<IndexedText>, mailbox: number, upTo: () => number): void {
    this.#write(() => {
      const insert = this.#statements.sql('INSERT INTO texts (message, block, head, body) VALUES (?, ?, ?, ?)')
      let newest = this.#meta('newest') as number
      for (const { message, texts, keepsBody } of indexed) {
        const block = this.#blocks.add(message, texts)
        insert.run(message, block, texts?.[0] ?? null, keepsBody ? texts?.[1] : null)
        newest = Math.max(newest, message)
      }
      this.#setMeta('newest', newest)
      this.#statements.sql('INSERT OR REPLACE INTO mailboxes (mailbox, up_to) VALUES (?, ?)').run(mailbox, upTo())
    })
  }

  /** Forgets mailboxes that are there no more. */
  keepMailboxes(isThere: (mailbox: number) => boolean): void {
    const known = this.#statements.pluck('SELECT mailbox FROM mailboxes').all() as number[]
    const gone = known.filter((mailbox) => !isThere(mailbox))
    if (gone.length === 0) return
    this.#write(() => {
      const drop = this.#statements.sql('DELETE FROM mailboxes WHERE mailbox = ?')
      for (const mailbox of gone) drop.run(mailbox)
    })
  }

  /** These messages are gone from the store. */
  forget(messages: readonly number[]): void {
    this.#write(() => {
      const drop = this.#statements.pluck('DELETE FROM texts WHERE message = ? RETURNING block')
      for (const message of messages) {
        const block = drop.get(message) as number | undefined
        if (block !== undefined) this.#blocks.forget(block)
      }
    })
  }

  /**
   * A piece of what is to be done when there is time: looking for what went while nobody told, and joining blocks.
   * Gives whether there may be more.
   */
  tidy(isThere: (message: number) => boolean): boolean {
    if (this.#sweepFrom !== undefined) {
      const messages = this.#statements
        .pluck('SELECT message FROM texts WHERE message > ? ORDER BY message LIMIT ?')
        .all(this.#sweepFrom, sweepRows) as number[]
      this.forget(messages.filter((message) => !isThere(message)))
      this.#sweepFrom = messages.length < sweepRows ? undefined : messages.at(-1)
      return true
    }
    let joined = false
    this.#write(() => {
      joined = this.#blocks.join()
    })
    if (!joined) this.#statements.db.pragma(`incremental_vacuum(${vacuumPages})`)
    return joined
  }

  /** Header text; undefined when it is not kept. */
  head(message: number): string | undefined {
    return this.#statements.pluck('SELECT head FROM texts WHERE message = ? AND head IS NOT NULL').get(message) as
      | string
      | undefined
  }

  /** Header text and body texts, the latter with NUL between them; undefined when none is kept, the body alone likewise. */
  text(message: number): readonly [head: string, body: string | undefined] | undefined {
    const row = this.#statements
      .raw('SELECT head, body FROM texts WHERE message = ? AND head IS NOT NULL')
      .get(message) as [head: string, body: string | null] | undefined
    return row && [row[0], row[1] ?? undefined]
  }

  /** Messages of a range of ids that may have a text with all these bits. */
  having(bits: readonly number[], first: number, last: number): number[] {
    return this.#blocks.having(bits, first, last)
  }

  /** Blocks that `having` looks into. */
  blocks(first: number, last: number): number {
    return this.#blocks.count(first, last)
  }

  /** What is damaged in it. */
  faults(): string[] {
    const damage = this.#statements.pluck('PRAGMA integrity_check(100)').all() as string[]
    const lost = this.#statements
      .pluck(
        `SELECT 'block ' || id FROM blocks WHERE length(messages) < alive * 8
          OR (SELECT count(*) FROM slices WHERE slices.id BETWEEN blocks.id * 2048 AND blocks.id * 2048 + 2047) <> 2048
          OR (SELECT count(*) FROM texts WHERE block = blocks.id) <> alive`,
      )
      .all() as string[]
    return [...damage.filter((text) => text !== 'ok'), ...lost]
  }

  /** Something went that could not be forgotten: the next start looks for it. */
  mistrust(): void {
    this.#sweepFrom ??= 0
  }

  close(): void {
    if (this.#sweepFrom === undefined) this.#setMeta('clean', 1)
    this.#statements.db.close()
  }

  /** After damage: nothing is written any more. */
  abandon(): void {
    this.#statements.db.close()
  }

  *#signedTexts(block: number): Generator<[number, Texts]> {
    const rows = this.#statements.raw('SELECT message, head, body FROM texts WHERE block = ?')
    for (const row of rows.iterate(block)) {
      const [message, head, body] = row as [number, string | null, string | null]
      yield [message, head === null ? undefined : body === null ? this.#textsOf(message) : [head, body]]
    }
  }

  #write(work: () => void): void {
    const { db } = this.#statements
    db.exec('BEGIN IMMEDIATE')
    try {
      work()
      db.exec('COMMIT')
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK')
      // What is in memory has run ahead of the file.
      if (!isDamage(error)) this.#blocks.load()
      throw error
    }
  }

  #meta(key: string): unknown {
    return this.#statements.pluck('SELECT value FROM meta WHERE key = ?').get(key)
  }

  #setMeta(key: string, value: unknown): void {
    this.#statements.sql('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)').run(key, value)
  }
}

const sweepRows = 2000
const vacuumPages = 256
const empty = 'empty'

class Unusable extends Error {}

/** Opens the file for whoever keeps it open; closes it again when that fails. */
function connected<Result>(path: string, use: (db: Database.Database) => Result): Result {
  const db = new Database(path)
  try {
    ownersAlone(path)
    // Nobody else reads it, so the index of its log need not be a mapped file (writer/wal-index.ts says what that can cost).
    db.exec('PRAGMA locking_mode = EXCLUSIVE')
    // Eight slices fit a page of this size. These two come before the file is written to.
    db.exec('PRAGMA page_size = 8192')
    db.exec('PRAGMA auto_vacuum = INCREMENTAL')
    db.exec('PRAGMA journal_mode = WAL')
    db.exec('PRAGMA synchronous = NORMAL')
    db.exec('PRAGMA journal_size_limit = 16777216')
    db.exec('PRAGMA wal_autocheckpoint = 4000')
    db.exec('PRAGMA cache_size = -16384')
    return use(db)
  } catch (error) {
    db.close()
    throw error
  }
}

/** Why the file can not be used; undefined when it can. */
function faultOf(db: Database.Database, { lineage, newest }: StoreState): string | undefined {
  const id = db.pragma('application_id', { simple: true })
  if (db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0) return empty
  if (id !== applicationId) return 'not a search index'
  if (db.pragma('user_version', { simple: true }) !== version) return 'of another version'
  const meta = db.prepare('SELECT value FROM meta WHERE key = ?').pluck()
  if (meta.get('lineage') !== lineage) return 'of another store'
  return (meta.get('newest') as number) > newest ? 'newer than the store' : undefined
}

function create(db: Database.Database, { lineage }: StoreState): void {
  db.transaction(() => {
    db.exec(schema)
    const set = db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)')
    set.run('lineage', lineage)
    set.run('newest', 0)
    set.run('openBlock', 1)
    set.run('newestBlock', 1)
    set.run('clean', 1)
    db.pragma(`application_id = ${applicationId}`)
    db.pragma(`user_version = ${version}`)
  }).immediate()
}

/** Takes the files away. */
export function removeIndex(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true })
}

/** The file is damaged, or no database at all. */
export function isDamage(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code)
}

/** There is no room, or the file can not be written for another reason of its file system. */
export function isNoRoom(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(FULL|IOERR|CANTOPEN|READONLY)/.test(error.code)
}
