import type { AccountId, Clock } from '@pennypost/model'

/**
 * The exclusive lock of RFC 1939 §4, among POP3 sessions only: IMAP and delivery go on. A session that has been silent
 * for `takeoverMs` loses its maildrop to the next login, so that a client whose line broke is not locked out.
 */
export interface LockHolder {
  /** Milliseconds of `Clock.elapsed()` at the last command. */
  readonly lastActive: number
  /** The maildrop was taken over: end without UPDATE. */
  evicted(): void
}

export class MaildropLocks {
  readonly #holders = new Map<AccountId, LockHolder>()
  readonly #clock: Clock
  readonly #takeoverMs: number

  constructor(clock: Clock, takeoverMs: number) {
    this.#clock = clock
    this.#takeoverMs = takeoverMs
  }

  /** The lock, or undefined while a live session holds it. */
  take(account: AccountId, holder: LockHolder): Disposable | undefined {
    const present = this.#holders.get(account)
    if (present) {
      if (this.#clock.elapsed() - present.lastActive < this.#takeoverMs) return undefined
      this.#holders.delete(account)
      present.evicted()
    }
    this.#holders.set(account, holder)
    return {
      [Symbol.dispose]: () => {
        if (this.#holders.get(account) === holder) this.#holders.delete(account)
      },
    }
  }
}
