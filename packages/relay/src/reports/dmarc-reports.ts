/**
 * Aggregate reports of DMARC for those who want them (RFC 9990 §3.4), by mail.
 * Who calls it: the nightly reports.
 */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { findReportWish } from '@pennypost/message-auth'
import { createJourneyId, type Resolver } from '@pennypost/model'
import { type DmarcReportFacts, dmarcReportKind, dmarcXml } from './dmarc-report.ts'
import type { CountedRow, DmarcRow } from './dmarc-rows.ts'
import { contactFor, type MailReportOptions, mailReport } from './mail-report.ts'
import type { DomainDay, ReadyReport } from './nightly-reports.ts'

/** Rejects when DNS does not say who wants one. */
export async function makeDmarcReports(
  { domain, day, counted }: DomainDay<DmarcRow>,
  signal: AbortSignal,
  options: MailReportOptions & { resolver: Resolver },
): Promise<readonly ReadyReport[]> {
  const { resolver, clock, random, hostname } = options
  if (counted.every(({ isReport }) => isReport)) return []
  const wish = await findReportWish(resolver, domain, signal)
  if (!wish) return []
  const facts: DmarcReportFacts = {
    domain,
    day,
    hostname,
    id: createJourneyId(clock.now(), random),
    contact: await contactFor(options),
    record: wish.record,
    rows: merged(counted),
  }
  const zipped = await promisify(gzip)(dmarcXml(facts))
  return wish.uris.map((to) => ({ to, send: () => mailReport(to, facts, dmarcReportKind(facts, zipped), options) }))
}

/** Reports count as other mail does: one record for each set of results (§3.1.1.7). */
function merged(rows: readonly CountedRow[]): CountedRow[] {
  const alike = Map.groupBy(rows, ({ count: _, isReport: __, ...row }) => JSON.stringify(row))
  return [...alike.values()].map((own) => ({
    ...(own[0] as CountedRow),
    count: own.reduce((sum, { count }) => sum + count, 0),
  }))
}
