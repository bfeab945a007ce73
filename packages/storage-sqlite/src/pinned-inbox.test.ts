/** RENAME of INBOX takes its messages out as MOVE does: pins that come or go meanwhile must not be missed. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { UidSet } from '@pennypost/model'
import { sampleMessage } from '@pennypost/model/testing'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { addAlice, openStore, temporaryDirectory } from '../test/temporary-store.ts'

const all = UidSet.ofRanges([[1, 2 ** 32 - 1]])
let directory: string

beforeEach(() => {
  directory = temporaryDirectory()
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function storeWithLetter() {
  const store = await openStore(directory)
  const { alice, inbox } = await addAlice(store)
  const message = await sampleMessage(store.mail, 'Subject: one\n\nText.\n')
  await store.mail.append(inbox, [{ message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } }])
  return { store, alice, inbox }
}

test('a snapshot under a pin has nothing that a rename of INBOX, already under way, takes out of reach', async () => {
  const { store, alice, inbox } = await storeWithLetter()
  await using _ = store
  const renaming = store.mail.renameMailbox(alice, 'inbox', 'Old')
  using _pin = store.mail.pin(inbox)
  const { uids } = await store.mail.snapshot(inbox)
  await renaming
  const pages = await Array.fromAsync(store.mail.fetch(inbox, all, {}))
  expect(pages.flat().map(({ uid }) => uid)).toEqual([...uids])
})

test('what a rename of INBOX keeps for a pin that ends meanwhile is released', async () => {
  const { store, alice, inbox } = await storeWithLetter()
  const pin = store.mail.pin(inbox)
  const renaming = store.mail.renameMailbox(alice, 'INBOX', 'Old')
  pin[Symbol.dispose]()
  await renaming
  await store.close()
  const db = new Database(join(directory, 'mail.db'), { readonly: true })
  expect(db.prepare('SELECT uid FROM ghosts').all()).toEqual([])
  db.close()
})
