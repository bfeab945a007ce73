import type { FlowEvent, Journey, JourneyId, Memory, MemoryKind } from '@pennypost/model'
import { type Reader, readPages } from './reader.ts'

/** Journeys and what policy remembers. */
export async function readJourney(reader: Reader, id: JourneyId): Promise<Journey | undefined> {
  const select = reader.raw('SELECT id, events FROM flow WHERE journey = ? AND id > ? ORDER BY id LIMIT ?')
  type Row = [number, FlowEvent[]]
  const rows = await readPages(reader, (last: Row | undefined, limit) =>
    (select.all(id, last?.[0] ?? 0, limit) as [number, string][]).map(
      ([row, events]): Row => [row, JSON.parse(events)],
    ),
  )
  return rows.length === 0 ? undefined : { id, events: rows.flatMap(([, events]) => events) }
}

export function readJourneysByMessageId(reader: Reader, messageId: string, limit: number): JourneyId[] {
  return reader
    .pluck(
      `SELECT journey FROM flow WHERE began_at IS NOT NULL
        AND journey IN (SELECT journey FROM flow WHERE message_id = ?) ORDER BY began_at DESC, journey DESC LIMIT ?`,
    )
    .all(messageId, limit) as JourneyId[]
}

export function readRecentJourneys(reader: Reader, limit: number): JourneyId[] {
  return reader
    .pluck('SELECT journey FROM flow WHERE began_at IS NOT NULL ORDER BY began_at DESC, journey DESC LIMIT ?')
    .all(limit) as JourneyId[]
}

export function readMemory(reader: Reader, kind: MemoryKind, key: string, now: number): Memory | undefined {
  const row = reader
    .raw('SELECT value, count, first_at, last_at FROM memory WHERE kind = ? AND key = ? AND expires_at > ?')
    .get(kind, key, now) as [string, number, number, number] | undefined
  return row && { value: row[0], count: row[1], firstAt: row[2], lastAt: row[3] }
}

export async function listMemory(
  reader: Reader,
  kind: MemoryKind,
  now: number,
  after: string,
  limit: number,
): Promise<(Memory & { key: string })[]> {
  const select = reader.raw(
    `SELECT key, value, count, first_at, last_at FROM memory WHERE kind = ? AND key > ? AND expires_at > ?
      ORDER BY key LIMIT ?`,
  )
  type Row = [string, string, number, number, number]
  let left = limit
  const rows = await readPages(reader, (last: Row | undefined, page) => {
    const found = select.all(kind, last?.[0] ?? after, now, Math.min(page, left)) as Row[]
    left -= found.length
    return found
  })
  return rows.map(([key, value, count, firstAt, lastAt]) => ({ key, value, count, firstAt, lastAt }))
}
