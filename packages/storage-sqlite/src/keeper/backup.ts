import { copyFileSync, linkSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type Database from 'better-sqlite3'

/**
 * Writes a copy of the store to a directory that is a data directory again: the database by VACUUM INTO, which reads
 * one state of it whatever is written meanwhile, and the files that this state refers to. The writer deletes no
 * content file while a backup runs.
 */
export function backup(db: Database.Database, contents: string, target: string): void {
  mkdirSync(join(target, 'content'), { recursive: true, mode: 0o700 })
  const database = join(target, 'mail.db')
  db.prepare('VACUUM INTO ?').run(database)
  db.prepare('ATTACH ? AS copy').run(database)
  try {
    const files = db.prepare('SELECT file FROM copy.contents WHERE file IS NOT NULL').pluck().all() as string[]
    for (const file of files) copyContent(join(contents, file), join(target, 'content', file))
  } finally {
    db.exec('DETACH copy')
  }
}

/** Contents are written once: on the same file system a second name is a copy. */
function copyContent(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 })
  try {
    linkSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    copyFileSync(from, to)
  }
}
