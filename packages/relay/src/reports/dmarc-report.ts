/** What an aggregate report of DMARC says (RFC 9990 §3.1.1, appendix A). Pure. */
import type { DmarcRecord } from '@pennypost/message-auth'
import type { CountedRow } from './dmarc-rows.ts'
import { type ReportFacts, type ReportKind, rangeOf } from './mail-report.ts'

export interface DmarcReportFacts extends ReportFacts {
  record: DmarcRecord
  rows: readonly CountedRow[]
}

type Content = string | number | readonly string[]

export function dmarcXml(facts: DmarcReportFacts): string {
  const { hostname, contact, id, rows } = facts
  const { begin, end } = rangeOf(facts)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">',
    ...element('version', '1.0'),
    ...element('report_metadata', [
      ...element('org_name', hostname),
      ...element('email', contact),
      ...element('report_id', id),
      ...element('date_range', [...element('begin', begin), ...element('end', end)]),
      ...element('generator', 'Pennypost'),
    ]),
    ...element('policy_published', policyPublished(facts)),
    ...rows.flatMap((row) => element('record', recordOf(row, facts.record))),
    '</feedback>',
    '',
  ].join('\n')
}

function policyPublished({ domain, record }: DmarcReportFacts): string[] {
  const { policy, subdomainPolicy, nonExistentPolicy, alignment, isTest } = record
  return [
    ...element('domain', domain),
    ...element('discovery_method', 'treewalk'),
    ...element('p', policy),
    ...element('sp', subdomainPolicy),
    ...element('np', nonExistentPolicy),
    ...element('adkim', alignment.dkim.charAt(0)),
    ...element('aspf', alignment.spf.charAt(0)),
    ...element('testing', isTest ? 'y' : 'n'),
  ]
}

function recordOf(row: CountedRow, { isTest }: DmarcRecord): string[] {
  const { sourceAddress, count, disposition, dkim, spf, isOverridden, headerFrom, envelopeFrom } = row
  const isFailure = dkim === 'fail' && spf === 'fail'
  // A row that failed shows another policy than the one published; both reasons may hold.
  const reasons = [
    ...(isOverridden ? ['local_policy'] : []),
    ...(isTest && isFailure ? ['policy_test_mode'] : []),
  ].flatMap((type) => element('reason', element('type', type)))
  return [
    ...element('row', [
      ...element('source_ip', sourceAddress),
      ...element('count', count),
      ...element('policy_evaluated', [
        ...element('disposition', disposition),
        ...element('dkim', dkim),
        ...element('spf', spf),
        ...reasons,
      ]),
    ]),
    ...element('identifiers', [...element('header_from', headerFrom), ...element('envelope_from', envelopeFrom)]),
    ...element('auth_results', authResults(row)),
  ]
}

function authResults({ signatures, sender }: CountedRow): string[] {
  const signed = signatures.flatMap(({ domain, selector, result }) =>
    element('dkim', [...element('domain', domain), ...element('selector', selector), ...element('result', result)]),
  )
  if (!sender) return signed
  const { domain, result } = sender
  const asked = [...element('domain', domain), ...element('scope', 'mfrom'), ...element('result', result)]
  return [...signed, ...element('spf', asked)]
}

/** Lines of an element; text is escaped, elements are indented. */
function element(name: string, content: Content): string[] {
  if (typeof content !== 'object') return [`<${name}>${escaped(String(content))}</${name}>`]
  return [`<${name}>`, ...content.map((line) => `  ${line}`), `</${name}>`]
}

/** Strangers choose domains and selectors; XML knows no control characters at all. */
function escaped(text: string): string {
  const visible = text.replaceAll(/[^ -~]/g, '?')
  return visible.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** §3.5.2. */
export function dmarcReportKind({ domain, hostname, day }: ReportFacts, zipped: Buffer): ReportKind {
  return {
    service: 'dmarc-report',
    text: `What ${hostname} made of mail from ${domain} on ${day} by DMARC (RFC 9990).`,
    fields: '',
    contentType: 'multipart/mixed',
    attachment: { contentType: 'application/gzip', extension: 'xml.gz', zipped },
    tlsOptional: false,
  }
}
