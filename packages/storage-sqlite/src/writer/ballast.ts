import { closeSync, fdatasyncSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs'
import { isFull } from './full-disk.ts'

/**
 * Room that is given up when the file system is full, so that what frees room (expunge, POP3's update, queue outcomes)
 * still gets through: SQLite must write before it can delete. Real zeros, since a sparse file reserves nothing. It is
 * given up piece by piece and taken back at once, so that it serves again and again, whoever else fills the disk.
 */
const chunk = Buffer.alloc(1024 * 1024)

/** Makes the file so many octets long; as far as there is room, and upkeep comes again. */
export function restoreBallast(path: string, octets: number): void {
  try {
    const fd = openSync(path, 'a', 0o600)
    try {
      for (let at = sizeOf(path); at < octets; ) at += writeSync(fd, chunk, 0, Math.min(chunk.length, octets - at))
      fdatasyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch {
    // Another program was faster. What there is of it is given up like a whole one.
  }
}

/** Gives up so much of the room, all of it when little would be left; false when there was none to give. */
function releaseBallast(path: string, octets: number): boolean {
  try {
    const size = sizeOf(path)
    if (size === 0) return false
    const fd = openSync(path, 'r+')
    try {
      ftruncateSync(fd, Math.max(0, size - octets))
      // Some file systems give blocks back only when they have noted it.
      fdatasyncSync(fd)
    } finally {
      closeSync(fd)
    }
    return true
  } catch {
    return false
  }
}

/**
 * Runs it; on a full file system again on more and more of the ballast. What the run did not need of that is taken back,
 * after `settle` has been called, which may need some too.
 */
export function onBallast<Result>(path: string, run: () => Result, settle: () => void = () => {}): Result {
  const before = sizeOf(path)
  let given = false
  try {
    for (let piece = firstPiece; ; piece *= 2) {
      try {
        const result = run()
        if (given) settle()
        return result
      } catch (error) {
        if (!isFull(error, probeOf(path)) || !releaseBallast(path, piece)) throw error
        given = true
      }
    }
  } finally {
    if (given) restoreBallast(path, before)
  }
}

const firstPiece = 512 * 1024

/** The file that is written to learn why a write failed. */
export function probeOf(ballast: string): string {
  return `${ballast}.probe`
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
