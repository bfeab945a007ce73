/**
 * How TLS sessions with the hosts of other domains went, counted for the reports of the day (RFC 8460 §4.3).
 * Who calls it: `dial`, for each session; the nightly reports, for what a day came to.
 */
import { createHash } from 'node:crypto'
import { memoryLimits } from '@pennypost/model'
import type { Route } from '../routes.ts'
import type { Security } from '../tls/tls-policy.ts'
import { type Counted, createDayCounts, type DayCounts, type DayCountsOptions } from './day-counts.ts'

export type TlsResult =
  | 'success'
  | 'starttls-not-supported'
  | 'certificate-host-mismatch'
  | 'certificate-expired'
  | 'certificate-not-trusted'
  | 'validation-failure'
  | 'dane-required'
  | 'tlsa-invalid'
  | 'dnssec-invalid'
  | 'sts-policy-fetch-error'
  | 'sts-policy-invalid'
  | 'sts-webpki-invalid'

export interface TlsSession {
  /** The domain in the address. */
  domain: string
  /** Whose policy it was. */
  by: 'tlsa' | 'sts' | 'none'
  result: TlsResult
  /** '' for trouble with a policy, which comes before any host is asked. */
  host: string
  address: string
  /** What else is known of a failure; '' for nothing. */
  reason: string
  /** The lines of the policy: of MTA-STS, or the TLSA records of the host in order. */
  policy?: readonly string[]
}

/** A kind of session, and how many there were. */
export type CountedSession = Counted<TlsSession>

export type TlsSessions = DayCounts<TlsSession>

export type TlsSessionsOptions = Pick<DayCountsOptions<TlsSession>, 'memory' | 'clock' | 'log'>

export function createTlsSessions(options: TlsSessionsOptions): TlsSessions {
  const sessions = createDayCounts<TlsSession>({
    ...options,
    kind: 'tls-session',
    what: 'TLS sessions',
    keyOf: ({ by, result, host, address, policy = [] }) => `${by} ${result} ${host} ${address} ${digestOf(policy)}`,
    print: printSession,
  })
  return { ...sessions, note: (session) => sessions.note({ ...session, reason: session.reason.slice(0, 200) }) }
}

/** What is longer in JSON than there is room for is told without its policy, or without its reason too. */
function printSession({ policy = [], ...session }: CountedSession): string {
  const withAll = JSON.stringify(policy.length > 0 ? { ...session, policy } : session)
  const texts = [withAll, JSON.stringify(session), JSON.stringify({ ...session, reason: '' })]
  return texts.find(({ length }) => length <= memoryLimits.value) ?? texts[2]!
}

/** Sessions under policies that differ are counted apart. */
function digestOf(policy: readonly string[]): string {
  return createHash('sha256').update(policy.join('\n')).digest('base64url').slice(0, 16)
}

/** The domain whose report tells of a session; undefined unless its mail leaves the decision to the receiving domain. */
export function reportedDomain(route: Route, security: Security): string | undefined {
  return route.kind === 'mx' && !route.hop && security === 'policy' ? route.domain : undefined
}

/** What the system's code for a failed handshake is called in reports (RFC 8460 §4.3). */
export function tlsResultOf(code: string): TlsResult {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'certificate-host-mismatch'
  if (code === 'CERT_HAS_EXPIRED') return 'certificate-expired'
  return /CERT|SELF_SIGNED|UNABLE_TO/.test(code) ? 'certificate-not-trusted' : 'validation-failure'
}
