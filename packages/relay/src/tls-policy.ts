/**
 * Whether and how a connection to a next hop is secured, and why: the one place where that is decided. Pure.
 * Who calls it: `dial.ts`, for each address.
 */
import { isLoopback } from './own-hosts.ts'
import type { Route } from './routes.ts'

export interface TlsPolicy {
  /**
   * - `opportunistic`: where it is offered, with any certificate; in clear where it fails (RFC 7435).
   * - `required`: by STARTTLS with a certificate that stands, or not at all.
   * - `implicit`: TLS from the first octet, likewise.
   * - `never`: in clear.
   */
  use: 'opportunistic' | 'required' | 'implicit' | 'never'
  /** Whether the certificate has to stand. */
  verify: boolean
  /** For the journey. */
  reason: string
}

/** RFC 8314 §3.3. */
const submissionsPort = 465

export function tlsPolicy(route: Route, address: string): TlsPolicy {
  if (route.kind !== 'host' || route.smarthost === undefined) {
    return { use: 'opportunistic', verify: false, reason: 'opportunistic' }
  }
  const near = isLoopback(address)
  if (route.port === submissionsPort) return { use: 'implicit', verify: !near, reason: 'port 465' }
  if (near) return { use: 'opportunistic', verify: false, reason: 'smarthost on loopback' }
  if (route.smarthost.username === undefined) return { use: 'opportunistic', verify: false, reason: 'opportunistic' }
  return { use: 'required', verify: true, reason: 'credentials for the smarthost' }
}
