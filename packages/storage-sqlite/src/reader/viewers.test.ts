/** What a viewer has not seen, while the writer commits between the reads of it. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type AccountId, type FlagKinds, type MailboxId, UidSet } from '@pennypost/model'
import { sampleMessage, virtualClock } from '@pennypost/model/testing'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { addAlice, openStore, temporaryDirectory } from '../../test/temporary-store.ts'
import type { SqliteStore } from '../open-sqlite-store.ts'
import { readSnapshot } from './changes.ts'
import { readMailbox } from './mailboxes.ts'
import { Reader } from './reader.ts'
import { readViewed, viewSnapshot } from './viewers.ts'

const everything = UidSet.ofRanges([[1, 2 ** 32 - 1]])
const may: FlagKinds = { seen: true, deleted: true, others: true }

async function sharedInbox() {
  const directory = temporaryDirectory()
  const store = await openStore(directory)
  const path = join(directory, 'mail.db')
  onTestFinished(async () => {
    await store.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const { inbox } = await addAlice(store)
  const { id: bob } = await store.directory.addAccount({ login: 'bob@one.test', name: '', quota: 0, admin: false }, 0)
  await comeAndSeen(store, inbox, bob)
  return { store, inbox, bob, path }
}

/** Two letters come, and the viewer sees all that is there. */
async function comeAndSeen(store: SqliteStore, inbox: MailboxId, viewer: AccountId): Promise<void> {
  for (let n = 0; n < 2; n++) {
    const message = await sampleMessage(store.mail, 'Subject: one\n\nText.\n')
    await store.mail.append(inbox, [{ message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } }])
  }
  const change = { uids: everything, mode: 'add', flags: ['\\Seen'] } as const
  await store.mail.updateFlags(inbox, change, { account: viewer, may })
}

function open(path: string): Reader {
  const reader = new Reader(path, virtualClock(), 1024 * 1024)
  onTestFinished(() => reader.close())
  return reader
}

test('of a snapshot is what it shows, though more has come and been seen since', async () => {
  const { store, inbox, bob, path } = await sharedInbox()
  const reader = open(path)
  const snapshot = await readSnapshot(reader, inbox)
  await comeAndSeen(store, inbox, bob)
  expect((await viewSnapshot(reader, snapshot, bob)).mailbox).toMatchObject({ messages: 2, unseen: 0 })
})

test('of a mailbox is of one state with how much is in it', async () => {
  const { inbox, bob, path } = await sharedInbox()
  const writer = new Database(path)
  onTestFinished(() => {
    writer.close()
  })
  const reader = open(path)
  const pluck = reader.pluck.bind(reader)
  reader.pluck = (text) => {
    writer.exec('UPDATE mailboxes SET messages = messages + 2; UPDATE viewers SET seen = seen + 2')
    return pluck(text)
  }
  expect(readViewed(reader, () => readMailbox(reader, inbox), bob)?.unseen).toBe(0)
  writer.exec('UPDATE mailboxes SET messages = 2 WHERE messages > 2; UPDATE viewers SET seen = 2')
})

test('is found out of more than is read at once, several of each MODSEQ', async () => {
  const { inbox, bob, path } = await sharedInbox()
  const reader = open(path)
  const { mailbox } = await readSnapshot(reader, inbox)
  const uids = Uint32Array.from({ length: 9000 }, (_, at) => at + 10)
  const writer = new Database(path)
  const see = writer.prepare('INSERT INTO seen VALUES (?, ?, ?, ?, ?)')
  const clear = () => writer.prepare('DELETE FROM seen WHERE uid >= 10').run()
  onTestFinished(() => {
    clear()
    writer.close()
  })
  // Against the order of the UIDs, so that a page ends between two of one MODSEQ; each third has been unseen again.
  writer.transaction(() => {
    for (const uid of uids) see.run(inbox, bob, uid, uid % 3 === 0 ? 0 : 1, 20_000 - Math.floor(uid / 7))
  })()
  const snapshot = { mailbox, uids, flags: new Float64Array(9000), modSeqs: new Float64Array(9000) }
  const { flags, mailbox: viewed } = await viewSnapshot(reader, snapshot, bob)
  expect(viewed.unseen).toBe(3000)
  expect(Array.from(flags, (bits) => bits !== 0)).toEqual(Array.from(uids, (uid) => uid % 3 !== 0))
})
