import { closeSync, openSync, readSync, writeSync } from 'node:fs'

/**
 * The index of the log, `mail.db-shm`, with every octet backed by a block. SQLite maps the file and, where it grows it, writes
 * one octet in each 4 KB: on a file system with smaller blocks the rest are holes, and a write through the mapping that finds no
 * block for one ends the process (SIGBUS). So the writer fills holes at open, far beyond what the log will ever need, and
 * SQLite neither grows the file nor meets a hole again.
 *
 * The file stays open until SQLite has closed it everywhere: POSIX drops all locks that a process has on a file when it
 * closes any descriptor of it.
 */
export class WalIndex implements Disposable {
  readonly #fd: number

  /** Called after the first transaction, before which there is no index; throws as `writeSync` does on a full disk. */
  constructor(database: string) {
    this.#fd = openSync(indexOf(database), 'r+')
    try {
      const piece = Buffer.alloc(pieceOctets)
      for (let at = 0; at < indexOctets; at += pieceOctets) this.#fill(piece, at)
    } catch (error) {
      closeSync(this.#fd)
      throw error
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }

  /**
   * What reads as zeros may be a hole; what does not has its block. Zeros are only changed by whoever adds to the log, which is
   * the caller, and so never under our hands.
   */
  #fill(piece: Buffer, at: number): void {
    piece.fill(0)
    readSync(this.#fd, piece, 0, pieceOctets, at)
    const step = piece.equals(zeros) ? pieceOctets : blockOctets
    for (let from = 0; from < pieceOctets; from += step) {
      const part = piece.subarray(from, from + step)
      if (part.equals(zeros.subarray(0, step))) writeAll(this.#fd, part, at + from)
    }
  }
}

/** Less than all is written where only that much has room: the next write says so. */
function writeAll(fd: number, octets: Buffer, at: number): void {
  for (let done = 0; done < octets.length; ) done += writeSync(fd, octets, done, octets.length - done, at + done)
}

export function indexOf(database: string): string {
  return `${database}-shm`
}

/** 4 096 frames to 32 KB: a log of 131 000 frames, sixteen times the length at which the writer empties it. Octets. */
export const indexOctets = 1024 * 1024
const pieceOctets = 64 * 1024
/** No file system has smaller blocks. */
const blockOctets = 512
const zeros = Buffer.alloc(pieceOctets)
