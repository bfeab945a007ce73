/**
 * Whether and how a connection to a next hop is secured, and why: the one place where that is decided. Pure.
 *
 * Never broken: DANE goes before MTA-STS, MTA-STS before opportunism (RFC 8461 §2); what a policy or the operator demands
 * is never given up because it cannot be had; with `required` nothing goes where the next hop's name or certificate could
 * be anybody's.
 * Who calls it: the opener of connections, for each address.
 */
import { isLoopback } from '@pennypost/model'
import type { Hop } from '../hop.ts'
import type { Route } from '../routes.ts'
import { deferred, failed, type Verdict } from '../verdict.ts'
import { allowsMx, type StsPolicy, stsLines } from './sts-policy.ts'
import type { TlsDemand } from './tls-demand.ts'
import { type Tlsa, type TlsaFound, tlsaLines } from './tlsa.ts'

/**
 * What the message says: `policy`: nothing, the receiving domain decides. `required`: REQUIRETLS (RFC 8689 §4.2.1).
 * `waived`: `TLS-Required: No`, delivery before protection (RFC 8689 §3).
 */
export type Security = 'policy' | 'required' | 'waived'

export interface TlsPolicy {
  /**
   * - `opportunistic`: where it is offered, with any certificate; in clear where it fails (RFC 7435).
   * - `required`: by STARTTLS, or not at all.
   * - `implicit`: TLS from the first octet, likewise.
   * - `never`: in clear.
   */
  use: 'opportunistic' | 'required' | 'implicit' | 'never'
  check: CertificateCheck
  /** For the journey. */
  reason: string
  /** Whose policy it is, for reports (RFC 8460 §4.2). */
  by: 'tlsa' | 'sts' | 'none'
  /** The lines of the policy, or the host's records, for reports too. */
  lines?: readonly string[]
  /** What would fail under the policy is only reported (RFC 8461 §5). */
  testing?: true
  /** What it has against the host, whatever the certificate. */
  fault?: string
}

export type CertificateCheck =
  | { kind: 'none' }
  /** A chain to a known root, and the host's name (RFC 8461 §4.1), or `name` in its place, or any of `names`. */
  | { kind: 'pkix'; name?: string; names?: readonly string[] }
  | { kind: 'dane'; base: string; records: readonly Tlsa[]; names: readonly string[] }

export interface TlsSituation {
  route: Route
  host: string
  address: string
  security: Security
  /** How the host's name was come by is beyond doubt: DNSSEC, the domain itself, or the configuration. */
  nameSecure: boolean
  sts: { domain: string; policy: StsPolicy } | undefined
  /** The policy of the domain could not be found out, and there may be one. */
  stsFailure?: string | undefined
  tlsa: TlsaFound
  /** What the operator demands; `security` has taken account of it. */
  demand?: TlsDemand | undefined
}

/** `fault`: why, where it is the domain's own policy that is against the host. */
type Decision = TlsPolicy | { refused: Verdict; reason: string; fault?: string }

/** RFC 8314 §3.3. */
const submissionsPort = 465
const anyCertificate: CertificateCheck = { kind: 'none' }

/** How to connect to one address, or why nothing is sent there now. */
export function tlsPolicy(situation: TlsSituation): Decision {
  const { route, security, demand } = situation
  if (route.kind === 'socket') return { use: 'never', check: anyCertificate, reason: 'Unix socket', by: 'none' }
  if ('hop' in route && route.hop) {
    const own = hopPolicy(route.hop, situation)
    if (own) return own
  }
  const decided =
    security === 'waived'
      ? opportunistic(
          demand?.level === 'may' ? demandReason(demand) : 'opportunistic, the message says TLS-Required: No',
        )
      : (danePolicy(situation) ?? withoutDane(situation) ?? opportunistic('opportunistic'))
  if (demand?.level !== 'encrypt' || 'refused' in decided || decided.use !== 'opportunistic') return decided
  return { ...decided, use: 'required', reason: demandReason(demand) }
}

const demandReason = ({ level }: TlsDemand): string => `[[relay.tls]] ${level}`

function withoutDane(situation: TlsSituation): Decision | undefined {
  return verifyPolicy(situation) ?? stsPolicy(situation) ?? namedPolicy(situation)
}

/** Of a next hop that somebody named; undefined where it is as good as any other. */
function hopPolicy(
  { host: named, port, viaMx, username }: Hop,
  { address, security, nameSecure }: TlsSituation,
): TlsPolicy | undefined {
  const near = isLoopback(address)
  // Where anybody could have named the MX host, the certificate has to be for the domain that was configured.
  const name = viaMx && !nameSecure ? { name: named } : {}
  const check: CertificateCheck = near && security !== 'required' ? anyCertificate : { kind: 'pkix', ...name }
  if (port === submissionsPort) return { use: 'implicit', check, reason: 'port 465', by: 'none' }
  if (near && security !== 'required') return opportunistic('next hop on loopback')
  if (username === undefined) return undefined
  return { use: 'required', check, reason: 'credentials for the next hop', by: 'none' }
}

function danePolicy(situation: TlsSituation): Decision | undefined {
  const { tlsa, host, route, demand } = situation
  const isDemanded = demand?.level === 'dane'
  if (isDemanded && (tlsa.kind === 'none' || (tlsa.kind === 'records' && tlsa.usable.length === 0))) {
    const text = `${host}: there is no usable TLSA record that DNSSEC vouches for`
    return { refused: deferred('4.7.5', text), reason: demandReason(demand) }
  }
  if (tlsa.kind === 'none') return undefined
  // RFC 7672 §2.1.2: never in clear, never unauthenticated, for want of an answer.
  if (tlsa.kind === 'failed') return { refused: deferred('4.7.5', `${host}: ${tlsa.reason}`), reason: 'DANE' }
  const { base, all, usable } = tlsa
  if (usable.length > 0) {
    const names = [...new Set([base, host, ...(route.kind === 'mx' ? [route.domain] : [])])]
    const check: CertificateCheck = { kind: 'dane', base, records: usable, names }
    return { use: 'required', check, reason: 'DANE', by: 'tlsa', lines: tlsaLines(all) }
  }
  // RFC 7672 §2.2: records that say nothing to us still say that the host has TLS.
  return (
    withoutDane(situation) ?? {
      use: 'required',
      check: anyCertificate,
      reason: 'DANE without a usable record',
      by: 'tlsa',
      lines: tlsaLines(all),
    }
  )
}

/**
 * A known authority vouches for the peer. Where anybody could have named the MX host, it is for the domain or a host below
 * it, unless the operator knows better names.
 */
function verifyPolicy(situation: TlsSituation): Decision | undefined {
  const { demand, nameSecure, route } = situation
  if (demand?.level !== 'verify') return undefined
  const sts = stsPolicy(situation)
  if (sts && ('refused' in sts || (sts.use === 'required' && !demand.names))) return sts
  const inDomain = route.kind === 'mx' && !nameSecure ? [route.domain, `.${route.domain}`] : undefined
  const names = demand.names ?? inDomain
  const check: CertificateCheck = { kind: 'pkix', ...(names ? { names } : {}) }
  const { by = 'none', lines = [] } = sts ?? {}
  return { use: 'required', check, reason: demandReason(demand), by, lines }
}

function stsPolicy({ sts, host, security }: TlsSituation): Decision | undefined {
  if (!sts || sts.policy.mode === 'none') return undefined
  const { domain, policy } = sts
  const isAllowed = allowsMx(policy, host)
  const lines = stsLines(policy)
  if (policy.mode === 'enforce' || (security === 'required' && isAllowed)) {
    const reason = `MTA-STS ${policy.mode}`
    if (isAllowed) return { use: 'required', check: { kind: 'pkix' }, reason, by: 'sts', lines }
    const refused = deferred('4.7.5', `${host} is no MX host that the MTA-STS policy of ${domain} names`)
    return { refused, reason, fault: unnamed }
  }
  if (security === 'required') return undefined
  const testing = { by: 'sts', lines, testing: true } as const
  if (isAllowed) return { ...opportunistic('MTA-STS testing'), ...testing }
  return { ...opportunistic(`MTA-STS testing: ${unnamed}`), ...testing, fault: unnamed }
}

const unnamed = 'the policy does not name this host'

/** RFC 8689 §4.2.1: the name beyond doubt, and a certificate that bears it. */
function namedPolicy(situation: TlsSituation): Decision | undefined {
  const { security, nameSecure, host, stsFailure } = situation
  if (security !== 'required') return undefined
  const reason = 'REQUIRETLS'
  if (nameSecure) return { use: 'required', check: { kind: 'pkix' }, reason, by: 'none' }
  if (stsFailure !== undefined) return { refused: deferred('4.7.5', `${host}: ${stsFailure}`), reason }
  return {
    refused: failed(550, '5.7.30', `${host}: REQUIRETLS needs DNSSEC or an MTA-STS policy for the MX host`),
    reason,
  }
}

function opportunistic(reason: string): TlsPolicy {
  return { use: 'opportunistic', check: anyCertificate, reason, by: 'none' }
}
