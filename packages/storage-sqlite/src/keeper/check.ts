import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { StoreFault } from '@pennypost/model'
import type Database from 'better-sqlite3'
import { restore, rules } from './check-rules.ts'

/**
 * Reads everything and says what does not fit together; repairs nothing. Run by the keeper for `check`, for the copy that
 * a backup has written, and by `restore-store.ts`.
 */

/** Faults in batches. `ownDirectory`: the first directory of contents that may hold content on its way in. */
export function* findFaults(
  db: Database.Database,
  contents: string,
  ownDirectory = Number.POSITIVE_INFINITY,
): Generator<StoreFault[]> {
  const damage = db.prepare('PRAGMA integrity_check(100)').pluck().all() as string[]
  if (damage[0] !== 'ok') yield damage.map((where) => ({ fault: 'index-damaged', where, advice: restore }))
  for (const { fault, sql, advice } of rules) {
    const found = db.prepare(sql).pluck().all() as string[]
    if (found.length > 0) yield found.map((where) => ({ fault, where, advice }))
  }
  const missing = [...missingFiles(db, contents)]
  if (missing.length > 0) yield missing
  const unneeded = [...unneededFiles(db, contents, ownDirectory)]
  if (unneeded.length > 0) yield unneeded
}

/** Files that nothing refers to; the next start takes them away. */
function* unneededFiles(db: Database.Database, contents: string, ownDirectory: number): Generator<StoreFault> {
  const isNeeded = db.prepare('SELECT 1 FROM contents WHERE file = ?').pluck()
  for (const directory of readdirSync(contents)) {
    if (Number.parseInt(directory, 16) >= ownDirectory) continue
    for (const name of readdirSync(join(contents, directory))) {
      const file = `${directory}/${name}`
      if (isNeeded.get(file) !== undefined) continue
      yield {
        fault: 'content-unneeded',
        where: `file ${file}`,
        advice: 'restart the server: it takes away what nothing refers to',
      }
    }
  }
}

function* missingFiles(db: Database.Database, contents: string): Generator<StoreFault> {
  const stillThere = db.prepare('SELECT 1 FROM contents WHERE file = ?').pluck()
  const rows = db.prepare('SELECT file, body_start + body_size FROM contents WHERE file IS NOT NULL').raw()
  for (const [file, size] of rows.all() as [string, number][]) {
    const found = statSync(join(contents, file), { throwIfNoEntry: false })
    if (found?.size === size) continue
    // Expunged since the row was read: nothing is missing.
    if (found === undefined && stillThere.get(file) === undefined) continue
    yield missingFile(file)
  }
}

/** A content file that is not there, or not as long as it was. */
export function missingFile(file: string): StoreFault {
  return { fault: 'content-missing', where: `file ${file}`, advice: restore }
}
