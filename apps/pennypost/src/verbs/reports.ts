import type { OperationResult } from '@pennypost/admin'
import type { Command } from 'commander'
import { parseDuration } from '../config/quantity.ts'
import type { Session } from './session.ts'
import { clean, formatTable, formatTime } from './table.ts'
import { UsageError } from './usage-error.ts'
import { addVerb, inSession } from './verb.ts'

/** `reports`. */
export function register(program: Command): void {
  addVerb(program, 'reports', 'DMARC and TLS reports about our domains that have arrived')
    .option('--account <login>', 'in whose mail to look (default: of whom postmaster@ leads to)')
    .option('--domain <domain>', 'about this domain only')
    .option('--kind <kind>', 'dmarc or tls')
    .option('--since <duration>', 'arrived within this time', '30d')
    .action(inSession(reports))
}

interface ReportsOptions {
  account?: string
  domain?: string
  kind?: string
  since: string
}

type Report = OperationResult<'reports'>['reports'][number]

async function reports(session: Session, { account, domain, kind, since }: ReportsOptions): Promise<void> {
  const sinceMs = parseDuration(since)
  if (sinceMs === undefined) throw new UsageError(`"${since}" is no duration; write e.g. 7d.`)
  if (kind !== undefined && kind !== 'dmarc' && kind !== 'tls') throw new UsageError('The kinds are dmarc and tls.')
  const result = await session.call('reports', { sinceMs, login: account, domain, kind })
  session.show(result, () => {
    const table = formatTable(
      result.reports,
      [
        { title: 'FROM', value: ({ beginsAt }: Report) => formatTime(beginsAt).slice(0, 10) },
        { title: 'KIND', value: (report: Report) => report.kind },
        { title: 'DOMAIN', value: (report: Report) => report.domain },
        { title: 'BY', value: ({ organization }: Report) => organization },
        { title: 'PASSED', value: ({ passed }: Report) => passed, right: true },
        { title: 'FAILED', value: ({ failed }: Report) => failed, right: true },
      ],
      `No report is in the mail of ${result.login}.`,
    )
    return `${table}${result.reports.map(failuresOf).join('')}`
  })
}

function failuresOf({ domain, organization, failures }: Report): string {
  return failures
    .map(
      ({ what, count, why }) =>
        `${clean(domain)}, by ${clean(organization)}: ${count} × ${clean(what)}: ${clean(why)}\n`,
    )
    .join('')
}
