import { createHmac } from 'node:crypto'
import bcrypt from 'bcrypt'
import { createBoundedQueue } from './bounded-queue.ts'
import { passwordCandidates, preparePassword } from './prepare-password.ts'

/**
 * Password verifiers: bcrypt, ours and imported ones.
 *
 * Ours are written `{v1}$2b$…`: the bcrypt hash of the prepared password, or, where that has more than bcrypt's 72
 * octets, of its HMAC, so that no octet is without effect. A verifier without `{v1}` was imported; it is compared as
 * its maker did, with the first 72 octets. The HMAC has a key of its own so that a list of plain SHA-256 hashes from
 * elsewhere cannot be tried against it.
 *
 * Never broken: no password longer than 72 octets matches through its first 72 alone, but for imported verifiers; at
 * most `atOnce` operations run at a time; a verifier or password never gets into an error's text.
 */

const mark = '{v1}'
const bcryptOctets = 72
const importedForm = /^(?:\{(?:BLF-CRYPT|CRYPT)\})?\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/i
// 2^15 rounds take over a second: an import beyond it would be a way to stop all logins.
const highestCost = 15

export interface PasswordLimits {
  /** log2 of bcrypt's rounds, 4…15. */
  cost: number
  atOnce: number
  waiting: number
}

const defaultPasswordLimits: PasswordLimits = { cost: 10, atOnce: 2, waiting: 1000 }

const prohibited =
  'a password may not be empty or hold control characters; one in Hebrew or Arabic begins and ends with a letter of those, ' +
  'and has none of other alphabets (RFC 4013)'

/** A password or hash that cannot be stored; the message says why, without it. */
export class PasswordRefused extends Error {
  override readonly name = 'PasswordRefused'
}

export interface Passwords {
  /** A verifier for a new password. Rejects with `PasswordRefused` (empty, prohibited characters) or `QueueFull`. */
  hash(password: string): Promise<string>
  /** Whether it is the verifier's password. Rejects with `QueueFull`. */
  verify(password: string, verifier: string): Promise<boolean>
  /**
   * Takes as long as `verify` would with a verifier of ours, and matches nothing: for accounts that do not exist, and
   * after a failure with a cheaper imported verifier, whose quick answer would tell that the account exists.
   */
  pretend(password: string, verifier?: string): Promise<void>
}

/** @returns verifiers that share one bounded queue. */
export function createPasswords(options: Partial<PasswordLimits> = {}): Passwords {
  const limits = { ...defaultPasswordLimits, ...options }
  const queue = createBoundedQueue(limits)

  async function verify(password: string, verifier: string): Promise<boolean> {
    const ours = verifier.startsWith(mark)
    const hash = toLibraryForm(ours ? verifier.slice(mark.length) : verifier)
    // One place in the line for all candidates, so that an unusual password waits no longer than another.
    return queue.run(async () => {
      for (const candidate of passwordCandidates(password)) {
        if (await bcrypt.compare(ours ? ownKey(candidate) : importedKey(candidate), hash)) return true
      }
      return false
    })
  }

  return {
    async hash(password) {
      const prepared = preparePassword(password)
      if (prepared === undefined) throw new PasswordRefused(prohibited)
      return queue.run(async () => mark + (await bcrypt.hash(ownKey(prepared), limits.cost)))
    },
    verify,
    async pretend(password, verifier) {
      if (verifier === undefined) {
        await verify(password, unmatchable(limits.cost))
        return
      }
      // Each cost takes twice the time of the one before: c, spent on the cheap verifier, and c, c+1, …, n-1 make n.
      for (let cost = costOf(verifier); cost < limits.cost; cost++) await verify(password, unmatchable(cost))
    },
  }
}

/**
 * A bcrypt hash from another system (`$2a$`, `$2b$`, `$2y$`, with or without Dovecot's `{BLF-CRYPT}`) as a verifier.
 * Throws `PasswordRefused`.
 */
export function importVerifier(hash: string): string {
  const match = importedForm.exec(hash)
  if (!match) throw new PasswordRefused('only bcrypt hashes ($2a$, $2b$, $2y$) can be imported')
  const cost = Number(match[1])
  if (cost < 4 || cost > highestCost)
    throw new PasswordRefused(`its bcrypt cost ${cost} is not within 4 and ${highestCost}`)
  return hash.slice(hash.indexOf('$'))
}

/** `$2y$` and `$2b$` are two names of one algorithm; the library knows the latter. */
function toLibraryForm(hash: string): string {
  return hash.startsWith('$2y$') ? `$2b$${hash.slice(4)}` : hash
}

function costOf(verifier: string): number {
  return Number(/\$2[aby]\$(\d\d)\$/.exec(verifier)?.[1] ?? highestCost)
}

/** Well formed, and the hash of nothing that anybody could find. */
function unmatchable(cost: number): string {
  return `${mark}$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`
}

function ownKey(password: string): Buffer {
  const octets = Buffer.from(password)
  if (octets.length <= bcryptOctets) return octets
  return Buffer.from(createHmac('sha256', 'pennypost long password').update(octets).digest('base64'))
}

const importedKey = (password: string): Buffer => Buffer.from(password).subarray(0, bcryptOctets)
