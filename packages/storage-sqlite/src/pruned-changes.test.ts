import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type ModSeq, UidSet } from '@pennypost/model'
import { sampleMessage } from '@pennypost/model/testing'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { addAlice, openStore, temporaryDirectory } from '../test/temporary-store.ts'

test('of whatever a mailbox has changed since any moment all is told, though its log forgets', async () => {
  const directory = temporaryDirectory()
  const rounds = 600
  try {
    await using store = await openStore(directory, { limits: { changesPerMailbox: 3 } })
    const { mail } = store
    const { inbox } = await addAlice(store)
    const letter = async () => {
      const message = await sampleMessage(mail, 'Subject: x\n\n')
      return { message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } }
    }
    await mail.append(inbox, await Promise.all(Array.from({ length: rounds + 1 }, letter)))
    const cursor = async (): Promise<ModSeq> => (await mail.mailbox(inbox))!.highestModSeq
    const before = await cursor()
    await mail.expunge(inbox, UidSet.of(rounds + 1), 'all')
    const cursors = [await cursor()]
    // The last ones first: what has changed at the end of a mailbox is found without the log.
    for (let uid = rounds; uid > 0; uid--) {
      const { modSeq } = await mail.updateFlags(inbox, { uids: UidSet.of(uid), mode: 'add', flags: ['\\Flagged'] })
      cursors.push(modSeq)
    }
    for (const [n, since] of cursors.entries()) {
      expect((await mail.changesSince(inbox, since)).uids).toHaveLength(rounds - n)
    }
    expect((await mail.changesSince(inbox, before)).vanished.toString()).toBe(`${rounds + 1}`)
    await store.close()
    const db = new Database(join(directory, 'mail.db'), { readonly: true })
    const rows = db.prepare('SELECT count(*) FROM changes WHERE expunged = 0').pluck().get()
    db.close()
    expect(rows).toBeLessThan(rounds / 2)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
