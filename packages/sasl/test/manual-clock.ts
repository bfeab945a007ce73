import type { Clock, Timer } from '@pennypost/model'

/** Time that stands until a test moves it, for throttles and caches. */
export function createManualClock(start = Date.UTC(2026, 0, 1)): Clock & { advance(byMs: number): void } {
  let passed = 0
  const waiting = new Set<{ due: number; run: () => void }>()

  function after(delayMs: number, task: () => void): Timer {
    const entry = { due: passed + delayMs, run: task }
    waiting.add(entry)
    return {
      refresh() {
        entry.due = passed + delayMs
        waiting.add(entry)
      },
      [Symbol.dispose]() {
        waiting.delete(entry)
      },
    }
  }

  return {
    now: () => start + passed,
    elapsed: () => passed,
    after,
    busy: () => ({ [Symbol.dispose]() {} }),
    advance(byMs) {
      const end = passed + byMs
      for (;;) {
        const next = [...waiting].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0]
        if (!next) break
        passed = next.due
        waiting.delete(next)
        next.run()
      }
      passed = end
    },
  }
}
