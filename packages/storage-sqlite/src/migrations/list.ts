import type Database from 'better-sqlite3'
import { first } from './0001-first.ts'

/**
 * Forward-only migrations. A released one is never changed: what is wrong with it is put right by the next.
 * Run by the writer at start, each in one transaction that also sets `user_version`.
 */
export interface Migration {
  /** What `user_version` is afterwards. */
  version: number
  sql: string
}

export const migrations: readonly Migration[] = [first]

/** `PPst`, so that `file` and a careful start can tell whose database this is. */
export const applicationId = 0x50507374

/** Throws when the database is not ours or newer than this program. Gives its version; 0 for an empty one. */
export function requireOurs(db: Database.Database): number {
  const newest = migrations.at(-1)?.version ?? 0
  const version = db.pragma('user_version', { simple: true }) as number
  const id = db.pragma('application_id', { simple: true }) as number
  const foreign = id !== applicationId && (version !== 0 || id !== 0)
  if (foreign) throw new Error('mail.db is not a Pennypost database')
  if (version > newest) {
    throw new Error(`mail.db is of version ${version}, this program knows up to ${newest}: use the newer program`)
  }
  return version
}

/** Brings the database to the newest version. Throws as `requireOurs` does. */
export function migrate(db: Database.Database): void {
  const version = requireOurs(db)
  for (const migration of migrations) {
    if (migration.version <= version) continue
    db.transaction(() => {
      db.exec(migration.sql)
      db.pragma(`user_version = ${migration.version}`)
      db.pragma(`application_id = ${applicationId}`)
    }).immediate()
  }
}
