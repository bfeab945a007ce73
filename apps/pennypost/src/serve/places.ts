import type { Account, AccountId } from '@pennypost/model'

/** How many sessions each account has open in one protocol, against `[limits] connections_per_account`. */
export class AccountPlaces {
  readonly #open = new Map<AccountId, number>()
  readonly #limit: number

  /** `limit` 0 = no limit. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** A place that is free again when disposed, or undefined when none is left. */
  take(account: Account): Disposable | undefined {
    const open = this.#open.get(account.id) ?? 0
    if (this.#limit > 0 && open >= this.#limit) return undefined
    this.#open.set(account.id, open + 1)
    return {
      [Symbol.dispose]: () => {
        const left = (this.#open.get(account.id) ?? 1) - 1
        if (left > 0) this.#open.set(account.id, left)
        else this.#open.delete(account.id)
      },
    }
  }
}
