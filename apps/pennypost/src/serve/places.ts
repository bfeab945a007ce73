import type { AccountId } from '@pennypost/model'

/**
 * The sessions that each account has open, to end them when it is suspended or removed. Those of IMAP and POP3 count
 * against `[limits] connections_per_account`, together; those that send do not.
 */
export class AccountPlaces {
  readonly #reading: OpenSessions = new Map()
  readonly #sending: OpenSessions = new Map()
  readonly #limit: number

  /** `limit` 0 = no limit. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** A place that is free again when disposed, or undefined when none is left. */
  take(account: AccountId, end: () => void): Disposable | undefined {
    if (this.#limit > 0 && (this.#reading.get(account)?.size ?? 0) >= this.#limit) return undefined
    return enter(this.#reading, account, end)
  }

  /** As `take`, of a session that needs no place. */
  follow(account: AccountId, end: () => void): Disposable {
    return enter(this.#sending, account, end)
  }

  /** Ends the account's sessions; how many there were. */
  endAll(account: AccountId): number {
    const sessions = [...(this.#reading.get(account) ?? []), ...(this.#sending.get(account) ?? [])]
    for (const end of sessions) end()
    return sessions.length
  }
}

type OpenSessions = Map<AccountId, Set<() => void>>

function enter(open: OpenSessions, account: AccountId, end: () => void): Disposable {
  const sessions = open.get(account) ?? new Set()
  open.set(account, sessions.add(end))
  return {
    [Symbol.dispose]: () => {
      sessions.delete(end)
      if (sessions.size === 0 && open.get(account) === sessions) open.delete(account)
    },
  }
}
