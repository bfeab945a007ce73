import { statfsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Log, makeDirectory } from '@pennypost/model'
import Database from 'better-sqlite3'
import type { FileSystemSpace } from './options.ts'
import { ownersAlone } from './owners-alone.ts'

/**
 * The data directory and the lock by which one process owns it.
 *
 * The lock is an exclusive transaction of SQLite on a database of its own. The kernel drops it when the process ends in
 * whatever way, so nothing is left to clear up after `kill -9`, and no second process can have it meanwhile. A file
 * with a process id would need a guess whether that process still lives, which goes wrong when ids are reused, as in
 * containers, where ours is often 1 each time. It is not a lock on mail.db itself, since readers and writer use that.
 * Nothing else in the process may open lock.db: closing any descriptor of it would drop the lock.
 */
export interface DataDirectory extends Disposable {
  readonly path: string
  readonly database: string
  readonly contents: string
  readonly ballast: string
  /** The search index, which is derived from the rest. */
  readonly searchIndex: string
  /** Where a restore makes a store ready. */
  readonly staging: string
}

/** Throws when another process has it, or when it is on a file system without reliable locks and syncs. */
export function openDataDirectory(directory: string, log: Log): DataDirectory {
  const path = resolve(directory)
  const contents = join(path, 'content')
  makeDirectory(contents, 0o700)
  refuseNetwork(path, log)
  const lock = takeLock(path)
  return {
    path,
    database: join(path, 'mail.db'),
    contents,
    ballast: join(path, 'ballast'),
    searchIndex: join(path, 'search.db'),
    staging: join(path, 'restoring'),
    [Symbol.dispose]() {
      lock.close()
    },
  }
}

function takeLock(path: string): Database.Database {
  const file = join(path, 'lock.db')
  const lock = new Database(file, { timeout: 0 })
  try {
    ownersAlone(file)
    // Nothing is written: a journal file would need room, on a disk that may have none.
    lock.pragma('journal_mode = MEMORY')
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (error instanceof Database.SqliteError && error.code === 'SQLITE_BUSY') {
      throw new Error(
        `The data directory ${path} is in use by another process. A server that is starting or stopping takes verbs in a ` +
          'moment; another server, or `restore`, needs it stopped.',
      )
    }
    throw error
  }
}

/** Types of statfs(2) whose locks and syncs do not hold what WAL needs. */
const networkTypes = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9P'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x564c, 'NCP'],
  [0x73757245, 'Coda'],
])
const fuse = 0x65735546

/** Throws for the types of file system that SQLite's WAL can not be trusted on. */
export function refuseNetwork(path: string, log: Log, type: number = statfsSync(path).type): void {
  const unsigned = type >>> 0
  const name = networkTypes.get(unsigned)
  if (name) throw new Error(`The data directory ${path} is on ${name}: a local file system is needed.`)
  // FUSE may be a local disk (ntfs-3g, a container's bind mount) or the network (sshfs); it does not say which.
  if (unsigned === fuse) log.warn({ path }, 'the data directory is on FUSE: make sure that it is a local disk')
}

export function fileSystemSpace(path: string): FileSystemSpace {
  const { bavail, blocks, bsize } = statfsSync(path)
  return { free: bavail * bsize, total: blocks * bsize }
}
