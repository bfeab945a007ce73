/**
 * Time that moves only when a test moves it. `now` and `elapsed` advance together. Timers run in the order
 * of their time, and of their making where that is equal; the clock stands still while anybody holds it with `busy`.
 *
 * Who calls it: tests of every package.
 */
import type { Clock, Timer } from '../ports/time.ts'

export interface VirtualClock extends Clock {
  /** Moves by `ms`, running what falls due. Waits for the world to be quiet before each step and at the end. */
  advance(ms: number): Promise<void>
  /** Time of the next timer; undefined when there is none. */
  nextTimerAt(): number | undefined
  /** What holds the clock at the moment. */
  held(): string[]
}

interface Task {
  at: number
  order: number
  run: () => void
}

export function virtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  const tasks = new Set<Task>()
  const holders = new Set<{ what: string }>()
  let quiet = Promise.withResolvers<void>()
  let now = startMs
  let order = 0

  function next(): Task | undefined {
    let first: Task | undefined
    for (const task of tasks) {
      if (!first || task.at < first.at || (task.at === first.at && task.order < first.order)) first = task
    }
    return first
  }

  /** Lets everything that can go on do so, until nobody holds the clock. */
  async function settle(): Promise<void> {
    do {
      while (holders.size > 0) await quiet.promise
      await new Promise((resolve) => setImmediate(resolve))
    } while (holders.size > 0)
  }

  return {
    now: () => now,
    elapsed: () => now - startMs,
    after(delayMs, run) {
      const task: Task = { at: 0, order: 0, run }
      let disposed = false
      const timer: Timer = {
        refresh() {
          if (disposed) return
          task.at = now + Math.max(0, delayMs)
          task.order = ++order
          tasks.add(task)
        },
        [Symbol.dispose]() {
          disposed = true
          tasks.delete(task)
        },
      }
      timer.refresh()
      return timer
    },
    busy(what) {
      const holder = { what }
      holders.add(holder)
      return {
        [Symbol.dispose]() {
          if (!holders.delete(holder) || holders.size > 0) return
          quiet.resolve()
          quiet = Promise.withResolvers<void>()
        },
      }
    },
    async advance(ms) {
      const end = now + ms
      await settle()
      for (let task = next(); task && task.at <= end; task = next()) {
        tasks.delete(task)
        now = Math.max(now, task.at)
        task.run()
        await settle()
      }
      now = Math.max(now, end)
    },
    nextTimerAt: () => next()?.at,
    held: () => [...holders].map((holder) => holder.what),
  }
}
