import { closeSync, copyFileSync, linkSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeDirectory, syncPathSync } from '@pennypost/model'
import Database from 'better-sqlite3'

/**
 * Writes a copy of the store to a directory that is a data directory again: the database by VACUUM INTO, which reads
 * one state of it whatever is written meanwhile, and the files that this state refers to. The writer deletes no
 * content file while a backup runs. The database gets its name last, when all of it is on the disk: a directory with a
 * mail.db is a whole backup. Gives the files that are not there: what is damaged is copied as far as it goes.
 */
export function backup(
  source: { db: Database.Database; contents: string },
  target: string,
  onFile: (done: number, total: number) => void,
): string[] {
  makeDirectory(join(target, 'content'), 0o700)
  const part = join(target, 'mail.db.part')
  rmSync(part, { force: true })
  let missing: string[]
  try {
    closeSync(openSync(part, 'wx', 0o600))
    source.db.prepare('VACUUM INTO ?').run(part)
    const copy = new Database(part)
    try {
      // Another store: what was derived from this one is not of it.
      copy.exec(`UPDATE meta SET value = hex(randomblob(16)) WHERE key = 'lineage'`)
      missing = copyContents(copy, source.contents, join(target, 'content'), onFile)
    } finally {
      copy.close()
    }
    syncPathSync(part)
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
  renameSync(part, join(target, 'mail.db'))
  syncPathSync(target)
  return missing
}

/** Copies the content files that a database refers to, durably. Gives those that are not there. */
export function copyContents(
  db: Database.Database,
  from: string,
  to: string,
  onFile: (done: number, total: number) => void,
): string[] {
  const missing: string[] = []
  const files = db.prepare('SELECT file FROM contents WHERE file IS NOT NULL').pluck().all() as string[]
  const directories = new Set<string>()
  for (const [index, file] of files.entries()) {
    const target = join(to, file)
    if (!directories.has(dirname(target))) makeDirectory(dirname(target), 0o700)
    directories.add(dirname(target))
    if (!copyContent(join(from, file), target)) missing.push(file)
    onFile(index + 1, files.length)
  }
  for (const directory of directories) syncPathSync(directory)
  syncPathSync(to)
  return missing
}

/** Contents are written once: on the same file system a second name is a copy. False when there is no such file. */
function copyContent(from: string, to: string): boolean {
  try {
    linkSync(from, to)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return false
    // EEXIST: from a backup that broke off, perhaps half of it.
    if (!['EXDEV', 'EPERM', 'EMLINK', 'EOPNOTSUPP', 'EEXIST'].includes(code)) throw error
    rmSync(to, { force: true })
    copyFileSync(from, to)
    syncPathSync(to)
  }
  return true
}
