import type { AccountId } from '../ids.ts'

/** What accounts prove themselves with. Holds verifiers only, never a password. Used by `@pennypost/sasl` and admin. */
export interface Credential {
  id: number
  account: AccountId
  kind: 'password' | 'app'
  label: string
  /** Services that it opens; empty means all. */
  scope: readonly string[]
  /** `password`: a verifier in the form that sasl writes. `app`: the hex HMAC by which it is looked up. */
  verifier: string
  /** What SCRAM-SHA-256 is checked by, as RFC 5803 writes it; null until `setScram`. */
  scram: string | null
  createdAt: number
  lastUsedAt: number | null
}

export interface Credentials {
  /** In order of their making. */
  list(account: AccountId): Promise<Credential[]>
  /** Replaces the account's password. Rejects with `no-such-account`, as does `addAppPassword`. */
  setPassword(account: AccountId, verifier: string, now: number): Promise<void>
  /** Rejects with `limit` beyond 100 for one account. */
  addAppPassword(
    account: AccountId,
    app: { label: string; scope: readonly string[]; verifier: string },
    now: number,
  ): Promise<Credential>
  findAppPassword(verifier: string): Promise<Credential | undefined>
  /** False when there was none such. */
  remove(account: AccountId, id: number): Promise<boolean>
  /**
   * Stores what SCRAM needs of the very secret that this credential holds; nothing happens when it is gone. Durable. No
   * rise of `version`: what opened the account before still does.
   */
  setScram(id: number, scram: string): Promise<void>
  /** Notes a use; relaxed, and coarse: engines may drop all but one an hour. */
  touch(id: number, now: number): Promise<void>
  /** Rises whenever any verifier is set or removed, or an account is suspended, removed or restored. */
  readonly version: number
}
