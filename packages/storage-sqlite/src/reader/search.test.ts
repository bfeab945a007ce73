import { rmSync } from 'node:fs'
import { type SearchQuery, UidSet } from '@pennypost/model'
import { sampleMessage } from '@pennypost/model/testing'
import { expect, onTestFinished, test } from 'vitest'
import { addAlice, openStore, temporaryDirectory } from '../../test/temporary-store.ts'

test('a search of very many keys held up whoever else asks', async () => {
  const directory = temporaryDirectory()
  const store = await openStore(directory, {})
  onTestFinished(async () => {
    await store.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const { inbox } = await addAlice(store)
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
