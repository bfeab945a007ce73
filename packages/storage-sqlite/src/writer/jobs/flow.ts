import type { FlowFact } from '@pennypost/model'
import type Database from 'better-sqlite3'
import type { WriterContext } from '../context.ts'

/** Events of one journey that are recorded together, as `reader/flow.ts` reads them back. */
export interface FlowRow {
  journey: string
  at: number
  /** Message-ID of a `received` event, '' when there is none. */
  messageId: string
  /** When the first attempt with a transcript was made; null when there is none. */
  transcriptAt: number | null
  /** JSON array. */
  events: string
}

const insert = `INSERT INTO flow (journey, began_at, message_id, transcript_at, fingerprint, events)
  VALUES (?, CASE WHEN EXISTS (SELECT 1 FROM flow WHERE journey = ?) THEN NULL ELSE ? END, ?, ?, ?, ?)`

export function recordFlow(context: WriterContext, rows: readonly FlowRow[]): void {
  for (const row of rows) insertFlow(context, row, null)
}

export function insertFlow(context: WriterContext, row: FlowRow, fingerprint: string | null): void {
  const { journey, at, messageId, transcriptAt, events } = row
  context.sql(insert).run(journey, journey, at, messageId || null, transcriptAt, fingerprint, events)
}

/** Tells of some queue entries in their journeys, where no jobs run: at a start and in a restore. `where`: a condition in SQL. */
export function noteEntries(
  db: Database.Database,
  now: number,
  where: string,
  factOf: (entry: number) => FlowFact,
): void {
  const note = db.prepare(insert)
  const entries = db.prepare(`SELECT id, journey FROM queue WHERE ${where}`).all() as { id: number; journey: string }[]
  for (const { id, journey } of entries) {
    note.run(journey, journey, now, null, null, null, JSON.stringify([{ journey, at: now, ...factOf(id) }]))
  }
}

/** The latest acceptance with this fingerprint whose 250 may not have been read. */
export function findUnconfirmed(context: WriterContext, fingerprint: string, now: number): string | undefined {
  return context
    .pluck(`SELECT journey FROM flow INDEXED BY flow_unconfirmed
      WHERE fingerprint = ? AND unconfirmed_at > ? ORDER BY id DESC LIMIT 1`)
    .get(fingerprint, now - context.limits.unconfirmedMs) as string | undefined
}

export function unconfirm(context: WriterContext, args: { journey: string; now: number }): void {
  context
    .sql('UPDATE flow SET unconfirmed_at = ? WHERE journey = ? AND fingerprint IS NOT NULL')
    .run(args.now, args.journey)
}

/** Drops up to `limit` journeys that began before `before`; gives how many. */
export function pruneJourneys(context: WriterContext, args: { before: number; limit: number }): number {
  const journeys = context
    .pluck('SELECT journey FROM flow WHERE began_at < ? ORDER BY began_at LIMIT ?')
    .all(args.before, args.limit) as string[]
  const drop = context.sql('DELETE FROM flow WHERE journey = ?')
  for (const journey of journeys) drop.run(journey)
  return journeys.length
}

/** Drops the transcripts of up to `limit` records with attempts before `before`; gives how many records. */
export function pruneTranscripts(context: WriterContext, args: { before: number; limit: number }): number {
  const rows = context
    .raw('SELECT id, events FROM flow WHERE transcript_at < ? ORDER BY transcript_at LIMIT ?')
    .all(args.before, args.limit) as [number, string][]
  const update = context.sql('UPDATE flow SET events = ?, transcript_at = ? WHERE id = ?')
  for (const [id, text] of rows) {
    let left: number | null = null
    const events = (JSON.parse(text) as { at: number; transcript?: unknown }[]).map((event) => {
      if (event.transcript === undefined) return event
      if (event.at >= args.before) {
        left = Math.min(left ?? event.at, event.at)
        return event
      }
      const { transcript: _, ...rest } = event
      return rest
    })
    update.run(JSON.stringify(events), left, id)
  }
  return rows.length
}
