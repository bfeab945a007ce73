import { closeSync, openSync, readSync } from 'node:fs'
import type { BodyOctets } from '@pennypost/model'

/**
 * A stretch of a file whose octets are read where they are asked for, so that a letter of 50 MB costs what is looked at and
 * not its attachments. For threads that may wait. Who makes it closes it; the file may be unlinked meanwhile.
 */
export class FileOctets implements BodyOctets {
  readonly length: number
  readonly #file: number
  readonly #start: number

  constructor(path: string, start: number, length: number) {
    this.#file = openSync(path, 'r')
    this.#start = start
    this.length = length
  }

  /** Fewer octets where the file is shorter than it was. */
  subarray(start: number, end: number): Buffer {
    const octets = Buffer.allocUnsafeSlow(Math.max(0, Math.min(end, this.length) - start))
    let filled = 0
    while (filled < octets.length) {
      const count = readSync(this.#file, octets, filled, octets.length - filled, this.#start + start + filled)
      if (count === 0) break
      filled += count
    }
    return octets.subarray(0, filled)
  }

  close(): void {
    closeSync(this.#file)
  }
}
