import type { Log } from '@pennypost/model'
import type { ChallengeBoard } from './challenges.ts'

/** Orders at the authority. What places them is loaded by the first, since most starts of the server make none. */

export interface OrderOptions {
  /** URL of the authority's directory (RFC 8555 §7.1.1). */
  authority: string
  /** A mail address that the authority may warn; '' = none. */
  contact: string
  challenges: ChallengeBoard
  /** PEM: who vouches for the authority's own server, where the system does not know. */
  authorityCa?: string
  log: Log
}

/** A name that the authority was not convinced of. */
export interface Unproved {
  name: string
  why: string
}

export interface Ordered {
  /** Certificate chain and key in PEM, for the names that could be proved; absent where those were not worth it. */
  issued?: { cert: string; key: string }
  unproved: readonly Unproved[]
}

/** `isWorth`: whether to go on with these names alone, when others could not be proved. */
export type OrderCertificate = (
  names: readonly string[],
  accountKey: string,
  isWorth: (proved: readonly string[]) => boolean,
) => Promise<Ordered>

export function createOrder(options: OrderOptions): OrderCertificate {
  return async (...what) => {
    const { placeOrder } = await import('./place-order.ts')
    return placeOrder(options, ...what)
  }
}
