import Database from 'better-sqlite3'
import { migrate, requireOurs } from '../migrations/list.ts'
import { ownersAlone } from '../owners-alone.ts'
import { onBallast, probeOf, restoreBallast } from './ballast.ts'
import { WriterContext } from './context.ts'
import { FaultPlan } from './faults.ts'
import { isFull, requireRoom } from './full-disk.ts'
import { GroupCommit } from './group-commit.ts'
import { noteEntries } from './jobs/flow.ts'
import type { FromWriter, GroupReply, Job, ToWriter, WriterData } from './protocol.ts'
import { WalIndex } from './wal-index.ts'

/** The write connection with its queue of jobs; `main.ts` drives it. */
export class Writer {
  /** The last process did not close the store. */
  readonly unclean: boolean
  readonly #db: Database.Database
  readonly #walIndex: WalIndex
  readonly #context: WriterContext
  readonly #groups: GroupCommit
  readonly #data: WriterData
  #jobs: Job[] = []
  /** Upkeep gave pages back: the next group, though it may be empty, tells what the database has now. */
  #shrank = false

  constructor(data: WriterData) {
    this.#data = data
    // A full disk is no reason not to start: mail can be read, and deleted.
    const { db, walIndex, unclean } = onBallast(data.ballast, () => open(data))
    this.#db = db
    this.#walIndex = walIndex
    this.unclean = unclean
    this.#context = new WriterContext(db, data.incarnation, data.limits)
    this.#groups = new GroupCommit(this.#context, new FaultPlan(data.faults), data)
  }

  get hasJobs(): boolean {
    return this.#jobs.length > 0 || this.#shrank
  }

  /** Gives the last message when the store is closed. */
  take(message: ToWriter): FromWriter | undefined {
    switch (message.kind) {
      case 'jobs':
        if (this.#jobs.length === 0) this.#jobs = message.jobs
        else this.#jobs.push(...message.jobs)
        return undefined
      case 'sync':
        this.#groups.sync()
        return undefined
      case 'keepFiles':
        this.#groups.keepFiles(message.keep)
        return undefined
      case 'upkeep':
        this.#upkeep(message.ballast)
        if (message.checkpoint) this.#groups.checkpoint()
        return undefined
      case 'close':
        this.#close()
        return { kind: 'closed' }
    }
  }

  /** Commits the next group. */
  commit(): GroupReply {
    const { groupJobs } = this.#data
    const group = this.#jobs.length <= groupJobs ? this.#jobs : this.#jobs.slice(0, groupJobs)
    this.#jobs = group === this.#jobs ? [] : this.#jobs.slice(groupJobs)
    this.#shrank = false
    return this.#groups.run(group)
  }

  /** Gives pages of deleted mail back to the file system, a few at a time, and makes the ballast whole again. */
  #upkeep(ballast: number | undefined): void {
    try {
      const free = this.#db.pragma('freelist_count', { simple: true }) as number
      if (free > keptFreePages) {
        // Whether a commit wrote is told by the length of the log, which changes here without one.
        this.#groups.sync()
        this.#db.pragma(`incremental_vacuum(${vacuumPages})`)
        this.#shrank = true
      }
    } catch (error) {
      // Moving pages takes room in the log. The free ones are used by what comes next.
      if (!isFull(error, probeOf(this.#data.ballast))) throw error
    }
    if (ballast !== undefined) restoreBallast(this.#data.ballast, ballast)
  }

  #close(): void {
    while (this.hasJobs) this.commit()
    this.#db.exec('PRAGMA synchronous = FULL')
    try {
      onBallast(this.#data.ballast, () => this.#endCleanly())
    } catch (error) {
      // Then the next process finds what it finds after a crash, from which nothing that was acknowledged is missing.
      if (!isFull(error, probeOf(this.#data.ballast))) throw error
      this.#groups.sync()
    }
    this.#groups.close()
    this.#db.close()
    this.#walIndex[Symbol.dispose]()
  }

  #endCleanly(): void {
    this.#db
      .transaction(() => {
        this.#context.numbers.giveBack()
        this.#db.exec(`INSERT OR REPLACE INTO meta (key, value) VALUES ('clean', 1)`)
      })
      .immediate()
  }
}

const keptFreePages = 4096
const vacuumPages = 512

interface Opened {
  db: Database.Database
  walIndex: WalIndex
  unclean: boolean
}

function open({ database, now, ballast, cacheOctets }: WriterData): Opened {
  // Before SQLite maps the index of the log.
  requireRoom(probeOf(ballast))
  const db = openForWriting(database, cacheOctets)
  try {
    emptyLog(db, ballast)
    migrate(db)
    const unclean = begin(db, now)
    return { db, walIndex: new WalIndex(database), unclean }
  } catch (error) {
    db.close()
    throw error
  }
}

function openForWriting(path: string, cacheOctets: number): Database.Database {
  const db = new Database(path, { timeout: 5000 })
  ownersAlone(path)
  // Before anything is set: what is another program's, or a newer one's, stays as it is.
  requireOurs(db)
  // Before the first table: it can not be had later without VACUUM.
  db.exec('PRAGMA auto_vacuum = INCREMENTAL')
  db.exec('PRAGMA journal_mode = WAL')
  db.exec('PRAGMA synchronous = FULL')
  // On macOS fsync stops at the cache of the drive; Node's goes on to the drive, and SQLite's only so.
  db.exec('PRAGMA fullfsync = ON')
  // SQLite's own automatic checkpoint hides its errors: GroupCommit bounds the WAL itself.
  db.exec('PRAGMA wal_autocheckpoint = 0')
  db.exec(`PRAGMA journal_size_limit = ${64 * 1024 * 1024}`)
  db.exec('PRAGMA foreign_keys = OFF')
  db.exec('PRAGMA temp_store = MEMORY')
  db.exec(`PRAGMA cache_size = -${Math.floor(cacheOctets / 1024)}`)
  return db
}

/**
 * After a sync that failed, what was to be written may be in the memory of the system alone, which takes it for written: the
 * log would break off there after a loss of power, and everything behind it would be lost, though it was synced. So it goes
 * into the database, which writes it anew, before anything is added.
 */
function emptyLog(db: Database.Database, ballast: string): void {
  try {
    db.pragma('wal_checkpoint(RESTART)')
  } catch (error) {
    // On a full disk the log stays as it is: what was left of it can be read.
    if (!isFull(error, probeOf(ballast))) throw error
  }
}

/**
 * Takes over from the process before: nobody holds leases any more. After an unclean stop the 250s of
 * the last minute may not have been read, so their fingerprints count as unconfirmed. Gives whether it was unclean.
 */
function begin(db: Database.Database, now: number): boolean {
  const clean = db.prepare(`SELECT value FROM meta WHERE key = 'clean'`).pluck().get()
  const unclean = clean === 0
  db.transaction(() => {
    db.exec(`INSERT OR REPLACE INTO meta (key, value) VALUES ('clean', 0)`)
    // Tells this store from others, for what is derived from it; a copy is another one (keeper/backup.ts).
    db.exec(`INSERT OR IGNORE INTO meta (key, value) VALUES ('lineage', hex(randomblob(16)))`)
    // What was on its way may have arrived, and goes out again: whoever has it twice may ask why.
    if (unclean) {
      noteEntries(db, now, `lease_until IS NOT NULL AND route = 'remote'`, (entry) => ({ kind: 'interrupted', entry }))
    }
    db.exec('UPDATE queue SET lease = NULL, lease_until = NULL WHERE lease_until IS NOT NULL')
    db.exec(`DELETE FROM lanes; INSERT INTO lanes (destination, retry, due_at, ready)
      SELECT destination, retry, min(due_at), 0 FROM queue WHERE lease_until IS NULL AND held = 0 GROUP BY destination, retry`)
    if (unclean) {
      // By id, since the row with the fingerprint is not always the first of its journey (RCPT was refused before).
      db.prepare(
        `UPDATE flow SET unconfirmed_at = ? WHERE fingerprint IS NOT NULL AND unconfirmed_at IS NULL
          AND id >= (SELECT min(id) FROM flow WHERE began_at > (SELECT max(began_at) FROM flow) - 60000)`,
      ).run(now)
    }
  }).immediate()
  return unclean
}
