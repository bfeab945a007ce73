/** The jobs behind `PolicyMemory`, and the notes that ride in acceptances. */
import { type MemoryNote, memoryLimits, StoreError } from '@pennypost/model'
import type { WriterContext } from '../context.ts'

const remember = `INSERT INTO memory (kind, key, value, count, first_at, last_at, expires_at)
  VALUES ($kind, $key, coalesce($value, ''), $count, $at, $at, $expiresAt)
  ON CONFLICT DO UPDATE SET
    value = CASE WHEN $value IS NOT NULL THEN $value WHEN expires_at <= $at THEN '' ELSE value END,
    count = CASE WHEN expires_at <= $at THEN $count ELSE count + $count END,
    first_at = CASE WHEN expires_at <= $at THEN $at ELSE first_at END,
    last_at = $at, expires_at = $expiresAt`

/** Rejects with `limit`; to be called before the first change of a job. */
export function checkNotes(notes: readonly MemoryNote[]): void {
  for (const { key, value = '' } of notes) {
    if (key.length > memoryLimits.key) throw new StoreError('limit', `a key has at most ${memoryLimits.key} characters`)
    if (value.length > memoryLimits.value) {
      throw new StoreError('limit', `a value has at most ${memoryLimits.value} characters`)
    }
  }
}

/** The verb of the port. */
export function note(context: WriterContext, notes: readonly MemoryNote[]): void {
  checkNotes(notes)
  noteMemory(context, notes)
}

export function noteMemory(context: WriterContext, notes: readonly MemoryNote[]): void {
  for (const { kind, key, at, expiresAt, value, count = 1 } of notes) {
    context.sql(remember).run({ kind, key, value: value ?? null, at, expiresAt, count })
  }
}

export function forgetMemory(context: WriterContext, args: { kind: string; key: string }): void {
  context.sql('DELETE FROM memory WHERE kind = ? AND key = ?').run(args.kind, args.key)
}

/** Drops up to `limit` of what has expired at `now`; gives how many. */
export function pruneMemory(context: WriterContext, args: { now: number; limit: number }): number {
  return context
    .sql(
      `DELETE FROM memory WHERE (kind, key) IN
        (SELECT kind, key FROM memory WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
    )
    .run(args.now, args.limit).changes
}
