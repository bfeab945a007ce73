/**
 * Reports on TLS for those who want them (RFC 8460 §3): by mail through the queue, or by HTTPS.
 * Who calls it: the nightly reports.
 */
import { gzipSync } from 'node:zlib'
import { createJourneyId, type Resolver } from '@pennypost/model'
import type { Https } from '../tls/https.ts'
import { contactFor, type MailReportOptions, mailReport } from './mail-report.ts'
import type { DomainDay, ReadyReport } from './nightly-reports.ts'
import { reportAddresses, reportJson, type TlsReportFacts, tlsReportKind } from './tls-report.ts'
import type { TlsSession } from './tls-sessions.ts'

export interface TlsReportsOptions extends MailReportOptions {
  resolver: Resolver
  https: Https
}

/** Rejects when DNS does not say whether the domain wants one. */
export async function makeTlsReports(
  { domain, day, counted }: DomainDay<TlsSession>,
  signal: AbortSignal,
  options: TlsReportsOptions,
): Promise<readonly ReadyReport[]> {
  const { resolver, clock, random, hostname, https } = options
  const answer = await resolver.query(`_smtp._tls.${domain}`, 'TXT', signal)
  if (answer.status === 'failed')
    throw new Error(`whether ${domain} wants one is not to be found out: ${answer.reason}`)
  const wanted = answer.status === 'found' ? reportAddresses(answer.records) : []
  if (wanted.length === 0) return []
  const facts: TlsReportFacts = {
    domain,
    day,
    hostname,
    sessions: counted,
    id: createJourneyId(clock.now(), random),
    contact: await contactFor(options),
  }
  const zipped = gzipSync(reportJson(facts))
  return wanted.map((to) => ({
    to,
    send: () =>
      /^mailto:/i.test(to)
        ? mailReport(to, facts, tlsReportKind(facts, zipped), options)
        : post(https, zipped, new URL(to), signal),
  }))
}

async function post(https: Https, body: Buffer, url: URL, signal: AbortSignal): Promise<void> {
  const { status } = await https({
    method: 'POST',
    host: url.hostname,
    port: Number(url.port || 443),
    path: `${url.pathname}${url.search}`,
    headers: { 'content-type': 'application/tlsrpt+gzip', 'content-length': String(body.length) },
    body,
    signal,
  })
  if (status < 200 || status > 299) throw new Error(`the site answers ${status}`)
}
