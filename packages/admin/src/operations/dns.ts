/** The records to publish, and whether they are. */
import { dkimRecords } from '@pennypost/message-auth'
import { z } from 'zod'
import { AdminError } from '../admin-error.ts'
import type { AdminContext } from '../context.ts'
import { type CheckedRecord, checkRecord } from '../dns-check.ts'
import { type PublishedRecord, recordsFor } from '../dns-records.ts'
import { domainName } from '../input-fields.ts'
import { operation } from '../operation.ts'

const input = z.strictObject({
  /** Absent: all domains. */
  domain: domainName.optional(),
})

interface DomainRecords<Row> {
  domain: string
  records: Row[]
}

export const dnsRecords = operation({
  name: 'dns.records',
  kind: 'read',
  input,
  run: (context, { domain }) => recordsOf(context, domain),
})

async function recordsOf(context: AdminContext, only: string | undefined): Promise<DomainRecords<PublishedRecord>[]> {
  const all = await context.store.directory.domains()
  const domains = only === undefined ? all : all.filter(({ name }) => name === only)
  if (domains.length === 0) {
    const text = only === undefined ? 'There is no domain yet.' : `There is no domain ${only}.`
    throw new AdminError('not-found', text, '`pennypost domain add NAME` adds one.')
  }
  const { installation } = context
  const rows = []
  for (const domain of domains) {
    const keys = await dkimRecords(installation.dkimDirectory, domain.name)
    rows.push({ domain: domain.name, records: recordsFor(domain, keys, installation) })
  }
  return rows
}

export const dnsCheck = operation({
  name: 'dns.check',
  kind: 'read',
  input,
  async run(context, { domain }, { signal, progress }) {
    const wanted = await recordsOf(context, domain)
    const total = wanted.reduce((sum, { records }) => sum + records.length, 0)
    let done = 0
    const checked: DomainRecords<CheckedRecord>[] = []
    for (const { domain: name, records } of wanted) {
      const row: DomainRecords<CheckedRecord> = { domain: name, records: [] }
      for (const record of records) {
        row.records.push(await checkRecord(context.resolver, record, context.installation.hostname, signal))
        progress({ done: ++done, total, unit: 'records' })
      }
      checked.push(row)
    }
    return checked
  },
})
