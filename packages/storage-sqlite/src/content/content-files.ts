import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { syncOwnSync } from '@pennypost/model'

/**
 * Write-once files for large contents: `content/<directory>/<number>`. Each process fills directories of its own,
 * numbered from where the last one ended, so that everything in older directories is older than the process. What has
 * another name is not ours: it is neither read nor taken away.
 */
const filesPerDirectory = 1000

export class ContentFiles {
  readonly #root: string
  /** The first directory that this process fills: older ones hold nothing that is on its way in. */
  readonly firstDirectory: number
  #directory: number
  #count = filesPerDirectory

  constructor(root: string) {
    this.#root = root
    // A backup without large contents may have lost its empty directory on the way.
    const names = existsSync(root) ? readdirSync(root) : []
    const numbers = names.map(directoryNumber).filter((number) => number !== undefined)
    this.firstDirectory = Math.max(0, ...numbers) + 1
    this.#directory = this.firstDirectory - 1
  }

  /** A name that no file has had, relative to the root; its directory is there and durable. */
  next(): string {
    if (this.#count >= filesPerDirectory) {
      // On a full disk it is refused, and asked for again.
      mkdirSync(join(this.#root, directoryName(this.#directory + 1)), { mode: 0o700 })
      this.#directory++
      syncOwnSync(this.#root)
      // Not before: a directory that may not be on the disk gets no files.
      this.#count = 0
    }
    return `${directoryName(this.#directory)}/${this.#count++}`
  }

  path(name: string): string {
    return join(this.#root, name)
  }

  /**
   * Takes away files of earlier processes that nothing refers to: content that was received and never accepted, or
   * expunged just before a crash. Gives how many.
   */
  sweep(isReferenced: (name: string) => boolean): number {
    let swept = 0
    for (const directory of readdirSync(this.#root)) {
      const number = directoryNumber(directory)
      if (number === undefined || number >= this.firstDirectory) continue
      const files = readdirSync(join(this.#root, directory))
      let left = files.length
      for (const file of files) {
        if (isReferenced(`${directory}/${file}`)) continue
        rmSync(join(this.#root, directory, file), { force: true })
        swept++
        left--
      }
      if (left === 0) rmdirSync(join(this.#root, directory))
    }
    return swept
  }
}

function directoryName(number: number): string {
  return number.toString(16).padStart(6, '0')
}

/** The number of a directory of contents; undefined for what is none of ours. */
export function directoryNumber(name: string): number | undefined {
  const number = Number.parseInt(name, 16)
  return directoryName(number) === name ? number : undefined
}
