import type { AccountId, Clock, Deadline, JourneyId, Log, Random, Store } from '@pennypost/model'
import type { Authenticator } from '@pennypost/sasl'
import type { Turns } from '@pennypost/transport'

/** Every bound of a POP3 session. */
export interface Pop3Limits {
  /** Octets of a command line with its CRLF; RFC 2449 §4 says 255, an AUTH line may be longer (RFC 5034 §4). */
  lineLength: number
  /** RFC 1939 §3: at least ten minutes, once logged in. */
  idleTimeoutMs: number
  /** From the greeting to a login, whatever is said between. */
  loginTimeoutMs: number
  /** A client that takes nothing of an answer for so long is dropped. */
  outputStallMs: number
  /** A maildrop whose session was silent for so long goes to the next login. */
  takeoverMs: number
  /** A login waits so long for the session that has the maildrop to end; then `[IN-USE]`. */
  lockWaitMs: number
  /** Refused commands in a row before the connection ends. */
  errors: number
  /** Failed logins on one connection. */
  authFailures: number
  /** Messages of a maildrop; the oldest are shown, the rest wait for the next session. */
  messages: number
}

export const defaultPop3Limits: Pop3Limits = {
  lineLength: 12_300,
  idleTimeoutMs: 10 * 60_000,
  loginTimeoutMs: 3 * 60_000,
  outputStallMs: 5 * 60_000,
  takeoverMs: 60_000,
  lockWaitMs: 5000,
  errors: 20,
  authFailures: 5,
  messages: 100_000,
}

export interface Pop3Options {
  hostname: string
  store: Store
  authenticator: Authenticator
  /** Whether STLS can be offered on clear listeners. */
  offersTls: boolean
  /** Passwords and tokens are taken over TLS alone. */
  requireTlsForAuth: boolean
  /**
   * A place among the account's sessions in all protocols, or undefined when none is left. `end` is called to end the
   * session from outside, when the account is suspended or removed, or the one that acts for it (`actor`).
   */
  admit(account: AccountId, actor: AccountId, end: () => void): Disposable | undefined
  /** Told of each message whose text a session was given: in the demo only. */
  onRead?(read: { journey: JourneyId; login: string; session: string }): void
  clock: Clock
  /** Of all sessions of the service. */
  turns: Turns
  deadline: Deadline
  random: Random
  log: Log
  limits: Pop3Limits
}
