import { type Account, accountId, type LeasedEntry } from '@pennypost/model'
import { expect, test } from 'vitest'
import { attemptLocal, type LocalOptions } from './attempt-local.ts'

test('a letter to thousands, filed a hundred at a time, looks at no more of them each time', async () => {
  let looked = 0
  const account = async (): Promise<Account> => {
    looked++
    return { removedAt: null, quota: 0 } as Account
  }
  const arrivals = { of: async () => ({ sender: 'unchecked' as const, isQuarantined: false }) }
  const options = { directory: { account }, arrivals } as unknown as LocalOptions
  const recipients = Array.from({ length: 3000 }, (_, index) => {
    return { index, forwardPath: `user${index}@one.test`, account: accountId(index + 1) }
  })
  const entry = { recipients, envelope: { reversePath: '' } } as unknown as LeasedEntry
  const { verdicts } = await attemptLocal({ entry, lost: false }, options)
  expect([...verdicts.keys()]).toEqual(Array.from({ length: 100 }, (_, index) => index))
  expect(looked).toBe(100)
})
