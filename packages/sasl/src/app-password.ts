import { createHmac } from 'node:crypto'
import type { Random } from '@pennypost/model'

/**
 * App passwords: made by us, one per device, so strong that a keyed hash is verifier enough and can be looked up by.
 * 28 symbols of 5 bits = 140 bits, in Crockford's base 32, in groups of four that can be read over a telephone.
 */

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const symbols = 28

/** A new one, as it is shown to its owner, once: `k3m9-…`. */
export function generateAppPassword(random: Random): string {
  // 256 is a multiple of 32, so each symbol is equally likely.
  const text = Array.from(random.bytes(symbols), (octet) => alphabet[octet % 32]).join('')
  return text.match(/.{4}/g)!.join('-')
}

/**
 * The form by which it is stored and found: a hex HMAC under the server's secret (at least 32 octets, kept in the data
 * directory). Undefined when it cannot be an app password. Spaces, hyphens, case, and o, i, l for 0, 1, 1 are forgiven.
 */
export function appPasswordVerifier(secret: Buffer, password: string): string | undefined {
  if (password.length > 2 * symbols) return undefined
  const plain = password.toLowerCase().replace(/[\s-]/g, '').replaceAll('o', '0').replace(/[il]/g, '1')
  if (plain.length !== symbols || !/^[0-9a-hjkmnp-tv-z]+$/.test(plain)) return undefined
  return createHmac('sha256', secret).update(`app password\0${plain}`).digest('hex')
}
