import type { WriterContext } from '../context.ts'
import { queueEntryIds } from '../reserved-numbers.ts'

/** A new queue entry on its way to the writer: envelope and recipients as JSON. */
export interface PackedQueueEntry {
  destination: string
  route: 'remote' | 'local'
  envelope: string
  recipients: string
  forwardPaths: readonly string[]
  /** Where it is not that of the acceptance. */
  reversePath?: string
}

/** Due at once: the first attempt follows the acceptance. */
export function insertQueueEntry(
  context: WriterContext,
  row: {
    entry: PackedQueueEntry
    journey: string
    message: number
    acceptedAt: number
    size: number
    messageId: string
  },
): number {
  const { entry, journey, message, acceptedAt, size, messageId } = row
  const id = context.numbers.next(queueEntryIds)
  context
    .sql(
      `INSERT INTO queue (id, destination, retry, due_at, held, attempts, journey, message, route, accepted_at, size,
        message_id, envelope, recipients) VALUES (?, ?, 0, ?, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      id,
      entry.destination,
      acceptedAt,
      journey,
      message,
      entry.route,
      acceptedAt,
      size,
      messageId,
      entry.envelope,
      entry.recipients,
    )
  enterLane(context, entry.destination, 0, acceptedAt)
  return id
}

/** An entry of this destination became due at `dueAt`: its lane is there and not later than that. */
export function enterLane(context: WriterContext, destination: string, retry: number, dueAt: number): void {
  context
    .sql(
      `INSERT INTO lanes (destination, retry, due_at, ready) VALUES (?, ?, ?, 0)
        ON CONFLICT DO UPDATE SET due_at = excluded.due_at WHERE due_at > excluded.due_at`,
    )
    .run(destination, retry, dueAt)
  context.effects.queue = true
}

/** Entries left this lane: its due time is that of the earliest one left, and without any it goes. */
export function refreshLane(context: WriterContext, destination: string, retry: number): void {
  const dueAt = context
    .pluck('SELECT min(due_at) FROM queue WHERE destination = ? AND retry = ? AND lease_until IS NULL AND held = 0')
    .get(destination, retry) as number | null
  if (dueAt === null) {
    context.sql('DELETE FROM lanes WHERE destination = ? AND retry = ?').run(destination, retry)
  } else {
    context.sql('UPDATE lanes SET due_at = ? WHERE destination = ? AND retry = ?').run(dueAt, destination, retry)
  }
}
