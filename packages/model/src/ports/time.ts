/**
 * Time is passed in, never taken. Two notions, kept apart on purpose:
 *
 * - `Clock` drives everything that a test may want to move: dates, schedules, leases, caches, throttles.
 * - `Deadline` is always real and monotonic: socket timeouts, drains, syncs. A virtual clock must never hang up a peer.
 *
 * Who calls it: every package; only the composition root makes the real ones (`system.ts`).
 */

/** A timer that can be taken back. Disposing twice, or after it ran, does nothing. */
export interface Timer extends Disposable {
  /** Starts the full interval anew, unless disposed. One idle timer per socket is refreshed, not remade. */
  refresh(): void
}

export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z: for dates that people or peers see, and for schedules kept in the store. */
  now(): number
  /** Monotonic milliseconds from an arbitrary start: for leases, throttles, cache ages. Never stored. */
  elapsed(): number
  /** Runs `task` once, `delayMs` of this clock from now. The process may exit before it runs. */
  after(delayMs: number, task: () => void): Timer
  /**
   * Holds a virtual clock while work that a timer began is in flight (`using busy = clock.busy('attempt')`), so that
   * virtual time steps only when the world is quiet. The real clock ignores it.
   */
  busy(what: string): Disposable
}

export interface Deadline {
  /** Runs `expire` once, `delayMs` of real time from now. Does not keep the process alive. */
  after(delayMs: number, expire: () => void): Timer
  /** An AbortSignal that fires after `delayMs` of real time, or when `parent` does. */
  signal(delayMs: number, parent?: AbortSignal): AbortSignal
}

export interface Random {
  /** Unpredictable octets, for ids and secrets. */
  bytes(count: number): Buffer
  /** In [0, 1), for jitter and for the order of equals. */
  fraction(): number
}
