import type { AccountId } from '@pennypost/model'

/**
 * The sessions that each account has open in IMAP and POP3 together: against `[limits] connections_per_account`, and to
 * end them when the account is suspended or removed.
 */
export class AccountPlaces {
  readonly #open = new Map<AccountId, Set<() => void>>()
  readonly #limit: number

  /** `limit` 0 = no limit. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** A place that is free again when disposed, or undefined when none is left. */
  take(account: AccountId, end: () => void): Disposable | undefined {
    const sessions = this.#open.get(account) ?? new Set()
    if (this.#limit > 0 && sessions.size >= this.#limit) return undefined
    this.#open.set(account, sessions.add(end))
    return {
      [Symbol.dispose]: () => {
        sessions.delete(end)
        if (sessions.size === 0) this.#open.delete(account)
      },
    }
  }

  /** Ends the account's sessions; how many there were. */
  endAll(account: AccountId): number {
    const sessions = [...(this.#open.get(account) ?? [])]
    for (const end of sessions) end()
    return sessions.length
  }
}
