import { join } from 'node:path'
import { type MailboxId, type SearchText, UidSet } from '@pennypost/model'
import { asciiSearchText } from '@pennypost/model/memory'
import { virtualClock } from '@pennypost/model/testing'
import { expect, onTestFinished, test } from 'vitest'
import { openInbox } from '../../test/temporary-store.ts'
import { ContentFiles } from '../content/content-files.ts'
import { Reader } from '../reader/reader.ts'
import { Searcher } from './searcher.ts'

const everything = UidSet.ofRanges([[1, 2 ** 32 - 1]])

/** A store with messages in INBOX, and a searcher for which each of them takes a second to decode. */
async function slowSearcher(count: number): Promise<{ searcher: Searcher; inbox: MailboxId; decoded: () => number }> {
  const { directory, inbox } = await openInbox(Array.from({ length: count }, (_, at) => `Subject: ${at}\n\nslow\n`))
  let seconds = 0
  const clock = { ...virtualClock(), elapsed: () => seconds * 1000 }
  const text: SearchText = {
    fold: asciiSearchText.fold,
    headerText: asciiSearchText.headerText,
    bodyTexts(parts, body) {
      seconds++
      return asciiSearchText.bodyTexts(parts, body)
    },
  }
  const reader = new Reader(join(directory, 'mail.db'), clock, 1_000_000)
  onTestFinished(() => reader.close())
  const files = new ContentFiles(join(directory, 'content'))
  const searcher = new Searcher({
    reader,
    files,
    text,
    clock,
    keptCharacters: 1000,
    index: () => undefined,
    want: () => {},
    guarded: (read) => read(),
  })
  return { searcher, inbox, decoded: () => seconds }
}

test('a search that nobody waits for any more ends with the message it is at, however long that takes', async () => {
  const { searcher, inbox, decoded } = await slowSearcher(8)
  const query = { key: 'body', text: 'nothing' } as const
  const isCancelled = (): boolean => decoded() > 0
  await searcher.search({ mailbox: inbox, query, within: everything, isCancelled })
  expect(decoded()).toBe(1)
})

test('a search that was cancelled before its turn reads nothing', async () => {
  const { searcher, inbox, decoded } = await slowSearcher(1)
  const query = { key: 'body', text: 'nothing' } as const
  await searcher.search({ mailbox: inbox, query, within: everything, isCancelled: () => true })
  expect(decoded()).toBe(0)
})
