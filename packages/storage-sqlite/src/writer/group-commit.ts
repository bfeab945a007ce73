import { closeSync, fdatasyncSync, openSync, rmSync } from 'node:fs'
import { StoreError, syncOwnSync } from '@pennypost/model'
import type Database from 'better-sqlite3'
import { onBallast, probeOf } from './ballast.ts'
import { Effects, type WriterContext } from './context.ts'
import { codeOf, FatalError } from './fatal-error.ts'
import type { FaultPlan } from './faults.ts'
import { fullError, isFull } from './full-disk.ts'
import { isDurable, mayUseBallast, runJob } from './jobs.ts'
import type { GroupReply, Job, JobReply } from './protocol.ts'

/**
 * Commits jobs in groups: one transaction, one sync for all, and a job that fails is undone alone. Called by the writer
 * thread's loop and by nobody else. What must never break:
 *
 * - nothing is acknowledged before the commit that holds it (for durable jobs: and its sync) has succeeded;
 * - after any error SQLite is asked whether the transaction still stands. If not, nothing of the group is committed:
 *   every job runs again alone and only the culprit fails;
 * - a commit or sync that fails for want of anything but room is never retried: `FatalError`, and the store stops. The
 *   kernel may have dropped the pages that it could not write, so a second sync that succeeds would prove nothing.
 */
export class GroupCommit {
  readonly #context: WriterContext
  readonly #faults: FaultPlan
  readonly #options: GroupCommitOptions
  readonly #frames: Database.Statement
  readonly #pages: Database.Statement
  readonly #begin: Database.Statement
  readonly #commit: Database.Statement
  readonly #savepoint: Database.Statement
  readonly #release: Database.Statement
  readonly #walFd: number
  #full = false
  /** As the last commit left the WAL. */
  #wal: Frames = [0, 0, 0]
  /** Frames in the WAL after the last commit. */
  #log = -1
  /** Pages of the database as of the last commit. */
  #pageCount: number
  #unsynced = false
  /** So many groups are still to have savepoints. */
  #careful = 0
  /** A job of the group found no room. */
  #ranOut = false
  #filesKept = false
  /** Files that nobody needs any more, kept for a backup. */
  readonly #doomed: string[] = []

  constructor(context: WriterContext, faults: FaultPlan, options: GroupCommitOptions) {
    this.#context = context
    this.#faults = faults
    this.#options = options
    const { db } = context
    this.#frames = db.prepare('PRAGMA wal_checkpoint(NOOP)').raw()
    this.#pages = db.prepare('PRAGMA page_count').pluck()
    this.#pageCount = this.#pages.get() as number
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#commit = db.prepare('COMMIT')
    this.#savepoint = db.prepare('SAVEPOINT job')
    this.#release = db.prepare('RELEASE job')
    // The -wal file may be opened and closed beside SQLite: its locks are on the database and on -shm.
    this.#walFd = openSync(`${db.name}-wal`, 'r+')
    db.exec('PRAGMA synchronous = NORMAL')
  }

  run(jobs: readonly Job[]): GroupReply {
    this.#ranOut = false
    const [first] = jobs
    const { replies, effects } = first && jobs.length === 1 ? this.#runAlone(first) : this.#runTogether(jobs)
    this.#unlink(effects.unlink)
    const walFrames = this.#boundWal()
    return {
      replies,
      accounts: [...effects.accounts],
      mailboxes: [...effects.mailboxes],
      queue: effects.queue,
      gone: effects.gone,
      walFrames,
      databaseOctets: this.#pageCount * pageOctets,
      ranOut: this.#ranOut,
      unsynced: this.#unsynced,
    }
  }

  /** Makes relaxed commits durable. An empty FULL commit would not: it does not sync. */
  sync(): void {
    if (!this.#unsynced) return
    try {
      this.#faults.strike('sync', this.#context.db)
      fdatasyncSync(this.#walFd)
    } catch (error) {
      throw new FatalError('sync of the write-ahead log failed', error)
    }
    this.#unsynced = false
  }

  /** Whether files that nobody needs any more stay for now: a backup may be copying them. */
  keepFiles(keep: boolean): void {
    this.#filesKept = keep
    if (!keep) this.#unlink(this.#doomed.splice(0))
  }

  /** Takes the log into the database; gives the frames that are left. undefined: there is no room for it. */
  checkpoint(): number | undefined {
    try {
      const [row] = this.#context.db.pragma('wal_checkpoint(PASSIVE)') as { log: number; checkpointed: number }[]
      return row ? row.log - row.checkpointed : 0
    } catch (error) {
      if (this.#isFull(error)) return undefined
      throw new FatalError('checkpoint failed', error)
    }
  }

  close(): void {
    closeSync(this.#walFd)
  }

  #runTogether(jobs: readonly Job[]): Done {
    try {
      const careful = this.#careful > 0
      if (careful) this.#careful--
      const done = this.#runGroup(jobs, careful)
      if (done) return done
      this.#careful = carefulGroups
      return this.#runGroup(jobs, true) as Done
    } catch (error) {
      this.#abandon(error)
    }
    const done = new Done()
    for (const job of jobs) done.add(this.#runAlone(job))
    return done
  }

  /**
   * Commits the group. Careful: each job has a savepoint. Otherwise the first job that fails undoes everything, and
   * undefined says that the group is to be run again (adr/0001).
   */
  #runGroup(jobs: readonly Job[], careful: boolean): Done | undefined {
    const { db } = this.#context
    const done = new Done()
    this.#start(jobs.some((job) => isDurable(job.verb)))
    for (const job of jobs) {
      if (careful) this.#savepoint.run()
      try {
        this.#attempt(job, done)
      } catch (error) {
        if (!db.inTransaction) throw error
        if (!careful) {
          this.#abandon(error)
          return undefined
        }
        db.exec('ROLLBACK TO job')
        this.#context.numbers.rolledBack()
        done.replies.push(this.#failed(job, error))
      }
      if (careful) this.#release.run()
    }
    this.#finish(done.effects)
    return done
  }

  #runAlone(job: Job): Done {
    const once = () => this.#runOnce(job)
    try {
      // The log is taken into the database while there is room for that: then the next job finds its room in the log.
      return mayUseBallast(job.verb) ? onBallast(this.#options.ballast, once, () => this.checkpoint()) : once()
    } catch (error) {
      if (error instanceof FatalError) throw error
      const done = new Done()
      done.replies.push(this.#failed(job, error))
      return done
    }
  }

  #runOnce(job: Job): Done {
    const done = new Done()
    try {
      this.#start(isDurable(job.verb))
      this.#attempt(job, done)
      this.#finish(done.effects)
      return done
    } catch (error) {
      this.#abandon(error)
      throw error
    }
  }

  #start(durable: boolean): void {
    if (durable !== this.#full) {
      // By exec: a prepared PRAGMA acts when it is compiled, and inside a transaction it does nothing.
      this.#context.db.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`)
      this.#full = durable
    }
    this.#begin.run()
  }

  /** Throws what the job throws, with nothing of it noted. */
  #attempt(job: Job, done: Done): void {
    this.#context.effects = new Effects()
    this.#faults.strike('job', this.#context.db, job.verb)
    done.replies.push({ id: job.id, value: runJob(this.#context, job) })
    done.effects.add(this.#context.effects)
  }

  #finish(effects: Effects): void {
    const { db, numbers } = this.#context
    try {
      for (const directory of effects.directories) syncOwnSync(`${this.#options.contents}/${directory}`)
    } catch (error) {
      // It was not opened, so that no sync has failed: whoever needs it is refused.
      if (['EMFILE', 'ENFILE'].includes(codeOf(error))) throw error
      throw new FatalError('sync of a content directory failed', error)
    }
    let pages: number
    try {
      this.#faults.strike('commit', db)
      // Inside the transaction: outside, SQLite takes and gives back locks of the file for it.
      pages = this.#pages.get() as number
      this.#commit.run()
    } catch (error) {
      if (this.#isFull(error)) throw fullError(error)
      throw new FatalError('commit failed', error)
    }
    this.#pageCount = pages
    // A FULL commit that wrote nothing does not sync either, so it vouches for nothing before it.
    this.#wal = this.#frames.get() as Frames
    const [, log] = this.#wal
    if (!this.#full) this.#unsynced = true
    else if (log !== this.#log) this.#unsynced = false
    this.#log = log
    if (numbers.reservedNow) this.sync()
    numbers.committed()
  }

  /** After an error: makes sure that no transaction is open; passes fatal errors on. */
  #abandon(error: unknown): void {
    if (error instanceof FatalError) throw error
    const { db, numbers } = this.#context
    if (db.inTransaction) db.exec('ROLLBACK')
    numbers.rolledBack()
    numbers.committed()
  }

  /** Keeps the WAL bounded when the keeper's checkpoints can not catch up with writing. */
  #boundWal(): number {
    const [, log, done] = this.#wal
    return log < this.#options.walCeilingFrames ? log - done : (this.checkpoint() ?? log - done)
  }

  #isFull(error: unknown): boolean {
    return isFull(error, probeOf(this.#options.ballast))
  }

  #failed(job: Job, error: unknown): JobReply {
    if (error instanceof StoreError) return { id: job.id, refusal: error.reason, text: error.message }
    if (this.#isFull(error)) {
      this.#ranOut = true
      return { id: job.id, refusal: 'no-room', text: 'the file system is full' }
    }
    const code = codeOf(error)
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    return { id: job.id, error: { message, code, stack: stack ?? '' } }
  }

  /**
   * After the commit, and that on the disk, or a row could come back without its file. A crash in between leaves files that
   * the sweep at the next start takes away.
   */
  #unlink(files: readonly string[]): void {
    if (files.length > 0) this.sync()
    if (this.#filesKept) this.#doomed.push(...files)
    else for (const file of files) rmSync(`${this.#options.contents}/${file}`, { force: true })
  }
}

/** What came of jobs. */
class Done {
  readonly replies: JobReply[] = []
  readonly effects = new Effects()

  add(other: Done): void {
    this.replies.push(...other.replies)
    this.effects.add(other.effects)
  }
}

/** SQLite's default, which nothing changes. */
const pageOctets = 4096

/** What `wal_checkpoint` tells: whether it was busy, frames in the log, and how many of them are in the database. */
type Frames = [busy: number, log: number, done: number]

/** After a job has failed, groups have savepoints for a while: whoever causes failures must not double everybody's work. */
const carefulGroups = 256

export interface GroupCommitOptions {
  contents: string
  ballast: string
  walCeilingFrames: number
}
