import type { Clock } from '@pennypost/model'

/**
 * A map whose entries end `maxAgeMs` after they were set, and that never holds more than `maxEntries`: the oldest goes
 * first. What an attacker can fill, he can fill only so far.
 */
export class ExpiringMap<Value> {
  readonly #clock: Clock
  readonly #limits: { maxAgeMs: number; maxEntries: number }
  /** In order of `since`: setting an entry moves it to the end. */
  readonly #entries = new Map<string, { since: number; value: Value }>()

  constructor(clock: Clock, limits: { maxAgeMs: number; maxEntries: number }) {
    this.#clock = clock
    this.#limits = limits
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    if (this.#clock.elapsed() - entry.since < this.#limits.maxAgeMs) return entry.value
    this.#entries.delete(key)
    return undefined
  }

  /** Sets it, its age anew. */
  set(key: string, value: Value): void {
    this.#entries.delete(key)
    if (this.#entries.size >= this.#limits.maxEntries) {
      const [oldest] = this.#entries.keys()
      if (oldest !== undefined) this.#entries.delete(oldest)
    }
    this.#entries.set(key, { since: this.#clock.elapsed(), value })
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }
}
