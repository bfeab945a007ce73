import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { ScramSalt } from './mechanism.ts'
import { preparePassword } from './prepare-password.ts'

/**
 * What the server keeps for SCRAM-SHA-256 (RFC 5802 §3): enough to check a proof, too little to make one.
 *
 * The salt of an account follows from its login name and the server's secret. So all its credentials share one, an
 * exchange may prove any of them, and a name that does not exist has a salt that looks like every other.
 */

export interface ScramVerifier extends ScramSalt {
  storedKey: Buffer
  serverKey: Buffer
}

/** Of no password: what nobody's proof fits, and what costs as much to find out as with any other. */
export const unprovable: ScramVerifier = {
  salt: Buffer.alloc(16),
  iterations: 1,
  storedKey: Buffer.alloc(32),
  serverKey: Buffer.alloc(32),
}

/** RFC 7677 §4 asks for 4096 at least; this is what a GPU should pay for a guess today. */
const scramIterations = 100_000

const derive = promisify(pbkdf2)
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const hash = (octets: Buffer): Buffer => createHash('sha256').update(octets).digest()

/** `login` in lookup form. */
export function scramSalt(secret: Buffer, login: string): ScramSalt {
  return { salt: hmac(secret, `scram salt\0${login}`).subarray(0, 16), iterations: scramIterations }
}

/** Undefined for a password that SASLprep prohibits: it logs in with PLAIN. Costs tens of milliseconds of a pool thread. */
export async function makeScramVerifier(
  password: string,
  { salt, iterations }: ScramSalt,
): Promise<ScramVerifier | undefined> {
  const prepared = preparePassword(password)
  if (prepared === undefined) return undefined
  const salted = await derive(prepared, salt, iterations, 32, 'sha256')
  const storedKey = hash(hmac(salted, 'Client Key'))
  return { salt, iterations, storedKey, serverKey: hmac(salted, 'Server Key') }
}

/** The server's signature when `proof` was made with the password of this verifier; undefined otherwise. */
export function checkScramProof(verifier: ScramVerifier, authMessage: string, proof: Buffer): Buffer | undefined {
  const signature = hmac(verifier.storedKey, authMessage)
  if (proof.length !== signature.length) return undefined
  const clientKey = signature.map((octet, index) => octet ^ proof[index]!)
  const fits = timingSafeEqual(hash(Buffer.from(clientKey)), verifier.storedKey)
  return fits ? hmac(verifier.serverKey, authMessage) : undefined
}

/** As RFC 5803 writes it: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`. */
export function formatScramVerifier({ salt, iterations, storedKey, serverKey }: ScramVerifier): string {
  const [saltText, storedText, serverText] = [salt, storedKey, serverKey].map((octets) => octets.toString('base64'))
  return `SCRAM-SHA-256$${iterations}:${saltText}$${storedText}:${serverText}`
}

/**
 * What is kept of a password of this login name, if an exchange can prove it: it was made with the salt and the rounds that
 * are told to clients now.
 */
export function usableScramVerifier(secret: Buffer, login: string, text: string | null): ScramVerifier | undefined {
  const verifier = text === null ? undefined : parseScramVerifier(text)
  const { salt, iterations } = scramSalt(secret, login)
  return verifier?.salt.equals(salt) && verifier.iterations === iterations ? verifier : undefined
}

/** The inverse of `formatScramVerifier`; undefined for what was not written so. */
export function parseScramVerifier(text: string): ScramVerifier | undefined {
  const [, iterations, ...keys] = /^SCRAM-SHA-256\$(\d+):([\w+/=]+)\$([\w+/=]+):([\w+/=]+)$/.exec(text) ?? []
  const [salt, storedKey, serverKey] = keys.map((key) => Buffer.from(key, 'base64'))
  if (!salt || storedKey?.length !== 32 || serverKey?.length !== 32) return undefined
  const verifier = { salt, iterations: Number(iterations), storedKey, serverKey }
  // Node skips what is not base64; writing it again shows that nothing was skipped.
  return formatScramVerifier(verifier) === text ? verifier : undefined
}
