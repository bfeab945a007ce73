import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { StoreFault } from '@pennypost/model'
import type Database from 'better-sqlite3'
import { directoryNumber } from '../content/content-files.ts'
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
  // Looked for first and told last: what is expunged meanwhile still has a row at the one look, or no file at the other.
  let unneeded: string[] = []
  const noteUnneeded = (): StoreFault[] => {
    unneeded = [...unneededFiles(db, contents, ownDirectory)]
    return []
  }
  const looks = [
    { look: noteUnneeded, fault: 'content-unneeded' },
    { look: () => damageOf(db), fault: 'index-damaged' },
    ...rules.map(({ fault, sql, advice }) => ({
      look: () => (db.prepare(sql).pluck().all() as string[]).map((where) => ({ fault, where, advice })),
      fault,
    })),
    { look: () => [...missingFiles(db, contents)], fault: 'content-missing' },
    {
      look: () => unneeded.filter((file) => existsSync(join(contents, file))).map(unneededFile),
      fault: 'content-unneeded',
    },
  ]
  for (const { look, fault } of looks) {
    const found = beyondDamage(look, fault)
    if (found.length > 0) yield found
  }
}

function damageOf(db: Database.Database): StoreFault[] {
  const damage = db.prepare('PRAGMA integrity_check(100)').pluck().all() as string[]
  return damage[0] === 'ok' ? [] : damage.map((where) => ({ fault: 'index-damaged', where, advice: restore }))
}

/** Where the database is damaged, a look at it ends early: that is told, and the other looks go on. */
function beyondDamage(look: () => StoreFault[], fault: string): StoreFault[] {
  try {
    return look()
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (!/^SQLITE_(CORRUPT|IOERR)/.test(code)) throw error
    return [{ fault: 'index-damaged', where: `${message} (looking for ${fault})`, advice: restore }]
  }
}

/** Files that nothing refers to. */
function* unneededFiles(db: Database.Database, contents: string, ownDirectory: number): Generator<string> {
  const isNeeded = db.prepare('SELECT 1 FROM contents WHERE file = ?').pluck()
  for (const directory of readdirSync(contents)) {
    const number = directoryNumber(directory)
    if (number === undefined || number >= ownDirectory) continue
    for (const name of readdirSync(join(contents, directory))) {
      const file = `${directory}/${name}`
      if (isNeeded.get(file) === undefined) yield file
    }
  }
}

function unneededFile(file: string): StoreFault {
  const advice = 'restart the server: it takes away what nothing refers to'
  return { fault: 'content-unneeded', where: `file ${file}`, advice }
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
