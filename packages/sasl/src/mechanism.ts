/**
 * What a SASL mechanism is here (RFC 4422 §3): a value whose `start` begins an exchange, and steps that say what to do
 * next. No I/O, no clock, no knowledge of SMTP, IMAP or POP3; no password is compared here.
 *
 * A protocol runs an exchange so: while the step is a `challenge`, send it in base64, read a line, `decodeResponse` it,
 * call `next`; at `verify`, ask the authenticator; at `fail`, refuse. A mechanism of more rounds, or one with another
 * kind of proof, is one more file in `mechanisms/` and, for the proof, one more kind of claim.
 */
export interface Mechanism {
  /** As announced: `PLAIN`. */
  readonly name: string
  /** The password can be read on the wire: offered under TLS only, unless the configuration says otherwise. */
  readonly plaintext: boolean
  /** `initialResponse` is decoded; absent when the client sent none (not the same as an empty one). */
  start(initialResponse?: Buffer): Step
}

export type Step =
  /** Send these octets and go on with the decoded response. */
  | { kind: 'challenge'; octets: Buffer; next(response: Buffer): Step }
  /** The exchange is over as far as the client is concerned; is what it claims true? */
  | { kind: 'verify'; claim: PasswordClaim }
  /** The client does not keep to the mechanism; `reason` is for the log. */
  | { kind: 'fail'; reason: string }

/** A login name and its password, as sent: preparation (RFC 4013) is the verifier's. */
export interface PasswordClaim {
  login: string
  password: string
  /** The account to act as (RFC 4616 `authzid`); absent when the client left it empty. */
  authzid?: string
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text that octets stand for, or undefined when they are not UTF-8. */
export function decodeText(octets: Buffer): string | undefined {
  try {
    return utf8.decode(octets)
  } catch {
    return undefined
  }
}
