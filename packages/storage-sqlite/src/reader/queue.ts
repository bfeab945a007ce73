import type {
  Clock,
  LeasedEntry,
  QueueCounts,
  QueueEntry,
  QueueEntryId,
  QueueEnvelope,
  QueueFilter,
  QueueRecipient,
} from '@pennypost/model'
import { isSameAddress, nextTurn } from '@pennypost/model'
import type { ClaimedRow } from '../writer/jobs/claim.ts'
import { pageRows, type Reader } from './reader.ts'

/** Queue entries as rows, and what is asked about them without changing them. The first value of a query is the time. */
const columns = `id, journey, message, destination, route, envelope, accepted_at AS acceptedAt, due_at AS dueAt, attempts, held,
  iif(lease_until > ?, lease_until, NULL) AS leasedUntil, size, message_id AS messageId, recipients`

type Row = Omit<QueueEntry, 'envelope' | 'held' | 'recipients'> & { envelope: string; held: number; recipients: string }

export function readEntry(reader: Reader, id: QueueEntryId, now: number): QueueEntry | undefined {
  const row = reader.sql(`SELECT ${columns} FROM queue WHERE id = ?`).get(now, id) as Row | undefined
  return row && entryOf(row)
}

/** What a claim has leased, in its order; an entry that an operator has removed since is left out. */
export function readClaimed(reader: Reader, claimed: readonly ClaimedRow[], now: number): LeasedEntry[] {
  return claimed.flatMap(({ id, lease }) => {
    const entry = readEntry(reader, id as QueueEntryId, now)
    return entry ? [{ ...entry, lease }] : []
  })
}

function entryOf(row: Row): QueueEntry {
  return {
    ...row,
    envelope: JSON.parse(row.envelope) as QueueEnvelope,
    held: row.held === 1,
    recipients: JSON.parse(row.recipients) as QueueRecipient[],
  }
}

export async function* listEntries(
  reader: Reader,
  clock: Clock,
  filter: QueueFilter,
): AsyncGenerator<readonly QueueEntry[]> {
  let after: { acceptedAt: number; id: number } | undefined = { acceptedAt: Number.MIN_SAFE_INTEGER, id: 0 }
  for (let first = true; after; first = false) {
    if (!first) await nextTurn()
    const { conditions, values } = filterOf(filter)
    // A page is what is looked at: few or none of it may be what is asked for.
    const last: [number, number] | undefined = filter.journey === undefined ? endOfPage(reader, after) : undefined
    const rows = reader
      .sql(
        `SELECT ${columns} FROM queue WHERE (accepted_at, id) > (?, ?) AND (accepted_at, id) <= (?, ?) ${conditions}
          ORDER BY accepted_at, id`,
      )
      .all(clock.now(), after.acceptedAt, after.id, ...(last ?? noEnd), ...values) as Row[]
    after = last && { acceptedAt: last[0], id: last[1] }
    const entries = rows.map(entryOf).filter((entry) => isBetween(entry, filter))
    if (entries.length > 0) yield entries
  }
}

const noEnd = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]

/** Where the last row of a page stands; undefined when less than a page is left. */
function endOfPage(reader: Reader, after: { acceptedAt: number; id: number }): [number, number] | undefined {
  const select = `SELECT accepted_at, id FROM queue WHERE (accepted_at, id) > (?, ?)
    ORDER BY accepted_at, id LIMIT 1 OFFSET ${pageRows - 1}`
  return reader.raw(select).get(after.acceptedAt, after.id) as [number, number] | undefined
}

function filterOf(filter: QueueFilter): { conditions: string; values: (string | number)[] } {
  const conditions: [string, string | number | undefined][] = [
    [`instr(destination || ';', ? || ';') = 1`, filter.destination],
    ['journey = ?', filter.journey],
    ['held = ?', filter.held === undefined ? undefined : filter.held ? 1 : 0],
    ['accepted_at < ?', filter.acceptedBefore],
  ]
  const used = conditions.filter((condition): condition is [string, string | number] => condition[1] !== undefined)
  return {
    conditions: used.map(([sql]) => `AND ${sql}`).join(' '),
    values: used.map(([, value]) => value),
  }
}

/** Whether the entry is from and to whom the filter names: of addresses in lookup form SQLite knows nothing. */
function isBetween({ envelope, recipients }: QueueEntry, { reversePath, forwardPath }: QueueFilter): boolean {
  if (reversePath !== undefined && !isSameAddress(envelope.reversePath, reversePath)) return false
  return forwardPath === undefined || recipients.some((each) => isSameAddress(each.forwardPath, forwardPath))
}

/** Due times of what waits, and of leases that ran out. */
export function readNextDueAt(reader: Reader, now: number): number | null {
  return reader.together(() => {
    const waiting = reader.pluck('SELECT min(due_at) FROM lanes').get() as number | null
    const expired = reader.pluck('SELECT min(due_at) FROM queue WHERE lease_until <= ? AND held = 0').get(now) as
      | number
      | null
    return waiting === null || expired === null ? (waiting ?? expired) : Math.min(waiting, expired)
  })
}

export function readCounts(reader: Reader, now: number): QueueCounts {
  return reader.together(() => {
    const one = (sql: string, ...values: number[]) => reader.pluck(sql).get(...values) as number
    const dueAmong = (condition: string, ...values: number[]) =>
      reader
        .raw(`SELECT count(*), coalesce(sum(due_at <= ?), 0) FROM queue WHERE ${condition} AND held = 0`)
        .get(now, ...values) as [number, number]
    const [free, freeDue] = dueAmong('lease_until IS NULL')
    const [expired, expiredDue] = dueAmong('lease_until <= ?', now)
    return {
      waiting: free - freeDue + expired - expiredDue,
      due: freeDue + expiredDue,
      leased: one('SELECT count(*) FROM queue WHERE lease_until > ? AND held = 0', now),
      held: one('SELECT count(*) FROM queue WHERE held = 1'),
      oldestAcceptedAt: reader.pluck('SELECT min(accepted_at) FROM queue').get() as number | null,
    }
  })
}
