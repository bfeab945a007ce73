import { rmSync } from 'node:fs'
import { type MailboxId, type SearchQuery, UidSet } from '@pennypost/model'
import { sampleMessage } from '@pennypost/model/testing'
import { expect, onTestFinished, test } from 'vitest'
import { openStore, temporaryDirectory } from '../../test/temporary-store.ts'

test('a search of very many keys held up whoever else asks', async () => {
  const directory = temporaryDirectory()
  const store = await openStore(directory, {})
  onTestFinished(async () => {
    await store.close()
    rmSync(directory, { recursive: true, force: true })
  })
  await store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
  const account = { login: 'alice@one.test', name: '', quota: 0, admin: false }
  const { id } = await store.directory.addAccount(account, 0)
  const inbox = (await store.mail.mailboxes(id))[0]?.id as MailboxId
  const everything = UidSet.ofRanges([[1, 2 ** 32 - 1]])
  const message = await sampleMessage(store.mail, 'Subject: x\n\nx\n')
  await store.mail.append(inbox, [{ message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } }])
  for (let count = 1; count < 256; count *= 2) await store.mail.copy(inbox, everything, inbox)
  const query: SearchQuery = { key: 'and', queries: Array.from({ length: 1000 }, () => ({ key: 'larger', octets: 1 })) }
  let turns = 0
  let found: UidSet | undefined
  void store.mail.search(inbox, query, everything).then((uids) => (found = uids))
  for (; !found; turns++) await new Promise((resolve) => setImmediate(resolve))
  expect(found.size).toBe(256)
  // Ten messages of a turn at most.
  expect(turns).toBeGreaterThan(20)
})
