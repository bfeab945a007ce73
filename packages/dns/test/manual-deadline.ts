import type { Deadline, Timer } from '@pennypost/model'

/** A deadline that passes when the test says so: no test waits, and none fails because the machine is slow. */
export interface ManualDeadline extends Deadline {
  /** Lets everything pass that was given at most `delayMs`. */
  expire(delayMs: number): void
}

export function createManualDeadline(): ManualDeadline {
  const running = new Set<{ delayMs: number; expire: () => void }>()
  const after = (delayMs: number, expire: () => void): Timer => {
    const entry = { delayMs, expire }
    running.add(entry)
    return { refresh() {}, [Symbol.dispose]: () => void running.delete(entry) }
  }
  return {
    after,
    signal(delayMs, parent) {
      const own = new AbortController()
      after(delayMs, () => own.abort(new DOMException('no time left', 'TimeoutError')))
      return parent ? AbortSignal.any([own.signal, parent]) : own.signal
    },
    expire(delayMs) {
      for (const entry of running) {
        if (entry.delayMs > delayMs) continue
        running.delete(entry)
        entry.expire()
      }
    },
  }
}
