import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AccountId, type MailboxId, type SearchText, UidSet } from '@pennypost/model'
import { asciiSearchText } from '@pennypost/model/memory'
import { sampleMessage, virtualClock } from '@pennypost/model/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { addAlice, openInbox, openStore, temporaryDirectory } from '../../test/temporary-store.ts'
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

test('an index that could not be written was tried again each minute, and nobody was told why', async () => {
  const { directory, inbox } = await openInbox(['Subject: one\n\nx\n'])
  const path = join(directory, 'other-search.db')
  mkdirSync(path)
  const { indexer, notes } = indexerOf(directory, asciiSearchText)
  indexer.hear({ accounts: [], mailboxes: [inbox] })
  for (let step = 0; step < 3; step++) expect(indexer.step().stopped).toBe('no-room')
  expect(notes).toEqual(['search: the index cannot be written, and is tried again: unable to open database file'])
  rmSync(path, { recursive: true })
  let state = indexer.step()
  for (let step = 0; state.more && step < 10; step++) state = indexer.step()
  expect(state).toMatchObject({ behind: 0, more: false })
  expect(notes).toHaveLength(1)
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

describe('a part of the store that can not be read', () => {
  /** A store that is closed, with 300 messages. */
  async function closedStore(): Promise<{ directory: string; account: AccountId; inbox: MailboxId; uidl: string }> {
    const directory = temporaryDirectory()
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const store = await openStore(directory)
    const { alice, inbox } = await addAlice(store)
    const messages = []
    for (let n = 1; n <= 300; n++) {
      const message = await sampleMessage(
        store.mail,
        `Subject: ${n}\n\nmarker-${n} ${'x'.repeat(n === 150 ? 200_000 : 3000)}\n`,
      )
      messages.push({ message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } })
    }
    await store.mail.append(inbox, messages)
    let uidl = ''
    for await (const [row] of store.mail.fetch(inbox, UidSet.of(160), { uidl: true })) uidl = row?.uidl ?? ''
    await store.close()
    return { directory, account: alice, inbox, uidl }
  }

  /** Overwrites the pages of mail.db in which this stands. */
  function damage(directory: string, what: string): void {
    const path = join(directory, 'mail.db')
    const octets = readFileSync(path)
    const size = octets.readUInt16BE(16)
    for (let at = octets.indexOf(what); at >= 0; at = octets.indexOf(what)) {
      const page = at - (at % size)
      octets.fill(0, page, page + size)
    }
    writeFileSync(path, octets)
  }

  function steps(indexer: Indexer, account: AccountId) {
    indexer.hear({ accounts: [account], mailboxes: [] })
    let state = indexer.step()
    for (let step = 0; state.more && !state.stopped && step < 20; step++) state = indexer.step()
    return state
  }

  test('of mail.db had the index made anew without end', async () => {
    const { directory, account } = await closedStore()
    damage(directory, 'marker-160 ')
    const { indexer, notes } = indexerOf(directory, asciiSearchText)
    expect(steps(indexer, account)).toMatchObject({ behind: 0, more: false })
    expect(notes).toContain(
      'search: message 160 could not be read as text: SqliteError: database disk image is malformed',
    )
    expect(new Set(notes).size).toBe(notes.length)
  })

  test('where mailboxes stand in mail.db had the index made anew without end', async () => {
    const { directory, account, uidl } = await closedStore()
    damage(directory, uidl)
    const { indexer, notes } = indexerOf(directory, asciiSearchText)
    expect(steps(indexer, account)).toMatchObject({ stopped: 'failed' })
    expect(notes).toEqual(['search: the index can not go on: mail.db: database disk image is malformed'])
  })

  test('in a file ended the index of all', async () => {
    const { directory, account } = await closedStore()
    const { indexer, notes } = indexerOf(directory, asciiSearchText)
    renameSync(join(directory, 'content'), join(directory, 'elsewhere'))
    writeFileSync(join(directory, 'content'), '')
    expect(steps(indexer, account)).toMatchObject({ behind: 0, more: false })
    expect(notes).toEqual([expect.stringMatching(/^search: message 150 could not be read as text: Error: ENOTDIR/)])
  })
})
