/** The contract of fetch, readBody and search. */
import { describe, expect } from 'vitest'
import { freeOctets } from '../free-octets.ts'
import { messageId } from '../ids.ts'
import type { FetchNeed } from '../ports/mail-store.ts'
import type { MessageIndex } from '../ports/message-index.ts'
import type { SearchQuery } from '../search-query.ts'
import { sampleMessage } from '../testing/sample-message.ts'
import { UidSet } from '../uid-set.ts'
import type { OpenEngine, World } from './engine.ts'
import {
  accept,
  append,
  appendMany,
  cursor,
  entry,
  everything,
  fetched,
  filing,
  inboxOf,
  letter,
  octets,
  refusal,
  worldTest,
} from './engine.ts'

export function describeReading(open: OpenEngine): void {
  describe('fetch', () => describeFetch(open))
  describe('readBody and message', () => describeBodies(open))
  describe('search', () => describeSearch(open))
}

function describeFetch(open: OpenEngine): void {
  const it = worldTest(open)

  it('gives what is needed and no more', async (world) => {
    const inbox = await inboxOf(world)
    await append(world, inbox, {})
    const always = ['internalDate', 'message', 'savedAt', 'size', 'uid']
    for (const need of [
      {},
      { uidl: true },
      { journey: true },
      { index: ['sentAt'] },
      { index: ['openEnd'] },
      { index: [] },
      { header: true },
      { headerText: true },
      { body: true },
      { index: ['parts', 'openEnd'], header: true, body: true },
      { uidl: true, journey: true, index: ['baseSubject', 'envelope'], headerText: true, body: true },
    ] satisfies FetchNeed[]) {
      const [row] = await fetched(world, inbox, need)
      expect(Object.keys(row!).sort()).toEqual([...always, ...Object.keys(need)].sort())
    }
  })

  it('gives rows in order of UID, page after page, without those that are gone', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 600)
    await mail.expunge(inbox, UidSet.ofRanges([[100, 200]]), 'all')
    const pages = await Array.fromAsync(mail.fetch(inbox, UidSet.ofRanges([[50, 550]]), { index: ['baseSubject'] }))
    const uids = pages.flat().map((row) => row.uid)
    expect(UidSet.ofSorted(uids).toString()).toBe('50:99,201:550')
    expect(uids).toHaveLength(400)
    expect(pages.length).toBeGreaterThan(1)
    expect(pages.every((page) => page.length > 0)).toBe(true)
    expect(pages.flat().at(-1)?.index?.baseSubject).toBe('letter 549')
  })

  it('of nothing gives no page, of an unknown mailbox refuses', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    expect(await Array.fromAsync(mail.fetch(inbox, UidSet.empty, {}))).toEqual([])
    expect(await Array.fromAsync(mail.fetch(inbox, everything, {}))).toEqual([])
    await expect(fetched(world, 999_999 as never)).rejects.toEqual(refusal('no-such-mailbox'))
  })

  it('gives the index as it was stored, and each field of it alone', async (world) => {
    const inbox = await inboxOf(world)
    const text =
      'Subject: Re: =?utf-8?q?=C3=A4?=\r\nReferences: <a@x> <b@x>\r\nDate: 3 Jan 2024 10:00:00 +0000\r\n\r\nä\r\n'
    await append(world, inbox, { text })
    const message = await sampleMessage(world.store.mail, text)
    const fields = Object.keys(message.index) as (keyof MessageIndex)[]
    expect((await fetched(world, inbox, { index: fields }))[0]?.index).toEqual(message.index)
    for (const field of fields) {
      const [row] = await fetched(world, inbox, { index: [field] })
      expect(row?.index).toEqual({ [field]: message.index[field] })
    }
    await message.content.discard()
  })

  it('tells which messages do not end in CRLF, expunged ones too', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    const letters = ['Subject: a\r\n\r\nbody', 'Subject: b\r\n\r\nbody\r\n', 'Subject: c', 'Subject: d\r\n\r\n']
    for (const text of letters) await append(world, inbox, { text })
    using _ = mail.pin(inbox)
    await mail.expunge(inbox, UidSet.of(1, 2), 'all')
    const rows = await fetched(world, inbox, { index: ['openEnd'] })
    expect(rows.map((row) => row.index?.openEnd)).toEqual([true, false, true, false])
  })

  it('gives a header as text when it is ASCII to the last octet, else as octets', async (world) => {
    const inbox = await inboxOf(world)
    const headers = ['plain', 'ä', '€', '\u{1f600}', '\u0080', '\ufffd'].map((word) => Buffer.from(word))
    headers.push(...[[0xe4], [0xff, 0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80]].map((octets) => Buffer.from(octets)))
    const letters = headers.map((word) => Buffer.concat([Buffer.from('Subject: '), word, Buffer.from('\r\n\r\nx')]))
    for (const octets of letters) await append(world, inbox, { text: octets })
    const asText = await fetched(world, inbox, { headerText: true, body: true })
    const asOctets = await fetched(world, inbox, { header: true })
    expect(asText.map((row) => typeof row.headerText)).toEqual(['string', ...letters.slice(1).map(() => 'undefined')])
    expect(asText.map((row) => row.header ?? Buffer.from(row.headerText!))).toEqual(asOctets.map((row) => row.header))
    expect(asText.every((row) => row.body?.toString() === 'x')).toBe(true)
  })

  it('stops when its signal is aborted', async (world) => {
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 3)
    const reason = new Error('enough')
    const rows = Array.fromAsync(world.store.mail.fetch(inbox, everything, {}, AbortSignal.abort(reason)))
    await expect(rows).rejects.toBe(reason)
  })

  it('can be left after the first page', async (world) => {
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 300)
    for await (const page of world.store.mail.fetch(inbox, everything, {})) {
      expect(page[0]?.uid).toBe(1)
      break
    }
    await append(world, inbox, {})
  })
}

function describeBodies(open: OpenEngine): void {
  const it = worldTest(open)

  it('reads any range of a body, the end not included', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await append(world, inbox, { text: letter('x', '0123456789') })
    const { message } = (await fetched(world, inbox))[0]!
    const read = async (start?: number, end?: number) => (await octets(mail.readBody(message, start, end))).toString()
    expect(await read()).toBe('0123456789')
    expect(await read(3)).toBe('3456789')
    expect(await read(3, 5)).toBe('34')
    expect(await read(8, 99)).toBe('89')
    expect(await read(5, 5)).toBe('')
    expect(await read(99)).toBe('')
  })

  it('octets that were given are the caller’s: freeing them takes nothing from the store', async (world) => {
    const inbox = await inboxOf(world)
    const body = 'ä'.repeat(6000)
    await append(world, inbox, { text: letter('x', body) })
    for (let time = 0; time < 2; time++) {
      const [row] = await fetched(world, inbox, { body: true })
      if (row?.body) {
        expect(row.body.toString()).toBe(body)
        freeOctets(row.body)
      }
      for await (const chunk of world.store.mail.readBody(row!.message)) {
        expect(chunk.toString()).toBe(body)
        freeOctets(chunk)
      }
    }
  })

  it('small bodies come with their row, the same octets as read alone', async (world) => {
    const inbox = await inboxOf(world)
    const body = 'ä'.repeat(2048)
    await append(world, inbox, { text: letter('x', body) })
    const [row] = await fetched(world, inbox, { body: true })
    expect(row?.body?.toString()).toBe(body)
    expect((await octets(world.store.mail.readBody(row!.message))).toString()).toBe(body)
  })

  it('a queued message gives its header without any delivery block', async (world) => {
    const { store } = world
    const { queued } = await accept(world, { filings: [filing(world.alice)], queue: [entry('three.test')] })
    const queuedEntry = (await store.queue.get(queued[0]!))!
    const message = (await store.mail.message(queuedEntry.message))!
    expect(message.header.toString()).toMatch(/^Received: here\r\nFrom: carol/)
    expect(message).toMatchObject({ message: queuedEntry.message, bodySize: 8, index: { baseSubject: 'hello' } })
    expect(queuedEntry.size).toBe(message.header.length + message.bodySize)
  })

  it('an unknown message is undefined, and its body is refused', async ({ store }) => {
    expect(await store.mail.message(messageId(999_999))).toBeUndefined()
    await expect(octets(store.mail.readBody(messageId(999_999)))).rejects.toEqual(refusal('no-such-message'))
  })
}

/** Six messages that every key of SEARCH tells apart. */
async function searchable(world: World) {
  const inbox = await inboxOf(world)
  const day = 86_400_000
  const at = Date.UTC(2024, 0, 10, 23, 30)
  const dated = (date: string, subject: string) => `Date: ${date}\r\nSubject: ${subject}\r\n\r\nBody of ${subject}\r\n`
  await append(
    world,
    inbox,
    {
      text: dated('Mon, 1 Jan 2024 12:00:00 +0000', 'Apple Pie'),
      flags: ['\\Seen'],
      internalDate: { at, offsetMinutes: 0 },
    },
    { text: dated('Tue, 2 Jan 2024 12:00:00 +0000', 'Banana'), flags: ['$k'], internalDate: { at, offsetMinutes: 60 } },
    { text: 'X-Note: apple\r\n\r\nNo subject here\r\n', internalDate: { at: at + day, offsetMinutes: 0 } },
    {
      text: letter('huge', 'z'.repeat(200_000)),
      flags: ['\\Seen', '\\Flagged'],
      internalDate: { at: at - day, offsetMinutes: 0 },
    },
  )
  await world.clock.advance(2 * day)
  await append(world, inbox, {
    text: 'Subject: folded\r\n  header line\r\n\r\nneedle IN body\r\n',
    internalDate: { at: at + 2 * day, offsetMinutes: 0 },
  })
  await append(world, inbox, { text: 'Subject:\r\n\r\n\r\n', internalDate: { at: at + 2 * day, offsetMinutes: 0 } })
  return inbox
}

function describeSearch(open: OpenEngine): void {
  const it = worldTest(open)
  const key = (field: string, text: string): SearchQuery => ({ key: 'header', field, text })
  const day = (
    of: 'internal' | 'sent' | 'saved',
    relation: 'before' | 'on' | 'since',
    number: number,
  ): SearchQuery => ({
    key: 'day',
    of,
    relation,
    day: number,
  })
  const instant = Date.UTC(2024, 0, 10, 23, 30)
  const cases: [string, SearchQuery, string][] = [
    ['all', { key: 'all' }, '1:6'],
    ['not', { key: 'not', query: { key: 'flags', set: 8, clear: 0 } }, '2:3,5:6'],
    [
      'and',
      {
        key: 'and',
        queries: [
          { key: 'flags', set: 8, clear: 0 },
          { key: 'larger', octets: 1000 },
        ],
      },
      '4',
    ],
    ['and of nothing', { key: 'and', queries: [] }, '1:6'],
    ['or', { key: 'or', queries: [{ key: 'flags', set: 2, clear: 0 }, key('subject', 'banana')] }, '2,4'],
    ['or of nothing', { key: 'or', queries: [] }, ''],
    ['uids', { key: 'uids', uids: UidSet.of(2, 6, 9) }, '2,6'],
    ['flags set', { key: 'flags', set: 8 + 2, clear: 0 }, '4'],
    ['flags clear', { key: 'flags', set: 0, clear: 8 }, '2:3,5:6'],
    ['flags set and clear', { key: 'flags', set: 8, clear: 2 }, '1'],
    ['a keyword', { key: 'flags', set: 256, clear: 0 }, '2'],
    ['larger', { key: 'larger', octets: 200_000 }, '4'],
    ['smaller', { key: 'smaller', octets: 15 }, '6'],
    ['internal date before, by its written day', day('internal', 'before', 20240110), '4'],
    ['internal date on, by its written day', day('internal', 'on', 20240111), '2:3'],
    ['internal date since', day('internal', 'since', 20240111), '2:3,5:6'],
    ['sent on', day('sent', 'on', 20240102), '2'],
    ['sent before', day('sent', 'before', 20240102), '1'],
    ['sent since, not without a date', day('sent', 'since', 20240101), '1:2'],
    ['saved on', day('saved', 'on', 20260101), '1:4'],
    ['saved since', day('saved', 'since', 20260102), '5:6'],
    ['younger', { key: 'younger', at: instant }, '1:3,5:6'],
    ['older', { key: 'older', at: instant }, '1:2,4'],
    ['header contains', key('subject', 'apple'), '1'],
    ['header folded over lines', key('subject', 'folded  header'), '5'],
    ['header present', key('subject', ''), '1:2,4:6'],
    ['header of any name', key('x-note', 'app'), '3'],
    ['body', { key: 'body', text: 'needle in' }, '5'],
    ['body is not header', { key: 'body', text: 'date:' }, ''],
    ['text in header or body', { key: 'text', text: 'apple' }, '1,3'],
    ['text of one octet', { key: 'text', text: 'z' }, '4'],
    ['empty text', { key: 'text', text: '' }, '1:6'],
    ['text that nothing has', { key: 'text', text: 'pomegranate' }, ''],
  ]

  it('answers every key exactly', async (world) => {
    const inbox = await searchable(world)
    for (const [name, query, expected] of cases) {
      const found = await world.store.mail.search(inbox, query, everything)
      expect(`${name}: ${found}`).toBe(`${name}: ${expected}`)
    }
  })

  it('looks only within the UIDs given', async (world) => {
    const inbox = await searchable(world)
    for (const query of [{ key: 'all' }, key('subject', 'a')] as const) {
      expect((await world.store.mail.search(inbox, query, UidSet.of(2, 3))).has(1)).toBe(false)
    }
    expect((await world.store.mail.search(inbox, { key: 'all' }, UidSet.of(2, 3, 77))).toString()).toBe('2:3')
    expect((await world.store.mail.search(inbox, { key: 'all' }, UidSet.empty)).isEmpty).toBe(true)
  })

  it('by MODSEQ finds what changed since', async (world) => {
    const { mail } = world.store
    const inbox = await searchable(world)
    await mail.updateFlags(inbox, { uids: UidSet.of(3), mode: 'add', flags: ['\\Seen'] })
    const atLeast = await cursor(world, inbox)
    expect((await mail.search(inbox, { key: 'modseq', atLeast }, everything)).toString()).toBe('3')
    expect((await mail.search(inbox, { key: 'modseq', atLeast: 1 }, everything)).toString()).toBe('1:6')
  })

  it('sees the newest state, with no expunged message', async (world) => {
    const { mail } = world.store
    const inbox = await searchable(world)
    await mail.search(inbox, { key: 'text', text: 'apple' }, everything)
    await mail.expunge(inbox, UidSet.of(1), 'all')
    await append(world, inbox, { text: letter('Apple again') })
    expect((await mail.search(inbox, { key: 'text', text: 'apple' }, everything)).toString()).toBe('3,7')
  })

  it('sees the delivery block as part of the header', async (world) => {
    const delivery = Buffer.from('Delivered-To: plum@one.test\r\n')
    const { filed } = await accept(world, { filings: [filing(world.alice, 'INBOX', { delivery })] })
    const found = await world.store.mail.search(filed[0]!.mailbox, key('delivered-to', 'plum'), everything)
    expect(found.toString()).toBe('1')
  })

  it('stops when its signal is aborted', async (world) => {
    const inbox = await searchable(world)
    const reason = new Error('enough')
    const query = { key: 'text', text: 'apple' } as const
    const found = world.store.mail.search(inbox, query, everything, AbortSignal.abort(reason))
    await expect(found).rejects.toBe(reason)
  })
}
