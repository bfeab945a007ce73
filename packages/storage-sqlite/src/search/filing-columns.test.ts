import { join } from 'node:path'
import { type AccountId, createJourneyId, mailboxId, UidSet } from '@pennypost/model'
import { asciiSearchText } from '@pennypost/model/memory'
import { sampleMessage, seededRandom, virtualClock } from '@pennypost/model/testing'
import { expect, onTestFinished, test } from 'vitest'
import { openInbox } from '../../test/temporary-store.ts'
import { Reader } from '../reader/reader.ts'
import { FilingColumns, FilingColumnsCache } from './filing-columns.ts'

test('a mailbox in which mail comes and goes keeps no delivery blocks of what went', async () => {
  const { store, directory, inbox } = await openInbox([])
  const account = (await store.directory.accountByLogin('alice@one.test'))?.id as AccountId
  const reader = new Reader(join(directory, 'mail.db'), virtualClock(), 1_000_000)
  onTestFinished(() => reader.close())
  const columns = new FilingColumns(inbox, asciiSearchText)
  const random = seededRandom(1)
  const deliver = async (sender: string) =>
    store.mail.accept([
      {
        journey: createJourneyId(0, random),
        acceptedAt: 0,
        reversePath: '',
        message: await sampleMessage(store.mail, 'Subject: one\n\ntext\n'),
        filings: [
          {
            account,
            mailbox: 'INBOX',
            delivery: Buffer.from(`Return-Path: <${sender}@three.test>\r\n`),
            flags: [],
            forwardPaths: ['alice@one.test'],
          },
        ],
        queue: [],
        memory: [],
        flow: [],
      },
    ])
  await deliver('keeps')
  for (let round = 0; round < 4; round++) {
    await Promise.all(Array.from({ length: 150 }, (_, at) => deliver(`${round}-${at}`)))
    await columns.refresh(reader)
    await store.mail.expunge(inbox, UidSet.ofRanges([[2, 2 ** 32 - 1]]), 'all')
  }
  await deliver('new')
  const filings = await columns.refresh(reader)
  expect([0, 1].map((place) => filings.delivery(place))).toEqual([
    'return-path: <keeps@three.test>\n',
    'return-path: <new@three.test>\n',
  ])
  expect(columns.weight).toBeLessThan(100)
})

test('mailboxes that were searched while they were empty are not kept for ever', () => {
  const cache = new FilingColumnsCache(asciiSearchText, 500)
  const first = cache.of(mailboxId(1))
  for (let id = 2; id <= 20; id++) cache.of(mailboxId(id))
  expect(cache.of(mailboxId(1))).not.toBe(first)
})
