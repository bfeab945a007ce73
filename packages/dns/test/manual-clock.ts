import type { Clock, Timer } from '@pennypost/model'

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Moves time on and runs what became due, in order. */
  advance(ms: number): void
  /** What holds the clock at the moment. */
  readonly held: number
}

export function createManualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let passedMs = 0
  let held = 0
  const timers = new Set<{ dueMs: number; task: () => void }>()
  return {
    now: () => startMs + passedMs,
    elapsed: () => passedMs,
    after(delayMs, task): Timer {
      const timer = { dueMs: passedMs + delayMs, task }
      timers.add(timer)
      return {
        refresh: () => void timers.add(Object.assign(timer, { dueMs: passedMs + delayMs })),
        [Symbol.dispose]: () => void timers.delete(timer),
      }
    },
    busy() {
      held++
      return { [Symbol.dispose]: () => void held-- }
    },
    advance(ms) {
      passedMs += ms
      for (const timer of [...timers].sort((a, b) => a.dueMs - b.dueMs)) {
        if (timer.dueMs > passedMs) continue
        timers.delete(timer)
        timer.task()
      }
    },
    get held() {
      return held
    },
  }
}
