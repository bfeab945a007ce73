/**
 * A store that any version has written opens with this one, with all that is in it. Each released version gets a store
 * here, made as that version made it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MailboxId, silentLog, systemDeadline, UidSet } from '@pennypost/model'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSqliteStore, type SqliteStore } from '../index.ts'
import { applicationId, migrations } from './list.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pennypost-upgrade-'))
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** The database file of a version, without anything in it. */
function databaseOf(version: number): Database.Database {
  const db = new Database(join(directory, 'mail.db'))
  for (const migration of migrations) if (migration.version <= version) db.exec(migration.sql)
  db.pragma(`user_version = ${version}`)
  db.pragma(`application_id = ${applicationId}`)
  return db
}

/** A row with these columns; others that must have a value get an empty one, as the version's own code would set them. */
function insert(db: Database.Database, table: string, row: Record<string, string | number | Buffer>): void {
  const columns = db.pragma(`table_info(${table})`) as {
    name: string
    type: string
    notnull: number
    dflt_value: unknown
  }[]
  const empty = (type: string) => (type === 'INTEGER' ? 0 : type === 'BLOB' ? Buffer.alloc(0) : '')
  const full = { ...row }
  for (const { name, type, notnull, dflt_value: preset } of columns) {
    if (notnull && preset === null && !(name in full)) full[name] = empty(type)
  }
  const names = Object.keys(full)
  db.prepare(`INSERT INTO ${table} (${names}) VALUES (${names.map(() => '?')})`).run(...Object.values(full))
}

function fillFirstVersion(): void {
  const db = databaseOf(1)
  const header = Buffer.from('Subject: kept\r\n\r\n')
  const body = Buffer.from('text\r\n')
  const mailbox = {
    account: 1,
    special_use: null as never,
    uid_next: 2,
    highest_modseq: 5,
    recent_uid: 1,
    keywords: '[]',
  }
  insert(db, 'domains', { name: 'one.test', kind: 'local' })
  insert(db, 'accounts', { id: 1, login: 'alice@one.test', domain: 'one.test', name: 'Alice' })
  insert(db, 'usage', { account: 1, octets: header.length + body.length, messages: 1 })
  insert(db, 'mailboxes', {
    id: 1,
    ...mailbox,
    name: 'INBOX',
    uid_validity: 7,
    messages: 1,
    unseen: 1,
    size: header.length + body.length,
  })
  insert(db, 'messages', { id: 3, refs: 1, body_size: body.length, parts: '[0,0]', thread_ids: '[]' })
  insert(db, 'contents', { message: 3, body_start: header.length, body_size: body.length, header, body })
  insert(db, 'marks', { mailbox: 1, uid: 1, flags: 0, modseq: 5 })
  insert(db, 'filings', { mailbox: 1, uid: 1, message: 3, size: header.length + body.length, uidl: '7.1' })
  for (const [owner, reserved] of [
    [1, 1001],
    [0, 1001],
    [-2, 1001],
  ] as const) {
    insert(db, 'counters', { owner, reserved })
  }
  db.close()
}

const searchThread = new URL('../../test/search-thread.ts', import.meta.url)

function open(): Promise<SqliteStore> {
  const given = { clock: virtualClock(), deadline: systemDeadline, random: seededRandom(1), log: silentLog }
  return openSqliteStore({ directory, ...given, searchThread })
}

test('a store of version 1 opens with its mail', async () => {
  fillFirstVersion()
  await using store = await open()
  const alice = await store.directory.accountByLogin('alice@one.test')
  expect(alice?.name).toBe('Alice')
  const inbox = 1 as MailboxId
  expect(await store.mail.mailbox(inbox)).toMatchObject({
    name: 'INBOX',
    uidValidity: 7,
    messages: 1,
    highestModSeq: 5,
  })
  const rows = (
    await Array.fromAsync(store.mail.fetch(inbox, UidSet.of(1), { uidl: true, header: true, body: true }))
  ).flat()
  expect(rows).toMatchObject([{ uid: 1, uidl: '7.1' }])
  expect(rows[0]?.header?.toString()).toBe('Subject: kept\r\n\r\n')
  await store.mail.updateFlags(inbox, { uids: UidSet.of(1), mode: 'add', flags: ['\\Seen'] })
  expect((await store.mail.mailbox(inbox))?.highestModSeq).toBeGreaterThan(1000)
  expect(await Array.fromAsync(store.check())).toEqual([])
})
