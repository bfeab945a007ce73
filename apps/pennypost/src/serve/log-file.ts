import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeDirectory } from '@pennypost/model'

/**
 * Where the lines of the log go: a file, or standard output. Written at once and in whole pieces by whoever calls `write`.
 *
 * Never broken: a log that cannot be written ends no server and holds up no end of one. It is said on standard error,
 * once; what could not be written is kept, within a bound, and goes ahead of the next that can.
 */
export class LogFile {
  readonly #path: string
  #fd: number | undefined
  /** Not written yet. */
  #rest: Buffer = Buffer.alloc(0)
  #isLost = false

  /** @param path '' is standard output */
  constructor(path: string) {
    this.#path = path
    this.#fd = path === '' ? 1 : this.#open()
    if (path !== '' && this.#fd !== undefined && endsAmidLine(this.#fd)) this.write('\n')
  }

  write(text: string): void {
    const added = Buffer.from(text)
    // What comes beyond the bound is dropped; what is kept stays whole lines.
    if (this.#rest.length + added.length <= keptOctets) this.#rest = Buffer.concat([this.#rest, added])
    this.#fd ??= this.#open()
    while (this.#fd !== undefined && this.#rest.length > 0) {
      try {
        this.#rest = this.#rest.subarray(writeSync(this.#fd, this.#rest))
        this.#isLost = false
      } catch (error) {
        // A reader of standard output that is slow gets it with the next lines.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') this.#lost(error as Error)
        return
      }
    }
  }

  /** After rotation: what comes goes to a new file of the name. */
  reopen(): void {
    if (this.#path === '') return
    const fresh = this.#open()
    if (fresh === undefined) return
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = fresh
  }

  #open(): number | undefined {
    try {
      makeDirectory(dirname(this.#path))
      return openSync(this.#path, 'a+', 0o640)
    } catch (error) {
      this.#lost(error as Error)
      return undefined
    }
  }

  #lost(error: Error): void {
    if (!this.#isLost) process.stderr.write(`pennypost: the log cannot be written: ${error.message}\n`)
    this.#isLost = true
  }
}

const keptOctets = 4 * 1024 * 1024

/** A process that ended on a full disk has left the beginning of a line. */
function endsAmidLine(fd: number): boolean {
  const { size } = fstatSync(fd)
  const last = Buffer.alloc(1)
  return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last.toString() !== '\n'
}
