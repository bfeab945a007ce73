import type { AccountId } from '@pennypost/model'

/** Told of what the store wakes nobody for: subscriptions, access that was given to anyone, and annotations of the server. */
export interface SignalListener {
  readonly account: AccountId
  /** The mailboxes that the account sees may have changed. */
  namesChanged(): void
  serverAnnotated(entry: string): void
}

/** Passes on what sessions of this service have changed; all else is found when the account's names are read again. */
export class Signals {
  readonly #listeners = new Set<SignalListener>()

  listen(listener: SignalListener): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** @param account whose view of mailboxes has changed; undefined: everybody's */
  namesChanged(account: AccountId | undefined): void {
    for (const listener of this.#of(account)) listener.namesChanged()
  }

  /** @param account whose private entry it is; undefined: everybody's */
  serverAnnotated(entry: string, account: AccountId | undefined, except: SignalListener | undefined): void {
    for (const listener of this.#of(account)) if (listener !== except) listener.serverAnnotated(entry)
  }

  #of(account: AccountId | undefined): SignalListener[] {
    return [...this.#listeners].filter((listener) => account === undefined || listener.account === account)
  }
}
