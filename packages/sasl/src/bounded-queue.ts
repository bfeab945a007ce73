/**
 * Lets only so much work run at once, and only so much wait. bcrypt holds a thread of the pool that file I/O needs, and
 * takes 50 ms of it: without this, a burst of logins stops the mail.
 */

/** The line is full: a temporary condition. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull'
}

export interface BoundedQueue {
  /** Runs `work` when it is its turn. Rejects with `QueueFull` at once, or with what `work` rejects with. */
  run<Result>(work: () => Promise<Result>): Promise<Result>
}

/** First come, first served. */
export function createBoundedQueue(limits: { atOnce: number; waiting: number }): BoundedQueue {
  const line: (() => void)[] = []
  let running = 0
  return {
    async run(work) {
      if (running < limits.atOnce) running++
      else if (line.length >= limits.waiting) throw new QueueFull(`more than ${limits.waiting} are waiting`)
      else await new Promise<void>((resolve) => line.push(resolve))
      try {
        return await work()
      } finally {
        // Whoever comes next takes over this place.
        const next = line.shift()
        if (next) next()
        else running--
      }
    },
  }
}
