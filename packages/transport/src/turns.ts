import type { Clock } from '@pennypost/model'

/**
 * Time between commands for all others. A command that is done at once, or asks a store that answers at once, is
 * followed by the next one in the same turn of the event loop, and no socket is read meanwhile: whoever sends thousands
 * without waiting would hold up everybody. One of these is shared by the sessions of a service, so that many such clients
 * take no more of a turn than one, but for a command of each. Clients that wait for each answer pay next to nothing.
 */
export class Turns {
  readonly #clock: Pick<Clock, 'elapsed'>
  #spentMs = 0
  #next: Promise<void> | undefined

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock
  }

  /** For `over`: when a command begins. */
  now(): number {
    return this.#clock.elapsed()
  }

  /** A command that began at `from` is done. Undefined, or what its session waits for before it begins another. */
  over(from: number): Promise<void> | undefined {
    // Also counts what a command waited for, e.g. a commit: one turn more is nothing to who has waited so long.
    this.#spentMs += this.#clock.elapsed() - from
    if (this.#spentMs < turnMs) return undefined
    this.#next ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#spentMs = 0
        this.#next = undefined
        resolve()
      })
    })
    return this.#next
  }
}

/** Some hundred small commands. */
const turnMs = 5
