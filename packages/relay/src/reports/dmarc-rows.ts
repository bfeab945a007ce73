/**
 * What DMARC made of the mail of others, counted for the reports of the day (RFC 9990).
 * Who calls it: reception, by way of the relay, for each message; the nightly reports, for what a day came to.
 */
import { createHash } from 'node:crypto'
import type { AggregateRow } from '@pennypost/message-auth'
import { memoryLimits } from '@pennypost/model'
import { type Counted, createDayCounts, type DayCounts, type DayCountsOptions } from './day-counts.ts'

export interface DmarcRow extends AggregateRow {
  /** The message is a report itself: two servers that report on reports would never come to an end. */
  isReport: boolean
}

export type DmarcRows = DayCounts<DmarcRow>

export function createDmarcRows(options: Pick<DayCountsOptions<DmarcRow>, 'memory' | 'clock' | 'log'>): DmarcRows {
  const rows = createDayCounts<DmarcRow>({
    ...options,
    kind: 'dmarc-row',
    what: 'DMARC results',
    keyOf: (row) => createHash('sha256').update(JSON.stringify(row)).digest('base64url'),
    print: (counted) => JSON.stringify(counted),
  })
  return {
    ...rows,
    note(row) {
      const fitting = fit(row)
      if (fitting) rows.note(fitting)
    },
  }
}

/** Leaves room for the number of them. */
const rowMax = memoryLimits.value - 30

/** With as many signatures as there is room for; undefined where names so long are used that nobody's can be. */
function fit(row: DmarcRow): DmarcRow | undefined {
  for (let count = row.signatures.length; count >= 0; count--) {
    const fitting = { ...row, signatures: row.signatures.slice(0, count) }
    if (JSON.stringify(fitting).length <= rowMax) return fitting
  }
  return undefined
}

export type CountedRow = Counted<DmarcRow>
