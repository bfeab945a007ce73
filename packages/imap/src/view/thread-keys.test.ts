import type { FetchedMessage, MailboxId, MailStore } from '@pennypost/model'
import { expect, test } from 'vitest'
import { ThreadKeys } from './thread-keys.ts'

test('messages were missing from the table that was made anew while another session still read the old one', async () => {
  const rows = (...uids: number[]) => uids.map((uid) => ({ uid, internalDate: { at: 0 } }) as FetchedMessage)
  const upTo1100 = Array.from({ length: 1100 }, (_, index) => index + 1)
  const halfRead = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  let reads = 0
  const mail = {
    async *fetch() {
      if (++reads > 1) {
        yield rows(1100, 1200)
        return
      }
      yield rows(...upTo1100)
      halfRead.resolve()
      await goOn.promise
      yield rows(1200)
    },
  } as unknown as MailStore
  const open = { mailbox: { id: 1 as MailboxId }, uids: Uint32Array.of(...upTo1100, 1200), count: 1101 }
  const keys = new ThreadKeys(mail, open)
  const first = keys.table()
  await halfRead.promise
  // All but two are expunged meanwhile.
  Object.assign(open, { uids: Uint32Array.of(1100, 1200), count: 2 })
  const second = keys.table()
  goOn.resolve()
  expect((await first).count).toBe(1101)
  const { uids, count } = await second
  expect([...uids.subarray(0, count)]).toEqual([1100, 1200])
})

test('THREAD took gigabytes where each message names 200 ids that no other one names', async () => {
  const uids = Array.from({ length: 2000 }, (_, index) => index + 1)
  const mail = {
    async *fetch() {
      for (const uid of uids) {
        const references = Array.from({ length: 200 }, (_, at) => `${uid}.${at}`)
        yield [
          {
            uid,
            internalDate: { at: 0 },
            index: { messageIdHeader: `${uid}`, references },
          } as unknown as FetchedMessage,
        ]
      }
    },
  } as unknown as MailStore
  const open = { mailbox: { id: 1 as MailboxId }, uids: Uint32Array.from(uids), count: uids.length }
  const { idCount, references, ends } = await new ThreadKeys(mail, open).table()
  expect(idCount).toBeLessThan(110_000)
  // What each answers is known all the same.
  expect(new Set(uids.map((_, place) => references[(ends[place] as number) - 1])).size).toBe(uids.length)
})
