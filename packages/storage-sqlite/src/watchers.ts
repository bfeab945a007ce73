/** Who is woken after a commit: by account for mailboxes, and the queue. A wake says nothing of what changed. */
export class Watchers {
  readonly #accounts = new Map<number, Set<() => void>>()
  readonly #queue = new Set<() => void>()

  watchAccount(account: number, onWake: () => void): Disposable {
    const own = this.#accounts.get(account) ?? new Set()
    this.#accounts.set(account, own)
    // One entry for each call, though two give the same function.
    const wake = () => onWake()
    own.add(wake)
    return {
      [Symbol.dispose]: () => {
        own.delete(wake)
        if (own.size === 0 && this.#accounts.get(account) === own) this.#accounts.delete(account)
      },
    }
  }

  watchQueue(onWake: () => void): Disposable {
    const wake = () => onWake()
    this.#queue.add(wake)
    return {
      [Symbol.dispose]: () => {
        this.#queue.delete(wake)
      },
    }
  }

  wake(accounts: readonly number[], queue: boolean): void {
    for (const account of accounts) for (const wake of this.#accounts.get(account) ?? []) wake()
    if (queue) for (const wake of this.#queue) wake()
  }
}
