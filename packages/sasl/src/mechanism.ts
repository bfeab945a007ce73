import { isUtf8 } from 'node:buffer'
import type { AuthenticationResult } from './authentication.ts'

/**
 * What a SASL mechanism is here (RFC 4422 §3): a value whose `start` begins an exchange, and steps that say what to do
 * next. No I/O, no clock, no knowledge of SMTP, IMAP or POP3; no credential is looked up here. `runExchange` plays the
 * steps for all protocols; a mechanism more is one more file in `mechanisms/`.
 */
export interface Mechanism {
  /** As announced: `PLAIN`. */
  readonly name: string
  /** What it sends can be read and used again: offered under TLS only, unless the configuration says otherwise. */
  readonly plaintext: boolean
  /** Whether this connection can bear it; absent: every one can. */
  usableOver?(peer: Peer): boolean
  /** `initialResponse` is decoded; absent when the client sent none (not the same as an empty one). */
  start(initialResponse: Buffer | undefined, peer: Peer): Step
  /** What the client is told as a last challenge, which it answers with an octet or none, before the outcome. */
  lastWord?(result: AuthenticationResult): Buffer | undefined
}

/** What a mechanism may ask of the connection; `Connection` of `@pennypost/transport` is one. */
export interface Peer {
  /** The octets that tie the exchange to this TLS session; undefined without TLS, or where TLS has none of that type. */
  channelBinding(type: ChannelBindingType): Buffer | undefined
  /** The mail addresses in the client's certificate, if it showed one that our authority has issued. */
  readonly certifiedAddresses: readonly string[] | undefined
}

/** RFC 9266, RFC 5929 §4. `tls-unique` is unsafe before TLS 1.3 and does not exist in it. */
export const channelBindingTypes = ['tls-exporter', 'tls-server-end-point'] as const
export type ChannelBindingType = (typeof channelBindingTypes)[number]

export type Step =
  /** Send these octets and go on with the decoded response. */
  | { kind: 'challenge'; octets: Buffer; next(response: Buffer): Step }
  /** SCRAM: go on with what the authenticator says of this login name. */
  | { kind: 'salt'; login: string; next(salt: ScramSalt): Step }
  /** The exchange is over as far as the client is concerned; is what it claims true? */
  | { kind: 'verify'; claim: Claim }
  /** The client does not keep to the mechanism; `reason` is for the log. */
  | { kind: 'fail'; reason: string }

/** RFC 4422 §5: a mechanism that the client begins. Without an initial response an empty challenge asks for that. */
export function clientFirst(initialResponse: Buffer | undefined, next: (response: Buffer) => Step): Step {
  return initialResponse ? next(initialResponse) : { kind: 'challenge', octets: Buffer.alloc(0), next }
}

/** What a client claims, by what it wants to prove it with. */
export type Claim = PasswordClaim | ScramClaim | TokenClaim | CertificateClaim

interface ActingAs {
  /** The account to act as (RFC 4422 §2); absent when the client left it empty. */
  authzid?: string
}

/** A login name and its password, as sent: preparation (RFC 4013) is the verifier's. */
export interface PasswordClaim extends ActingAs {
  kind: 'password'
  login: string
  password: string
}

/** RFC 5802 §3: what was said before, and the proof over it. */
export interface ScramClaim extends ActingAs {
  kind: 'scram'
  login: string
  authMessage: string
  proof: Buffer
}

/** RFC 6750: a bearer token that somebody else has issued. */
export interface TokenClaim extends ActingAs {
  kind: 'token'
  token: string
}

/** RFC 4422 appendix A: what TLS has proved already. */
export interface CertificateClaim extends ActingAs {
  kind: 'certificate'
  addresses: readonly string[]
}

/** RFC 5802 §5.1, attributes s and i. */
export interface ScramSalt {
  salt: Buffer
  iterations: number
}

/** The text that octets stand for, or undefined when they are not UTF-8. */
export function decodeText(octets: Buffer): string | undefined {
  return isUtf8(octets) ? octets.toString('utf8') : undefined
}
