/** Reports of TLS sessions as values and as mail (RFC 8460 §4, §5). Pure. */
import { encodeBase64 } from '@pennypost/message'
import type { CountedSession } from './sessions.ts'

export interface ReportFacts {
  domain: string
  /** `2026-11-26` */
  day: string
  /** Ours. */
  hostname: string
  contact: string
  id: string
  sessions: readonly CountedSession[]
  /** The lines of the domain's MTA-STS policy, where it has one. */
  stsPolicy?: readonly string[]
}

const policyTypes = { tlsa: 'tlsa', sts: 'sts', none: 'no-policy-found' } as const

/** RFC 8460 §4.4. */
export function reportJson({ domain, day, hostname, contact, id, sessions, stsPolicy = [] }: ReportFacts): string {
  // Hosts with records of their own have policies of their own; DNS gives records in any order.
  const recordsOf = ({ records = [] }: CountedSession): string[] => records.toSorted()
  const byPolicy = Map.groupBy(sessions, (session) => JSON.stringify([session.by, recordsOf(session)]))
  const policies = [...byPolicy.values()].map((own) => {
    const [first] = own as [CountedSession]
    const { by } = first
    const failed = own.filter(({ result }) => result !== 'success')
    const total = (of: readonly CountedSession[]): number => of.reduce((sum, { count }) => sum + count, 0)
    return {
      policy: {
        'policy-type': policyTypes[by],
        ...(by === 'none' ? {} : { 'policy-string': by === 'sts' ? stsPolicy : recordsOf(first) }),
        'policy-domain': domain,
        ...(by === 'none' ? {} : { 'mx-host': by === 'sts' ? patternsIn(stsPolicy) : hostsOf(own) }),
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
function patternsIn(stsPolicy: readonly string[]): string[] {
  return stsPolicy.flatMap((line) => /^mx: (.+)$/.exec(line)?.[1] ?? [])
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

/** `mail.one.test!two.test!1500000000!1500086399!id.json.gz` (§5.1). */
function reportFile({ domain, day, hostname, id }: Pick<ReportFacts, 'domain' | 'day' | 'hostname' | 'id'>): string {
  const begin = Date.parse(`${day}T00:00:00Z`) / 1000
  return `${hostname}!${domain}!${begin}!${begin + 86_399}!${id}.json.gz`
}

/** §5.3. `date`: as a Date field has it. */
export function reportMail(facts: ReportFacts, zipped: Buffer, to: string, date: string): Buffer {
  const { domain, hostname, contact, id } = facts
  const boundary = `report.${id}`
  const lines = [
    `From: <${contact}>`,
    `To: <${to}>`,
    `Date: ${date}`,
    `Subject: Report Domain: ${domain}`,
    ` Submitter: ${hostname}`,
    ` Report-ID: <${id}@${hostname}>`,
    `Message-ID: <${id}@${hostname}>`,
    `TLS-Report-Domain: ${domain}`,
    `TLS-Report-Submitter: ${hostname}`,
    'TLS-Required: No',
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type="tlsrpt"; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=us-ascii',
    '',
    `How TLS sessions from ${hostname} with the mail hosts of ${domain} went on ${facts.day} (RFC 8460).`,
    '',
    `--${boundary}`,
    'Content-Type: application/tlsrpt+gzip',
    'Content-Transfer-Encoding: base64',
    `Content-Disposition: attachment; filename="${reportFile(facts)}"`,
    '',
    `${encodeBase64(zipped)}--${boundary}--`,
    '',
  ]
  return Buffer.from(lines.join('\r\n'))
}
