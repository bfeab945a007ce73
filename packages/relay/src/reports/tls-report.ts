/** What a report of TLS sessions says, and who wants it (RFC 8460 §3, §4). Pure. */
import type { ReportFacts, ReportKind } from './mail-report.ts'
import type { CountedSession } from './tls-sessions.ts'

export interface TlsReportFacts extends ReportFacts {
  sessions: readonly CountedSession[]
}

const policyTypes = { tlsa: 'tlsa', sts: 'sts', none: 'no-policy-found' } as const

/** RFC 8460 §4.4. */
export function reportJson({ domain, day, hostname, contact, id, sessions }: TlsReportFacts): string {
  // Hosts with records of their own have policies of their own, and a policy may change in a day.
  const byPolicy = Map.groupBy(sessions, ({ by, policy = [] }) => JSON.stringify([by, policy]))
  const policies = [...byPolicy.values()].map((own) => {
    const [first] = own as [CountedSession]
    const { by, policy: lines = [] } = first
    const failed = own.filter(({ result }) => result !== 'success')
    const total = (of: readonly CountedSession[]): number => of.reduce((sum, { count }) => sum + count, 0)
    return {
      policy: {
        'policy-type': policyTypes[by],
        ...(by === 'none' ? {} : { 'policy-string': lines }),
        'policy-domain': domain,
        ...(by === 'none' ? {} : { 'mx-host': by === 'sts' ? patternsIn(lines) : hostsOf(own) }),
      },
      summary: {
        'total-successful-session-count': total(own) - total(failed),
        'total-failure-session-count': total(failed),
      },
      'failure-details': failed.map(({ result, host, address, reason, count }) => ({
        'result-type': result,
        ...(host === '' ? {} : { 'receiving-mx-hostname': host }),
        ...(address === '' ? {} : { 'receiving-ip': address }),
        'failed-session-count': count,
        ...(reason === '' ? {} : { 'failure-reason-code': reason }),
      })),
    }
  })
  return JSON.stringify({
    'organization-name': hostname,
    'date-range': { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` },
    'contact-info': contact,
    'report-id': id,
    policies,
  })
}

/** RFC 8460 §4.4 wants the names in the policy, not those of the hosts that were met. */
function patternsIn(lines: readonly string[]): string[] {
  return lines.flatMap((line) => /^mx: (.+)$/.exec(line)?.[1] ?? [])
}

function hostsOf(sessions: readonly CountedSession[]): string[] {
  return [...new Set(sessions.flatMap(({ host }) => (host === '' ? [] : host)))]
}

/** Where a domain wants its reports (§3): the addresses of every `rua`; none where it wants none. */
export function reportAddresses(records: readonly string[]): string[] {
  const own = records.filter((text) => /^v=TLSRPTv1[ \t]*;/.test(text))
  if (own.length !== 1) return []
  const fields = [...(own[0] as string).matchAll(/;[ \t]*rua[ \t]*=([^;]*)/g)]
  return fields
    .flatMap(([, uris = '']) => uris.split(','))
    .map((uri) => uri.trim())
    .filter((uri) => (/^mailto:[^\s<>]+$/i.test(uri) && uri.includes('@')) || /^https:\/\/[^\s<>]+$/i.test(uri))
    .slice(0, 5)
}

/** §5.3. `TLS-Required: No` (RFC 8689 §5): a report on broken TLS must not hang on it. */
export function tlsReportKind({ domain, hostname, day }: ReportFacts, zipped: Buffer): ReportKind {
  return {
    service: 'tls-report',
    text: `How TLS sessions from ${hostname} with the mail hosts of ${domain} went on ${day} (RFC 8460).`,
    fields: `TLS-Report-Domain: ${domain}\r\nTLS-Report-Submitter: ${hostname}\r\nTLS-Required: No\r\n`,
    contentType: 'multipart/report; report-type="tlsrpt"',
    attachment: { contentType: 'application/tlsrpt+gzip', extension: 'json.gz', zipped },
    tlsOptional: true,
  }
}
