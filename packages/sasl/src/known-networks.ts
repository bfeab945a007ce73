import type { Clock, Log, PolicyMemory } from '@pennypost/model'
import { ExpiringMap } from './expiring-map.ts'

/**
 * The networks from which somebody has logged in during the last 30 days. They are slowed when passwords are wrong, and
 * never shut out: an office behind one address must not lose its mail to one forgotten device.
 */

const dayMs = 86_400_000
const keptMs = 30 * dayMs
// A note an hour keeps 30 days exact enough, and the login path free of writes.
const noteEveryMs = 3_600_000

export class KnownNetworks {
  readonly #memory: PolicyMemory
  readonly #clock: Clock
  readonly #log: Log
  readonly #noted: ExpiringMap<true>

  constructor(memory: PolicyMemory, clock: Clock, log: Log, maxTracked: number) {
    this.#memory = memory
    this.#clock = clock
    this.#log = log
    this.#noted = new ExpiringMap(clock, { maxAgeMs: noteEveryMs, maxEntries: maxTracked })
  }

  /** Remembers a success; nobody waits for it, and its failure costs nobody his login. */
  welcome(network: string): void {
    if (network === '' || this.#noted.get(network)) return
    this.#noted.set(network, true)
    const now = this.#clock.now()
    this.#memory.note([{ kind: 'login', key: network, at: now, expiresAt: now + keptMs }]).catch((error: Error) => {
      this.#noted.delete(network)
      this.#log.warn({ error: error.message }, 'login network could not be noted')
    })
  }

  async has(network: string): Promise<boolean> {
    if (network === '') return false
    if (this.#noted.get(network)) return true
    return (await this.#memory.recall('login', network, this.#clock.now())) !== undefined
  }
}
