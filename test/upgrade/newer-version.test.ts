/** A store of a newer version is refused before anything is touched. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'

const program = fileURLToPath(new URL('../../apps/pennypost/bin/pennypost.js', import.meta.url))
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pennypost-upgrade-'))
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('a store of a newer version is refused in plain words, and stays as it is', () => {
  writeFileSync(join(directory, 'pennypost.toml'), 'hostname = "mail.one.test"\ndata_dir = "."\n')
  const db = new Database(join(directory, 'mail.db'))
  db.exec('CREATE TABLE later (what TEXT)')
  db.pragma(`application_id = ${0x50507374}`)
  db.pragma('user_version = 99')
  db.close()
  mkdirSync(join(directory, 'content'))
  const before = readFileSync(join(directory, 'mail.db'))
  for (const verb of ['check', 'serve']) {
    const { status, stderr } = spawnSync(process.execPath, [program, verb], { cwd: directory, encoding: 'utf8' })
    expect(stderr).toContain('mail.db is of version 99')
    expect(stderr).toContain('use the newer program')
    expect([1, 74]).toContain(status)
  }
  expect(readFileSync(join(directory, 'mail.db')).equals(before)).toBe(true)
})
