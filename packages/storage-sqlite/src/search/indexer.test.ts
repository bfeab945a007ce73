import { join } from 'node:path'
import { type SearchText, UidSet } from '@pennypost/model'
import { asciiSearchText } from '@pennypost/model/memory'
import { virtualClock } from '@pennypost/model/testing'
import { expect, onTestFinished, test } from 'vitest'
import { openInbox } from '../../test/temporary-store.ts'
import { ContentFiles } from '../content/content-files.ts'
import { Reader } from '../reader/reader.ts'
import { Indexer } from './indexer.ts'

/** An indexer of a store that is open, and what it notes. */
function indexerOf(directory: string, text: SearchText) {
  const reader = new Reader(join(directory, 'mail.db'), virtualClock(), 1_000_000)
  const notes: string[] = []
  const indexer = new Indexer({
    reader,
    files: new ContentFiles(join(directory, 'content')),
    text,
    keeps: true,
    path: join(directory, 'other-search.db'),
    note: (note) => notes.push(`${note.text}: ${note.why}`),
  })
  onTestFinished(() => {
    indexer.close()
    reader.close()
  })
  return { indexer, notes }
}

test('one message that could not be read as text ended the index of all', async () => {
  const { store, directory, inbox } = await openInbox(
    ['first', 'hostile', 'last'].map((subject) => `Subject: ${subject}\n\nx\n`),
  )
  const ids: number[] = []
  for await (const rows of store.mail.fetch(inbox, UidSet.ofRanges([[1, 3]]), {}))
    for (const row of rows) ids.push(row.message)
  const text: SearchText = {
    ...asciiSearchText,
    headerText(header) {
      if (header.includes('hostile')) throw new RangeError('too much')
      return asciiSearchText.headerText(header)
    },
  }
  const { indexer, notes } = indexerOf(directory, text)
  indexer.hear({ accounts: [], mailboxes: [inbox] })
  let state = indexer.step()
  for (let step = 0; state.more && step < 10; step++) state = indexer.step()
  expect(state).toMatchObject({ behind: 0, more: false })
  expect(ids.map((id) => indexer.index?.has(id))).toEqual([true, true, true])
  expect(notes).toEqual([`search: message ${ids[1]} could not be read as text: RangeError: too much`])
})

test('of a text that the index would not keep no more is decoded than shows that', async () => {
  const { directory, inbox } = await openInbox(['Subject: small\n\nx\n', 'Subject: large\n\ny\n'])
  let decoded = 0
  function* pieces(text: string): Generator<string> {
    for (let piece = 0; piece < 10; piece++) {
      decoded++
      yield text.startsWith('y') ? text.repeat(200_000) : text
    }
  }
  const text: SearchText = {
    ...asciiSearchText,
    bodyTexts: (_, body) => [pieces(body.subarray(0, body.length).toString())],
  }
  const { indexer, notes } = indexerOf(directory, text)
  indexer.hear({ accounts: [], mailboxes: [inbox] })
  let state = indexer.step()
  for (let step = 0; state.more && step < 10; step++) state = indexer.step()
  expect(state.more).toBe(false)
  expect(decoded).toBe(10 + 2)
  expect(notes).toEqual([])
})
