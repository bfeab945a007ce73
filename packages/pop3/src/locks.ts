import type { AccountId, Clock, Deadline } from '@pennypost/model'

/**
 * The exclusive lock of RFC 1939 §4, among POP3 sessions only: IMAP and delivery go on. A session that has been silent
 * for `takeoverMs` loses its maildrop to the next login, so that a client whose line broke is not locked out. A login
 * waits a little for a session that is about to end; those that wait get the lock in the order in which they came.
 */
export interface LockHolder {
  /** Milliseconds of `Clock.elapsed()` at the last command. */
  readonly lastActive: number
  /** The maildrop was taken over: end without UPDATE. */
  evicted(): void
}

export interface LockTimes {
  clock: Clock
  deadline: Deadline
  takeoverMs: number
  /** How long a login waits; 0: not at all. */
  waitMs: number
}

interface Lock {
  holder: LockHolder
  waiting: Waiting[]
}

interface Waiting {
  holder: LockHolder
  give(lock: Disposable | undefined): void
}

export class MaildropLocks {
  readonly #locks = new Map<AccountId, Lock>()
  readonly #times: LockTimes

  constructor(times: LockTimes) {
    this.#times = times
  }

  /** The lock, or undefined when a live session holds it and goes on holding it. */
  async take(account: AccountId, holder: LockHolder): Promise<Disposable | undefined> {
    const { deadline, waitMs } = this.#times
    const lock = this.#locks.get(account)
    if (!lock || this.#isSilent(lock) || waitMs === 0) return this.#takeNow(account, holder)
    const { promise, resolve } = Promise.withResolvers<Disposable | undefined>()
    const own: Waiting = { holder, give: resolve }
    lock.waiting.push(own)
    using _ = deadline.after(waitMs, () => {
      lock.waiting.splice(lock.waiting.indexOf(own), 1)
      resolve(this.#takeNow(account, holder))
    })
    return await promise
  }

  #takeNow(account: AccountId, holder: LockHolder): Disposable | undefined {
    const present = this.#locks.get(account)
    if (present && !this.#isSilent(present)) return undefined
    const lock = present ?? { holder, waiting: [] }
    this.#locks.set(account, lock)
    const before = lock.holder
    lock.holder = holder
    if (present) before.evicted()
    return this.#handle(account, lock, holder)
  }

  #handle(account: AccountId, lock: Lock, holder: LockHolder): Disposable {
    return {
      [Symbol.dispose]: () => {
        if (lock.holder !== holder) return
        const next = lock.waiting.shift()
        if (!next) {
          this.#locks.delete(account)
          return
        }
        lock.holder = next.holder
        next.give(this.#handle(account, lock, next.holder))
      },
    }
  }

  #isSilent({ holder }: Lock): boolean {
    return this.#times.clock.elapsed() - holder.lastActive >= this.#times.takeoverMs
  }
}
