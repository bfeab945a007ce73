import type { Random } from '@pennypost/model'
import type { Mechanism, Peer } from './mechanism.ts'
import { createBearer } from './mechanisms/bearer.ts'
import { external } from './mechanisms/external.ts'
import { login } from './mechanisms/login.ts'
import { plain } from './mechanisms/plain.ts'
import { createScram } from './mechanisms/scram.ts'

/** What an installation offers beyond PLAIN and LOGIN. */
export interface MechanismChoice {
  random: Random
  /** SCRAM-SHA-256 and -PLUS: an account that has no verifier for it yet cannot log in with them. */
  scram: boolean
  /** OAUTHBEARER and XOAUTH2; `discoveryUrl` is told to refused clients, '' = nothing. */
  tokens: { discoveryUrl: string } | undefined
}

/** Of all that any installation may offer. */
export const mechanismNames: readonly string[] = [
  'EXTERNAL',
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-256',
  'OAUTHBEARER',
  'XOAUTH2',
  'PLAIN',
  'LOGIN',
]

/** In the order in which they are announced: the preferred first. */
export function createMechanisms({ random, scram, tokens }: MechanismChoice): readonly Mechanism[] {
  return [
    external,
    ...(scram ? [createScram(random, true), createScram(random, false)] : []),
    ...(tokens ? [createBearer('OAUTHBEARER', tokens.discoveryUrl), createBearer('XOAUTH2', tokens.discoveryUrl)] : []),
    plain,
    login,
  ]
}

/** Those that a connection may use now. `passwordsAllowed`: TLS is up, or passwords are taken without. */
export function usableMechanisms(
  mechanisms: readonly Mechanism[],
  peer: Peer,
  passwordsAllowed: boolean,
): readonly Mechanism[] {
  return mechanisms.filter(
    ({ plaintext, usableOver }) => (passwordsAllowed || !plaintext) && (usableOver?.(peer) ?? true),
  )
}

/** By name in any case (RFC 4422 §3.1 has them in upper case; clients do not). */
export function findMechanism(mechanisms: readonly Mechanism[], name: string): Mechanism | undefined {
  const upper = name.toUpperCase()
  return mechanisms.find((mechanism) => mechanism.name === upper)
}
