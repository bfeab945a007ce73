import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { codeOf, FatalError } from './fatal-error.ts'

/**
 * Whether an error says that there is no room: of the file system, or of what the user who runs us may have of it. Asked
 * by the writer and the keeper wherever SQLite or Node failed to write. Never true for what is fatal.
 *
 * SQLite says it of a full file system with a code of its own, but for the index of its log, `-shm`, which it grows
 * octet by octet because a write through the mapping could not be refused. A quota that is used up is to it a write
 * that failed for whatever reason, and better-sqlite3 does not give the reason: a write of our own to `probe` does.
 */
export function isFull(error: unknown, probe?: string): boolean {
  if (error instanceof FatalError) return false
  const code = codeOf(error)
  return fullCodes.has(code) || (code === 'SQLITE_IOERR_WRITE' && probe !== undefined && isRefused(probe))
}

const fullCodes = new Set(['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE', 'ENOSPC', 'EDQUOT'])

/** What `isFull` was found true of, so that nobody has to try again to know it. */
export function fullError(cause: unknown): Error {
  return Object.assign(new Error('the file system is full', { cause }), { code: 'ENOSPC' })
}

/** Throws as `writeSync` does when there is no room for as much as SQLite ever writes at once; leaves nothing at `probe`. */
export function requireRoom(probe: string): void {
  const fd = openSync(probe, 'w', 0o600)
  try {
    rmSync(probe)
    for (let at = 0; at < probeOctets.length; ) at += writeSync(fd, probeOctets, at)
  } finally {
    closeSync(fd)
  }
}

/** More than any single write of SQLite, and as much as the index of the log takes (`wal-index.ts`). */
const probeOctets = Buffer.alloc(1024 * 1024, 1)

function isRefused(probe: string): boolean {
  try {
    requireRoom(probe)
    return false
  } catch (error) {
    return codeOf(error) === 'EDQUOT' || codeOf(error) === 'ENOSPC'
  }
}
