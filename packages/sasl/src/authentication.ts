import type { Account } from '@pennypost/model'
import type { Claim } from './mechanism.ts'

/** What protocols ask the authenticator, and what it answers. */

export type LoginAttempt = Claim & {
  /** `imap`, `pop3`, `smtp`, …: what an app password's scope names. */
  service: string
  /** The client's IP address; '' on a Unix socket. */
  address: string
  /** Its connection: who has left when a wait is over is not looked at. */
  client?: { readonly hasLeft: boolean }
}

export type AuthenticationFailure =
  /** Unknown account, wrong proof, wrong service for this app password, or not allowed to act as that account. */
  | 'invalid'
  /** Too many failures; this attempt was not looked at. Temporary. */
  | 'throttled'
  /** Too much to do, or the store or the token check does not answer. Temporary. */
  | 'unavailable'
  /** The proof is right, the account is suspended. */
  | 'suspended'

export type AuthenticationResult =
  /**
   * `account` is whose mail it is; `actor` who has logged in, another one only with `authzid`. `serverSignature`: how
   * the server proves to a SCRAM client that it has the verifier (RFC 5802 §3).
   */
  | { ok: true; account: Account; actor: Account; serverSignature?: Buffer }
  | { ok: false; reason: AuthenticationFailure }
