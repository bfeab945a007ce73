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
  const select = 'SELECT value, count, first_at AS firstAt, last_at AS lastAt FROM memory'
  return reader.sql(`${select} WHERE kind = ? AND key = ? AND expires_at > ?`).get(kind, key, now) as Memory | undefined
}

export async function listMemory(
  reader: Reader,
  kind: MemoryKind,
  now: number,
  after: string,
  limit: number,
): Promise<(Memory & { key: string })[]> {
  type Row = Memory & { key: string }
  const select = reader.sql(
    `SELECT key, value, count, first_at AS firstAt, last_at AS lastAt FROM memory
      WHERE kind = ? AND key > ? AND expires_at > ? ORDER BY key LIMIT ?`,
  )
  let left = limit
  return readPages(reader, (last: Row | undefined, page) => {
    const found = select.all(kind, last?.key ?? after, now, Math.min(page, left)) as Row[]
    left -= found.length
    return found
  })
}
