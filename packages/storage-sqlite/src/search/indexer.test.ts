import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type MailboxId, type SearchText, UidSet } from '@pennypost/model'
import { asciiSearchText } from '@pennypost/model/memory'
import { sampleMessage, virtualClock } from '@pennypost/model/testing'
import { expect, onTestFinished, test } from 'vitest'
import { openStore, temporaryDirectory } from '../../test/temporary-store.ts'
import { ContentFiles } from '../content/content-files.ts'
import { Reader } from '../reader/reader.ts'
import { Indexer } from './indexer.ts'

test('one message that could not be read as text ended the index of all', async () => {
  const directory = temporaryDirectory()
  const store = await openStore(directory, { limits: { searchIndexOctets: 0 } })
  onTestFinished(async () => {
    await store.close()
    rmSync(directory, { recursive: true, force: true })
  })
  await store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
  const alice = await store.directory.addAccount({ login: 'alice@one.test', name: '', quota: 0, admin: false }, 0)
  const inbox = (await store.mail.mailboxes(alice.id))[0]?.id as MailboxId
  const ids: number[] = []
  for (const subject of ['first', 'hostile', 'last']) {
    const message = await sampleMessage(store.mail, `Subject: ${subject}\n\nx\n`)
    await store.mail.append(inbox, [{ message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } }])
  }
  for await (const rows of store.mail.fetch(inbox, UidSet.ofRanges([[1, 3]]), {}))
    for (const row of rows) ids.push(row.message)
  const text: SearchText = {
    ...asciiSearchText,
    headerText(header) {
      if (header.includes('hostile')) throw new RangeError('too much')
      return asciiSearchText.headerText(header)
    },
  }
  const reader = new Reader(join(directory, 'mail.db'), virtualClock())
  const notes: string[] = []
  const indexer = new Indexer({
    ...{ reader, files: new ContentFiles(join(directory, 'content')), text, keeps: true },
    path: join(directory, 'other-search.db'),
    note: (note) => notes.push(`${note.text}: ${note.why}`),
  })
  onTestFinished(() => {
    indexer.close()
    reader.close()
  })
  let state = indexer.step()
  for (let step = 0; state.more && step < 10; step++) state = indexer.step()
  expect(state).toMatchObject({ upTo: ids[2], more: false })
  expect(notes).toEqual([`search: message ${ids[1]} could not be read as text: RangeError: too much`])
})
