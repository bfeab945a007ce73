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

/** Certificate chain and key in PEM, for all of `names`. `accountKey` is made by the first call, and given back. */
export type OrderCertificate = (
  names: readonly string[],
  accountKey: string | undefined,
) => Promise<{ cert: string; key: string; accountKey: string }>

export function createOrder(options: OrderOptions): OrderCertificate {
  return async (names, accountKey) => {
    const { placeOrder } = await import('./place-order.ts')
    return placeOrder(options, names, accountKey)
  }
}
