/**
 * What the operator demands of TLS with a domain, whatever the domain says of itself. Pure.
 * Who calls it: the opener of connections, before the policy of an address is decided.
 */
import { X509Certificate } from 'node:crypto'
import type { PeerCertificate } from 'node:tls'
import { isNamedBy, type Route } from '../routes.ts'
import type { Security } from './tls-policy.ts'

export interface TlsDemand {
  /** `two.test`, or `.two.test` for all below it: the domain of an MX, or a next hop that somebody named. */
  domain: string
  /**
   * - `may`: opportunistic, though the domain has DANE or MTA-STS.
   * - `encrypt`: TLS, with any certificate where the domain does not ask for more.
   * - `verify`: a peer that DANE or a known authority stands for.
   * - `dane`: a peer that DANE stands for.
   */
  level: 'may' | 'encrypt' | 'verify' | 'dane'
  /** `verify` without DANE: the certificate bears one of these; `.two.test` is any below it. */
  names?: readonly string[]
}

/** The first that fits. */
export function demandOf(demands: readonly TlsDemand[], route: Route): TlsDemand | undefined {
  const name = route.kind === 'mx' ? route.domain : route.kind === 'host' ? route.host : undefined
  if (name === undefined) return undefined
  return demands.find(({ domain }) => isNamedBy(name, domain))
}

/** REQUIRETLS is more than any demand. `TLS-Required: No` waives what the receiving domain asks for, not what we do. */
export function securityUnder(demand: TlsDemand | undefined, security: Security): Security {
  if (security === 'required') return security
  if (demand?.level === 'may') return 'waived'
  return demand?.level === 'verify' || demand?.level === 'dane' ? 'policy' : security
}

/** Why the certificate bears none of the names, as a handshake tells it; undefined when it bears one. */
export function nameFault(peer: PeerCertificate, names: readonly string[]): Error | undefined {
  const leaf = new X509Certificate(peer.raw)
  if (names.some((name) => leaf.checkHost(name) !== undefined)) return undefined
  const text = `the certificate is for none of ${names.join(', ')}, but for ${leaf.subjectAltName ?? leaf.subject}`
  return Object.assign(new Error(text), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
}
