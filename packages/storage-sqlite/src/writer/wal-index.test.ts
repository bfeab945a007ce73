import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { indexOctets, indexOf, WalIndex } from './wal-index.ts'

function inDirectory(use: (database: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-index-'))
  try {
    use(join(directory, 'mail.db'))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('has no hole that a write through a mapping could fall into, and says what it said', () => {
  inDirectory((database) => {
    const db = new Database(database)
    db.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)')
    {
      using _index = new WalIndex(database)
      const { size, blocks } = statSync(indexOf(database))
      expect(size).toBe(indexOctets)
      expect(blocks * 512).toBeGreaterThanOrEqual(indexOctets)
      const other = new Database(database)
      db.exec('INSERT INTO t VALUES (2)')
      expect(other.prepare('SELECT a FROM t').pluck().all()).toEqual([1, 2])
      other.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      other.close()
      expect(db.prepare('SELECT a FROM t').pluck().all()).toEqual([1, 2])
      db.close()
    }
    expect(statSync(indexOf(database), { throwIfNoEntry: false })).toBeUndefined()
  })
})

test('changes nothing but zeros', () => {
  inDirectory((database) => {
    const said = Buffer.alloc(100_000)
    for (const at of [0, 511, 512, 70_000]) said[at] = 7
    writeFileSync(indexOf(database), said)
    using _index = new WalIndex(database)
    expect(statSync(indexOf(database)).size).toBe(indexOctets)
    const now = readFileSync(indexOf(database))
    expect(now.subarray(0, said.length).equals(said)).toBe(true)
    expect(now.subarray(said.length).every((octet) => octet === 0)).toBe(true)
  })
})
