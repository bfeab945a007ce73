/**
 * Hosts that had TLS while this process ran. One that offers none any more gets its mail all the same, but somebody may stand
 * in between: the journey and the log say so.
 *
 * Who calls it: `dial`, for each host that it meets.
 */
import type { Log } from '@pennypost/model'
import { dropOldest } from '../drop-oldest.ts'

const hostsMax = 10_000

export class TlsHosts {
  readonly #log: Log
  /** Whether it was told already that the host has none any more. */
  readonly #told = new Map<string, boolean>()

  constructor(log: Log) {
    this.#log = log
  }

  secured(host: string): void {
    this.#told.delete(host)
    this.#told.set(host, false)
    dropOldest(this.#told, hostsMax)
  }

  /** Whether a host without TLS had it before. */
  hasLost({ host, address }: { host: string; address: string }): boolean {
    const told = this.#told.get(host)
    if (told === false) {
      this.#told.set(host, true)
      this.#log.warn({ host, address }, 'a host that had TLS offers none any more')
    }
    return told !== undefined
  }
}
