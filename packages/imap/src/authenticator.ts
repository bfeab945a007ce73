import type { AccountId } from '@pennypost/model'

/**
 * Who decides about a login, as a session asks it. `@pennypost/sasl` has what satisfies it; tests give their own.
 */
export interface ImapAuthenticator {
  /** Mechanisms to announce and take, in order; `plaintext` ones only when the password is safe on the wire. */
  mechanisms(secure: boolean): readonly SaslMechanism[]
  verify(claim: LoginClaim, from: LoginOrigin): Promise<LoginOutcome>
}

export interface SaslMechanism {
  readonly name: string
  start(initialResponse?: Buffer): SaslStep
}

export type SaslStep =
  | { kind: 'challenge'; octets: Buffer; next(response: Buffer): SaslStep }
  | { kind: 'verify'; claim: LoginClaim }
  | { kind: 'fail'; reason: string }

export interface LoginClaim {
  login: string
  password: string
  authzid?: string
}

export interface LoginOrigin {
  service: 'imap'
  /** The client's IP address. */
  address: string
  session: string
}

export type LoginOutcome =
  | { kind: 'ok'; account: { id: AccountId; login: string } }
  /** Unknown account, wrong password, suspended: one answer for all. */
  | { kind: 'refused' }
  /** Too many failures; try later. */
  | { kind: 'throttled' }
  /** It can not be decided now. */
  | { kind: 'unavailable' }
