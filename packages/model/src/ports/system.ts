import { randomBytes } from 'node:crypto'
import type { Clock, Deadline, Random, Timer } from './time.ts'

/**
 * The real time and chance. Only composition roots (the program, benchmarks) may import these; everything else takes
 * `Clock`, `Deadline` and `Random` as arguments, and `test/tidy` holds that.
 */

// setTimeout counts in signed 32 bits; longer waits are made of several.
const longestMs = 0x7fff_ffff

function start(delayMs: number, task: () => void): Timer {
  let handle: NodeJS.Timeout
  let disposed = false
  const arm = (leftMs: number): void => {
    handle = setTimeout(() => (leftMs > longestMs ? arm(leftMs - longestMs) : task()), Math.min(leftMs, longestMs))
    handle.unref()
  }
  arm(Math.max(0, delayMs))
  return {
    refresh() {
      // Node's own refresh would bring a cleared timer back to life.
      if (disposed) return
      if (delayMs <= longestMs) {
        handle.refresh()
        return
      }
      clearTimeout(handle)
      arm(delayMs)
    },
    [Symbol.dispose]() {
      disposed = true
      clearTimeout(handle)
    },
  }
}

const nothingHeld: Disposable = { [Symbol.dispose]() {} }

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: start,
  busy: () => nothingHeld,
}

export const systemDeadline: Deadline = {
  after: start,
  signal(delayMs, parent) {
    // Not AbortSignal.timeout: Node keeps a signal made of one for ever once it is the parent of another.
    const own = new AbortController()
    start(delayMs, () => own.abort(new DOMException('Not done in time', 'TimeoutError')))
    return parent ? AbortSignal.any([own.signal, parent]) : own.signal
  },
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  fraction: () => Math.random(),
}
