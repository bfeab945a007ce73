/**
 * Lets so many in at a time and the rest wait in order, up to a limit: the guard against a burst (a spam run, a list of
 * 10 000 domains) that would use up sockets, here or at whoever is asked.
 */
export interface Gate {
  /** Resolves with the pass, to be disposed of when done; rejects with the signal's reason, or at once when too many wait. */
  enter(signal: AbortSignal): Promise<Disposable>
}

/** Makes a gate for `limit` at a time and `waitingLimit` behind them; `what`: how an error calls them. */
export function createGate(limit: number, waitingLimit: number, what: string): Gate {
  let inside = 0
  const waiting = new Set<() => void>()

  const createPass = (): Disposable => {
    inside++
    let used = false
    return {
      [Symbol.dispose]() {
        if (used) return
        used = true
        inside--
        const [next] = waiting
        next?.()
      },
    }
  }

  return {
    enter(signal) {
      if (signal.aborted) return Promise.reject(signal.reason)
      if (inside < limit) return Promise.resolve(createPass())
      if (waiting.size >= waitingLimit) return Promise.reject(new Error(`more than ${waitingLimit} ${what} waiting`))
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          waiting.delete(admit)
          signal.removeEventListener('abort', refuse)
        }
        const admit = (): void => {
          leave()
          resolve(createPass())
        }
        const refuse = (): void => {
          leave()
          reject(signal.reason)
        }
        waiting.add(admit)
        signal.addEventListener('abort', refuse)
      })
    },
  }
}
