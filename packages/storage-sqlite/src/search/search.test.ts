import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createJourneyId, type MailboxId, type SearchQuery, silentLog, systemDeadline, UidSet } from '@pennypost/model'
import { sampleMessage, seededRandom, virtualClock } from '@pennypost/model/testing'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { addAlice, openStore, type TestOptions, temporaryDirectory } from '../../test/temporary-store.ts'
import type { SqliteStore } from '../open-sqlite-store.ts'

/** The index in a store: what it may change is time, so each answer is compared with one that was got without it. */
let directory: string
let stores: SqliteStore[]

beforeEach(() => {
  directory = temporaryDirectory()
  stores = []
})

afterEach(async () => {
  for (const store of stores) await store.close()
  rmSync(directory, { recursive: true, force: true })
})

const everything = UidSet.ofRanges([[1, 2 ** 32 - 1]])
const withIndex = { searchIndexDelayMs: 0 }
const withoutIndex = { searchIndexOctets: 0 }

async function open(limits: TestOptions['limits'] = withIndex, options: TestOptions = {}): Promise<SqliteStore> {
  const store = await openStore(directory, { limits, ...options })
  stores.push(store)
  return store
}

/** Alice, who has opened a mailbox, so that her mail is indexed. */
async function openAlice(store: SqliteStore): ReturnType<typeof addAlice> {
  const added = await addAlice(store)
  using _watch = store.mail.watch(added.alice, () => {})
  return added
}

async function append(store: SqliteStore, mailbox: MailboxId, ...texts: string[]): Promise<void> {
  const messages = await Promise.all(
    texts.map(async (text) => {
      const message = await sampleMessage(store.mail, text)
      return { message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } }
    }),
  )
  await store.mail.append(mailbox, messages)
}

const indexIs = (store: SqliteStore, state: string) => expect.poll(() => store.stats().search.index).toBe(state)

const letter = (subject: string, body = 'thread') => `Subject: ${subject}\n\nThere is a ${body} in it.\n`
const find = async (store: SqliteStore, mailbox: MailboxId, query: SearchQuery, within = everything) =>
  (await store.mail.search(mailbox, query, within)).toString()
const text = (needle: string): SearchQuery => ({ key: 'text', text: needle })

/** Texts in the index of a store that is closed. */
function keptTexts(): number[] {
  const db = new Database(join(directory, 'search.db'), { readonly: true })
  try {
    return db.prepare('SELECT message FROM texts ORDER BY message').pluck().all() as number[]
  } finally {
    db.close()
  }
}

describe('the index', () => {
  test('is made while nobody asks, and its file may go', async () => {
    const store = await open()
    const { inbox } = await openAlice(store)
    await append(store, inbox, letter('one'), letter('two', 'needle'), letter('three'))
    await indexIs(store, 'whole')
    expect(store.stats().search).toMatchObject({ behind: 0 })
    expect(await find(store, inbox, text('needle'))).toBe('2')
    await store.close()
    rmSync(join(directory, 'search.db'))
    const again = await open()
    expect(await find(again, inbox, text('needle'))).toBe('2')
    await indexIs(again, 'whole')
    expect(await find(again, inbox, text('needle'))).toBe('2')
    await again.close()
    expect(keptTexts()).toHaveLength(3)
  })

  test('holds one text for all copies, until the last of them has gone', async () => {
    const store = await open()
    const { alice, inbox } = await openAlice(store)
    const archive = (await store.mail.mailboxByName(alice, 'Archive'))?.id as MailboxId
    await append(store, inbox, letter('one', 'needle'), letter('two'))
    await store.mail.copy(inbox, everything, archive)
    await indexIs(store, 'whole')
    expect(await find(store, archive, text('needle'))).toBe('1')
    await store.mail.expunge(inbox, everything, 'all')
    expect(await find(store, inbox, text('needle'))).toBe('')
    expect(await find(store, archive, text('needle'))).toBe('1')
    await store.mail.expunge(archive, UidSet.of(1), 'all')
    expect(await find(store, archive, text('needle'))).toBe('')
    expect(await find(store, archive, text('thread'))).toBe('2')
    await store.close()
    expect(keptTexts()).toHaveLength(1)
  })

  test('kept the text of mail that went while nobody had opened a mailbox since the start', async () => {
    const store = await open()
    const { inbox } = await openAlice(store)
    await append(store, inbox, letter('one'), letter('two'), letter('three'))
    await indexIs(store, 'whole')
    await store.close()
    const again = await open()
    await again.mail.expunge(inbox, UidSet.of(1, 3), 'all')
    await again.close()
    expect(keptTexts()).toHaveLength(1)
  })

  test('that is damaged is made anew, with a line in the log', async () => {
    const warn = vi.fn()
    const store = await open()
    const { inbox } = await openAlice(store)
    await append(store, inbox, letter('one', 'needle'), letter('two'))
    await indexIs(store, 'whole')
    await store.close()
    writeFileSync(join(directory, 'search.db'), 'nonsense'.repeat(10_000))
    const again = await open(withIndex, { log: { ...silentLog, warn } })
    expect(await find(again, inbox, text('needle'))).toBe('1')
    await indexIs(again, 'whole')
    expect(await find(again, inbox, text('needle'))).toBe('1')
    expect(warn).toHaveBeenCalledWith({ why: 'file is not a database' }, 'search: the index is made anew')
    expect(await Array.fromAsync(again.check())).toEqual([])
  })

  test('counts no message that went before its block was full', async () => {
    const store = await open()
    const { inbox } = await openAlice(store)
    const letters = (from: number) => Array.from({ length: 500 }, (_, at) => letter(`${from + at}`))
    await append(store, inbox, ...letters(0))
    await indexIs(store, 'whole')
    await store.mail.expunge(inbox, UidSet.of(7, 8, 9), 'all')
    await append(store, inbox, ...letters(500))
    await append(store, inbox, ...letters(1000))
    await indexIs(store, 'whole')
    expect(await Array.fromAsync(store.check())).toEqual([])
  })

  test('that has lost something is told by check', async () => {
    const store = await open()
    const { inbox } = await openAlice(store)
    for (let n = 0; n < 3; n++)
      await append(store, inbox, ...Array.from({ length: 500 }, (_, at) => letter(`${n} ${at}`)))
    await indexIs(store, 'whole')
    await store.close()
    const db = new Database(join(directory, 'search.db'))
    db.exec('DELETE FROM slices WHERE id % 100 = 7; DELETE FROM texts WHERE message < 10')
    db.close()
    const again = await open(withIndex)
    const faults = await Array.fromAsync(again.check())
    expect(faults).toMatchObject([{ fault: 'search-index-damaged', where: 'search.db: block 1' }])
    expect(faults[0]?.advice).toContain('search.db')
  })

  test('of a backup is that of another store', async () => {
    const store = await open()
    const { inbox } = await openAlice(store)
    await append(store, inbox, letter('one'))
    await indexIs(store, 'whole')
    const lineage = (file: string) => {
      const db = new Database(file, { readonly: true })
      const value = db.prepare(`SELECT value FROM meta WHERE key = 'lineage'`).pluck().get()
      db.close()
      return value
    }
    const target = join(directory, 'copy')
    await store.backup(target)
    await store.close()
    expect(existsSync(join(target, 'search.db'))).toBe(false)
    expect(lineage(join(target, 'mail.db'))).not.toBe(lineage(join(directory, 'mail.db')))
    expect(lineage(join(directory, 'search.db'))).toBe(lineage(join(directory, 'mail.db')))
  })

  test('that may not grow stops, and searches go on', async () => {
    const store = await open({ searchIndexDelayMs: 0, searchIndexOctets: 1 })
    const { inbox } = await openAlice(store)
    await append(store, inbox, letter('one', 'needle'), letter('two'))
    await indexIs(store, 'whole')
    await append(store, inbox, letter('three', 'needle'))
    await indexIs(store, 'full')
    expect(store.stats().search.behind).toBe(1)
    expect(await find(store, inbox, text('needle'))).toBe('1,3')
  })

  test('that was full stayed so though mail was deleted', async () => {
    const clock = virtualClock()
    const deadline = { ...systemDeadline, after: clock.after }
    const store = await open({ searchIndexDelayMs: 100, searchIndexOctets: 200_000 }, { clock, deadline })
    const { inbox } = await openAlice(store)
    const letters = (count: number) => Array.from({ length: count }, () => letter('x'.repeat(3000), 'needle'))
    for (let n = 0; n < 4; n++) {
      await append(store, inbox, ...letters(20))
      while (store.stats().search.index === 'behind') await clock.advance(1000)
    }
    for (let minute = 0; minute < 3; minute++) {
      await clock.advance(60_000)
      // Answered behind the piece that was begun then.
      await find(store, inbox, text('needle'))
    }
    expect(store.stats().search.index).toBe('full')
    await store.mail.expunge(inbox, UidSet.ofRanges([[1, 50]]), 'all')
    while (store.stats().search.index !== 'whole') await clock.advance(60_000)
    expect(await find(store, inbox, text('needle'))).toBe('51:80')
    await store.close()
    expect(keptTexts()).toHaveLength(30)
  })

  test('is not kept at all when it may have no size', async () => {
    const store = await open()
    const { inbox } = await openAlice(store)
    await append(store, inbox, letter('one', 'needle'))
    await indexIs(store, 'whole')
    await store.close()
    const again = await open(withoutIndex)
    expect(existsSync(join(directory, 'search.db'))).toBe(false)
    expect(again.stats().search).toEqual({ index: 'off', behind: 0, octets: 0 })
    expect(await find(again, inbox, text('needle'))).toBe('1')
    expect(existsSync(join(directory, 'search.db'))).toBe(false)
  })

  test('takes no room from a disk that is down to its reserve', async () => {
    let free = 1e12
    const clock = virtualClock()
    const deadline = { ...systemDeadline, after: clock.after }
    const store = await open({ searchIndexDelayMs: 100 }, { clock, deadline, space: () => ({ free, total: 1e12 }) })
    const { inbox } = await openAlice(store)
    await append(store, inbox, letter('one', 'needle'), letter('two', 'needle'))
    free = 0
    await clock.advance(1000)
    expect(store.stats().search.index).toBe('no-room')
    expect(await find(store, inbox, text('needle'))).toBe('1:2')
    expect(store.stats().search.octets).toBe(0)
    free = 1e12
    while (store.stats().search.index !== 'whole') await clock.advance(60_000)
    expect(await find(store, inbox, text('needle'))).toBe('1:2')
  })
})

describe('a search', () => {
  test('sees the delivery block of each filing, which the index does not hold', async () => {
    const store = await open()
    const { alice, inbox } = await openAlice(store)
    const random = seededRandom(3)
    const deliver = async (name: string) => {
      const delivery = Buffer.from(`Delivered-To: ${name}@one.test\r\n`)
      await store.mail.accept([
        {
          journey: createJourneyId(0, random),
          acceptedAt: 0,
          reversePath: '',
          queue: [],
          memory: [],
          flow: [],
          message: await sampleMessage(store.mail, letter('one')),
          filings: [{ account: alice, mailbox: 'INBOX', delivery, flags: [], forwardPaths: ['alice@one.test'] }],
        },
      ])
    }
    for (const name of ['alice', 'sales', 'alice']) await deliver(name)
    const delivered: SearchQuery = { key: 'header', field: 'delivered-to', text: 'sales' }
    expect(await find(store, inbox, delivered)).toBe('2')
    await indexIs(store, 'whole')
    expect(await find(store, inbox, delivered)).toBe('2')
    expect(await find(store, inbox, text('delivered-to: alice'))).toBe('1,3')
    expect(await find(store, inbox, { key: 'header', field: 'delivered-to', text: '' })).toBe('1:3')
    expect(await find(store, inbox, { key: 'body', text: 'sales' })).toBe('')
    // Across the line end between the block and the content.
    expect(await find(store, inbox, text('sales@one.test\nsubject'))).toBe('2')
  })

  test('finds a message by its header though the file of its body is lost', async () => {
    const store = await open()
    const { alice, inbox } = await openAlice(store)
    await append(store, inbox, letter('one'), letter('two', 'x'.repeat(200_000)))
    await store.close()
    rmSync(join(directory, 'search.db'), { force: true })
    rmSync(join(directory, 'content'), { recursive: true })
    const again = await open()
    using _watch = again.mail.watch(alice, () => {})
    await indexIs(again, 'whole')
    expect(await find(again, inbox, text('subject: two'))).toBe('2')
    expect(await find(again, inbox, { key: 'header', field: 'subject', text: 'two' })).toBe('2')
    await again.close()
    const bare = await open(withoutIndex)
    expect(await find(bare, inbox, text('subject: two'))).toBe('2')
  })

  test('with flags, dates and texts mixed is exact', async () => {
    const store = await open()
    const { inbox } = await openAlice(store)
    await append(store, inbox, letter('one', 'needle'), letter('two', 'needle'), letter('three'))
    await store.mail.updateFlags(inbox, { uids: UidSet.of(2, 3), mode: 'add', flags: ['\\Seen'] })
    await indexIs(store, 'whole')
    const seen: SearchQuery = { key: 'flags', set: 8, clear: 0 }
    const large: SearchQuery = { key: 'larger', octets: 10_000 }
    expect(await find(store, inbox, { key: 'and', queries: [seen, text('needle')] })).toBe('2')
    expect(await find(store, inbox, { key: 'or', queries: [seen, text('needle')] })).toBe('1:3')
    expect(await find(store, inbox, { key: 'or', queries: [large, text('needle')] })).toBe('1:2')
    expect(await find(store, inbox, { key: 'not', query: { key: 'or', queries: [seen, text('two')] } })).toBe('1')
    expect(await find(store, inbox, { key: 'and', queries: [text('needle'), text('two')] }, UidSet.of(1, 2))).toBe('2')
    expect(await find(store, inbox, { key: 'or', queries: [text('one'), { key: 'uids', uids: UidSet.of(3) }] })).toBe(
      '1,3',
    )
  })

  test('never finds a needle across two texts, whatever character is between them', async () => {
    const store = await open()
    const { inbox } = await openAlice(store)
    await append(store, inbox, 'Subject: one\n\nan odd \0 text\n')
    for (const state of ['behind', 'whole']) {
      if (state === 'whole') await indexIs(store, 'whole')
      expect(await find(store, inbox, { key: 'body', text: 'odd \0 text' })).toBe('1')
      expect(await find(store, inbox, text('one\n\0'))).toBe('')
    }
  })

  test('that is aborted rejects with the reason, and others go on', async () => {
    const store = await open(withoutIndex)
    const { inbox } = await openAlice(store)
    await append(store, inbox, ...Array.from({ length: 300 }, (_, at) => letter(`${at}`, 'x'.repeat(20_000))))
    const abort = new AbortController()
    const aborted = store.mail.search(inbox, text('needle'), everything, abort.signal)
    const other = find(store, inbox, text('subject: 299'))
    abort.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    await expect(store.mail.search(inbox, text('a'), everything, abort.signal)).rejects.toThrow('enough')
    expect(await other).toBe('300')
  })
})
