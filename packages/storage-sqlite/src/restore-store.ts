import { existsSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { type Log, makeDirectory, type StoreFault, syncPathSync, syncTree } from '@pennypost/model'
import Database from 'better-sqlite3'
import { openDataDirectory } from './data-directory.ts'
import { copyContents } from './keeper/backup.ts'
import { findFaults } from './keeper/check.ts'
import { migrate, requireOurs } from './migrations/list.ts'
import { ownersAlone } from './owners-alone.ts'
import { noteEntries } from './writer/jobs/flow.ts'
import { messageIds, queueEntryIds, uidValidities } from './writer/reserved-numbers.ts'

/**
 * Puts a backup into a data directory that no process has open. Called by the `restore` verb.
 *
 * What was given out since the backup was made is not known, so no number of that time may come again for something
 * else: every mailbox gets a UIDVALIDITY that no mailbox has had (RFC 9051 §2.3.1.1), and every counter jumps. UIDLs
 * stay as they are stored, so that POP3 clients fetch nothing twice. What waits in the queue is held: it may have been
 * delivered since.
 *
 * Everything is made ready beside what is there; then what is there is moved aside, and mail.db comes last, each step on the
 * disk before the next. A restore that breaks off leaves a data directory without mail.db, which no server opens until it was
 * run again.
 */
export interface RestoreOptions {
  /** A directory that `backup` wrote; it stays as it is. */
  backup: string
  directory: string
  /** Moves a store that is there aside. Otherwise it is a reason to refuse. */
  replace: boolean
  /** Files and directories that stand beside the store and come with it, as far as the backup has them. */
  beside: readonly string[]
  /** Of those, what stays as it is where it is there when the rest moves in: programs go on writing it meanwhile. */
  staying?: readonly string[]
  /** Names the directory that what is there is moved to, within the data directory. */
  asideName: string
  /** Of the clock. */
  now: number
  log: Log
  onProgress?: (progress: { done: number; total: number; unit: 'pages' | 'files' }) => void
}

export interface Restored {
  mailboxes: number
  messages: number
  /** Queue entries that are held now. */
  held: number
  /** Where what was there is; undefined when nothing was. */
  aside: string | undefined
  /** What is wrong with the backup itself. */
  faults: StoreFault[]
}

/** Rejects, before anything is changed, when there is no backup, or the directory is in use or holds a store. */
export async function restoreStore(options: RestoreOptions): Promise<Restored> {
  const backup = resolve(options.backup)
  const path = resolve(options.directory)
  if (!existsSync(join(backup, 'mail.db'))) throw new Error(`${backup} is no whole backup: there is no mail.db in it`)
  if (backup === path || path.startsWith(backup + sep)) {
    throw new Error(`${backup} is the data directory itself, or around it`)
  }
  using directory = openDataDirectory(path, options.log)
  const holdsStore = existsSync(join(path, 'mail.db'))
  if (holdsStore && !options.replace) {
    throw new Error(`${path} holds a store: with --replace it is moved aside, and nothing of it is deleted`)
  }
  const { staging } = directory
  const restored = await makeReady(backup, path, staging, options)
  // When it fails it leaves what is ready, by which a server knows that this is no place for a new store.
  const aside = moveIn(path, staging, options)
  rmSync(staging, { recursive: true, force: true })
  return { ...restored, aside }
}

async function makeReady(backup: string, path: string, staging: string, options: RestoreOptions) {
  rmSync(staging, { recursive: true, force: true })
  makeDirectory(join(staging, 'content'), 0o700)
  try {
    await copyStore(backup, staging, options)
    return raise(staging, newestValidity(path), options.now)
  } catch (error) {
    rmSync(staging, { recursive: true, force: true })
    throw error
  }
}

async function copyStore(backup: string, staging: string, { beside, onProgress }: RestoreOptions): Promise<void> {
  const source = new Database(join(backup, 'mail.db'), { readonly: true, fileMustExist: true, timeout: 0 })
  try {
    requireOurs(source)
    await source.backup(join(staging, 'mail.db'), {
      progress({ totalPages, remainingPages }) {
        onProgress?.({ done: totalPages - remainingPages, total: totalPages, unit: 'pages' })
        return pagesAtATime
      },
    })
    copyContents(source, join(backup, 'content'), join(staging, 'content'), (done, total) =>
      onProgress?.({ done, total, unit: 'files' }),
    )
  } finally {
    source.close()
  }
  for (const name of beside) {
    if (!existsSync(join(backup, name))) continue
    await cp(join(backup, name), join(staging, name), { recursive: true, preserveTimestamps: true })
    await syncTree(join(staging, name))
  }
}

const pagesAtATime = 1000

/** More than any store gives out between two backups, and so little that it can be done thousands of times. */
const jump = 1_000_000

function raise(staging: string, validity: number, now: number): Omit<Restored, 'aside'> {
  const db = new Database(join(staging, 'mail.db'), { fileMustExist: true })
  try {
    ownersAlone(join(staging, 'mail.db'))
    migrate(db)
    const done = db.transaction(() => ({ ...raiseNumbers(db, validity), held: holdQueue(db, now) })).immediate()
    const faults = [...findFaults(db, join(staging, 'content'))].flat()
    return { ...done, faults }
  } finally {
    // Takes the log, if there is one, into the database.
    db.close()
    syncPathSync(join(staging, 'mail.db'))
  }
}

function raiseNumbers(db: Database.Database, validity: number): { mailboxes: number; messages: number } {
  const reserved = db.prepare('SELECT reserved FROM counters WHERE owner = ?').pluck()
  const set = db.prepare('INSERT OR REPLACE INTO counters (owner, reserved) VALUES (?, ?)')
  const mailboxes = db.prepare('SELECT id FROM mailboxes ORDER BY id').pluck().all() as number[]
  const known = (reserved.get(uidValidities) as number | undefined) ?? 1
  const first = Math.max(known, validity) + jump
  const renew = db.prepare('UPDATE mailboxes SET uid_validity = ? WHERE id = ?')
  for (const [index, id] of mailboxes.entries()) renew.run(first + index, id)
  set.run(uidValidities, first + mailboxes.length)
  for (const owner of [messageIds, queueEntryIds])
    set.run(owner, ((reserved.get(owner) as number | undefined) ?? 1) + jump)
  db.prepare('UPDATE counters SET reserved = reserved + ? WHERE owner > 0').run(jump)
  db.prepare('UPDATE sqlite_sequence SET seq = seq + ?').run(jump)
  db.exec(`INSERT OR REPLACE INTO meta (key, value) VALUES ('clean', 1)`)
  const messages = db.prepare('SELECT coalesce(sum(messages), 0) FROM mailboxes').pluck().get() as number
  return { mailboxes: mailboxes.length, messages }
}

/** Holds everything, and says so in each journey; gives how much. */
function holdQueue(db: Database.Database, now: number): number {
  noteEntries(db, now, 'held = 0', (entry) => ({ kind: 'operator', verb: 'restore', entry }))
  db.exec('DELETE FROM lanes')
  return db.prepare('UPDATE queue SET held = 1, lease = NULL, lease_until = NULL').run().changes
}

/** The last UIDVALIDITY that the store which is there, or one that was moved aside, may have given out; 0 without any. */
function newestValidity(path: string): number {
  const directories = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const stores = [path, ...directories.map(({ name }) => join(path, name))].map((at) => join(at, 'mail.db'))
  return Math.max(0, ...stores.filter((file) => existsSync(file)).map(validityIn))
}

function validityIn(file: string): number {
  try {
    const db = new Database(file, { readonly: true, timeout: 0 })
    try {
      const reserved = db.prepare('SELECT reserved FROM counters WHERE owner = ?').pluck().get(uidValidities)
      return (reserved as number | undefined) ?? 0
    } finally {
      db.close()
    }
  } catch {
    // Damaged: that is why it is replaced.
    return 0
  }
}

/** What belongs to a store, in the order in which it is moved aside: never a mail.db without what is still in its log. */
const storeNames = ['mail.db', 'mail.db-wal', 'mail.db-shm', 'content', 'search.db', 'search.db-wal', 'search.db-shm']

function moveIn(path: string, staging: string, options: RestoreOptions): string | undefined {
  const { beside, staying = [], asideName } = options
  const aside = join(path, asideName)
  const stays = (name: string): boolean => staying.includes(name) && existsSync(join(path, name))
  const brought = new Set(readdirSync(staging).filter((name) => !stays(name)))
  // `openDataDirectory` has made an empty one where there was no store.
  const isEmpty = !existsSync(join(path, 'mail.db')) && readdirSync(join(path, 'content')).length === 0
  if (isEmpty) rmdirSync(join(path, 'content'))
  const away = [...storeNames, ...beside.filter((name) => brought.has(name))].filter((name) =>
    existsSync(join(path, name)),
  )
  if (away.length > 0) makeDirectory(aside, 0o700)
  for (const name of away) move(join(path, name), join(aside, name))
  brought.delete('mail.db')
  for (const name of [...brought, 'mail.db']) move(join(staging, name), join(path, name))
  return away.length > 0 ? aside : undefined
}

/** On the disk when it returns. */
function move(from: string, to: string): void {
  renameSync(from, to)
  syncPathSync(dirname(to))
  syncPathSync(dirname(from))
}
