import type { Clock } from '@pennypost/model'
import { ExpiringMap } from './expiring-map.ts'

/**
 * Counts wrong passwords per network and per login name, in windows of a minute.
 *
 * Never broken: an attempt is counted before it is checked, so that a hundred at once are no way around; the same wrong
 * password counts once in its window (a telephone with an old password is no attacker); memory is bounded, whatever
 * comes.
 */

const windowMs = 60_000

interface Window {
  /** Fingerprints of the attempts, as many as can still be told apart. */
  seen: Set<string>
  /** Those beyond, which are only counted. */
  more: number
}

export class Throttle {
  readonly #windows: ExpiringMap<Window>
  readonly #told: number

  /** `perMinute` is what callers compare with; a window tells that many attempts apart. */
  constructor(clock: Clock, limits: { perMinute: number; maxTracked: number }) {
    this.#windows = new ExpiringMap(clock, { maxAgeMs: windowMs, maxEntries: limits.maxTracked })
    this.#told = limits.perMinute
  }

  /** Counts an attempt. @returns how many different ones this key has had within its window, this one included. */
  charge(key: string, fingerprint: string): number {
    let window = this.#windows.get(key)
    if (!window) {
      window = { seen: new Set(), more: 0 }
      this.#windows.set(key, window)
    }
    const { seen } = window
    if (seen.size < this.#told) seen.add(fingerprint)
    if (seen.has(fingerprint)) return seen.size
    // What cannot be told apart any more counts every time.
    return seen.size + ++window.more
  }

  /** Takes an attempt back: it was right, or could not be checked. */
  refund(key: string, fingerprint: string): void {
    const window = this.#windows.get(key)
    if (window && !window.seen.delete(fingerprint) && window.more > 0) window.more--
  }
}
