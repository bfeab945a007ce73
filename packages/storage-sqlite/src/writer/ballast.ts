import { closeSync, fdatasyncSync, fstatSync, openSync, truncateSync, writeSync } from 'node:fs'

/**
 * Room that is given up when the file system is full, so that what frees room (expunge, POP3's update, queue outcomes)
 * still gets through: SQLite must write before it can delete. Real zeros, since a sparse file reserves nothing.
 */
const chunk = Buffer.alloc(1024 * 1024)

/** Makes the file so many octets long; as far as there is room, and upkeep comes again. */
export function restoreBallast(path: string, octets: number): void {
  try {
    const fd = openSync(path, 'a')
    try {
      for (let at = fstatSync(fd).size; at < octets; )
        at += writeSync(fd, chunk, 0, Math.min(chunk.length, octets - at))
      fdatasyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch {
    // Another program was faster. What there is of it is given up like a whole one.
  }
}

/** Gives the room up; false when there was none to give. */
export function releaseBallast(path: string): boolean {
  try {
    const fd = openSync(path, 'r')
    try {
      if (fstatSync(fd).size === 0) return false
    } finally {
      closeSync(fd)
    }
    truncateSync(path, 0)
    return true
  } catch {
    return false
  }
}

/** Runs it, and once more on the ballast when the file system is full. */
export function onBallast<Result>(path: string, run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    if (!isFull(error) || !releaseBallast(path)) throw error
    return run()
  }
}

/**
 * Whether it says that the file system is full. SQLite says so itself but for the index of its log, `-shm`, which it
 * grows octet by octet because a write through the mapping could not be refused.
 */
export function isFull(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  return code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE' || code === 'ENOSPC'
}
