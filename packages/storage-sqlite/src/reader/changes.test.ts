/** What is read in slices of a mailbox that others change meanwhile: each slice is of another state. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type MailboxId, type MailboxSnapshot, type ModSeq, systemClock } from '@pennypost/model'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addAlice, openStore, temporaryDirectory } from '../../test/temporary-store.ts'
import { readChanges, readSnapshot } from './changes.ts'
import { Reader } from './reader.ts'

let directory: string
let id: MailboxId
let db: Database.Database
let reader: Reader

/** 9000 messages with even UIDs, more than a slice, of MODSEQ 10. */
beforeEach(async () => {
  directory = temporaryDirectory()
  const store = await openStore(directory)
  id = (await addAlice(store)).inbox
  await store.close()
  db = new Database(join(directory, 'mail.db'))
  reader = new Reader(join(directory, 'mail.db'), systemClock, 1024 * 1024)
  const mark = db.prepare('INSERT INTO marks VALUES (?, ?, 0, 10)')
  db.transaction(() => {
    for (let uid = 2; uid <= 18_000; uid += 2) mark.run(id, uid)
    settle(10, 18_001)
  })()
})

afterEach(() => {
  reader.close()
  db.close()
  rmSync(directory, { recursive: true, force: true })
})

function settle(modSeq: number, uidNext: number): void {
  const messages = db.prepare('SELECT count(*) FROM marks').pluck().get()
  const set = 'UPDATE mailboxes SET highest_modseq = ?, uid_next = ?, messages = ? WHERE id = ?'
  db.prepare(set).run(modSeq, uidNext, messages, id)
}

function flag(uid: number, modSeq: number): void {
  db.prepare('UPDATE marks SET flags = 8, modseq = ? WHERE uid = ?').run(modSeq, uid)
  db.prepare('INSERT INTO changes VALUES (?, 0, ?, ?, ?)').run(id, modSeq, uid, uid)
}

function expunge(uid: number, modSeq: number): void {
  db.prepare('DELETE FROM marks WHERE uid = ?').run(uid)
  db.prepare('INSERT INTO changes VALUES (?, 1, ?, ?, ?)').run(id, modSeq, uid, uid)
}

/** In what has been read and in what is still to be read: flags, expunges, both of one message; and new ones. */
function change(): void {
  flag(4, 11)
  flag(8, 12)
  flag(17_000, 13)
  flag(17_004, 14)
  expunge(8, 15)
  expunge(2, 16)
  expunge(17_004, 17)
  expunge(17_002, 18)
  for (const uid of [18_001, 18_002]) db.prepare('INSERT INTO marks VALUES (?, ?, 1, 19)').run(id, uid)
  settle(19, 18_003)
}

const marksNow = () => db.prepare('SELECT uid, flags, modseq FROM marks ORDER BY uid').raw().all()

const marksOf = ({ uids, flags, modSeqs }: Pick<MailboxSnapshot, 'uids' | 'flags' | 'modSeqs'>) =>
  Array.from(uids, (uid, at) => [uid, flags[at], modSeqs[at]])

test('a snapshot is of the state at its end', async () => {
  const reading = readSnapshot(reader, id)
  change()
  const snapshot = await reading
  expect(snapshot.mailbox).toMatchObject({ messages: 8998, highestModSeq: 19, uidNext: 18_003 })
  expect(marksOf(snapshot)).toEqual(marksNow())
})

test('so are changes, with what has vanished up to then', async () => {
  expunge(6, 9)
  const reading = readChanges(reader, id, 5 as ModSeq)
  change()
  const { modSeq, vanished, ...columns } = await reading
  expect(modSeq).toBe(19)
  expect(`${vanished}`).toBe('2,6,8,17002,17004')
  expect(marksOf(columns)).toEqual(marksNow())
})
