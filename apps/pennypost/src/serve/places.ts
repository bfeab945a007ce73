import type { AccountId } from '@pennypost/model'

/**
 * The sessions that each account has open, to end them when it is suspended or removed. Those of IMAP and POP3 count
 * against `[limits] connections_per_account`, together; those that send do not. The session of an administrator who acts
 * for an account is one of the account's, and ends with either.
 */
export class AccountPlaces {
  readonly #reading: OpenSessions = new Map()
  readonly #sending: OpenSessions = new Map()
  /** Of those two, the sessions in which somebody acts for another account, by who acts. */
  readonly #acting: OpenSessions = new Map()
  readonly #limit: number

  /** `limit` 0 = no limit. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** A place that is free again when disposed, or undefined when none is left. */
  take(account: AccountId, actor: AccountId, end: () => void): Disposable | undefined {
    if (this.#limit > 0 && (this.#reading.get(account)?.size ?? 0) >= this.#limit) return undefined
    return this.#enter(this.#reading, account, actor, end)
  }

  /** As `take`, of a session that needs no place. */
  follow(account: AccountId, actor: AccountId, end: () => void): Disposable {
    return this.#enter(this.#sending, account, actor, end)
  }

  /** Ends the account's sessions and those in which it acts for others; how many there were. */
  endAll(account: AccountId): number {
    const sessions = [this.#reading, this.#sending, this.#acting].flatMap((open) => [...(open.get(account) ?? [])])
    for (const end of sessions) end()
    return sessions.length
  }

  #enter(open: OpenSessions, account: AccountId, actor: AccountId, end: () => void): Disposable {
    const place = new DisposableStack()
    place.use(enter(open, account, end))
    if (actor !== account) place.use(enter(this.#acting, actor, end))
    return place
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
