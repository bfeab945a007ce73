import { closeSync, fdatasyncSync, fstatSync, openSync, writeSync } from 'node:fs'

/**
 * Room that is given up when the file system is full, so that what frees room (expunge, POP3's update, queue outcomes)
 * still gets through: SQLite must write before it can delete. Real zeros, since a sparse file reserves nothing.
 */
const ballastOctets = 16 * 1024 * 1024
const chunk = Buffer.alloc(1024 * 1024)

/** Makes the file whole. False when there was nothing to do or no room for it. */
export function restoreBallast(path: string): boolean {
  try {
    const fd = openSync(path, 'a')
    try {
      const { size } = fstatSync(fd)
      if (size >= ballastOctets) return false
      for (let at = size; at < ballastOctets; at += chunk.length) writeSync(fd, chunk)
      fdatasyncSync(fd)
      return true
    } finally {
      closeSync(fd)
    }
  } catch {
    // No room for the reserve of room: hasRoom() refuses new content already, and upkeep comes again.
    return false
  }
}
