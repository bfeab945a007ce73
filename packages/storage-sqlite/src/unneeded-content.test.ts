import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type AccountId, createJourneyId } from '@pennypost/model'
import { sampleMessage, seededRandom } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { openInbox } from '../test/temporary-store.ts'

test('the file of large content goes when that is there already, or nobody gets it', async () => {
  const { store, directory } = await openInbox([])
  const { id: account } = (await store.directory.accountByLogin('alice@one.test')) as { id: AccountId }
  const random = seededRandom(7)
  const filing = { account, mailbox: 'INBOX', delivery: Buffer.of(), flags: [], forwardPaths: ['alice@one.test'] }
  const accept = async (filings: (typeof filing)[]) => {
    const message = await sampleMessage(store.mail, `Subject: large\n\n${'0123456789abcde\n'.repeat(40_000)}`)
    const rest = { acceptedAt: 0, reversePath: '', memory: [], flow: [], queue: [], fingerprint: `${filings.length}` }
    const [accepted] = await store.mail.accept([{ journey: createJourneyId(0, random), message, filings, ...rest }])
    await store.mail.unconfirm(accepted!.journey, 0)
    return accepted?.repeated
  }
  const files = () =>
    readdirSync(join(directory, 'content'), { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('/'))
  expect(await accept([filing])).toBe(false)
  expect(files()).toHaveLength(1)
  expect(await accept([filing])).toBe(true)
  expect(files()).toHaveLength(1)
  expect(await accept([])).toBe(false)
  expect(files()).toHaveLength(1)
})
