/** The contract of arrival: acceptances, unconfirmed ones, appends, staged content. */
import { describe, expect } from 'vitest'
import { accountId, type JourneyId, mailboxId } from '../ids.ts'
import { isUidl } from '../rules/uidl.ts'
import { sampleMessage } from '../testing/sample-message.ts'
import { UidSet } from '../uid-set.ts'
import type { OpenEngine, World } from './engine.ts'
import {
  accept,
  acceptance,
  append,
  entry,
  fetched,
  filing,
  flagsIn,
  inboxOf,
  kindsOf,
  letter,
  mailboxNamed,
  octets,
  refusal,
  uidsIn,
  worldTest,
} from './engine.ts'

export function describeArrival(open: OpenEngine): void {
  describe('accept', () => describeAccept(open))
  describe('what an acceptance files', () => describeFilings(open))
  describe('unconfirmed acceptances', () => describeUnconfirmed(open))
  describe('append', () => describeAppend(open))
  describe('staged content', () => describeStage(open))
}

function describeAccept(open: OpenEngine): void {
  const it = worldTest(open)

  it('files, queues, remembers and records in one step', async (world) => {
    const { store, clock, alice } = world
    const journey = 'J000000000000001' as JourneyId
    const now = clock.now()
    const accepted = await accept(world, {
      journey,
      filings: [filing(alice)],
      queue: [entry('three.test', 'dave@three.test', 'erin@three.test')],
      memory: [{ kind: 'sent', key: 'alice@one.test', at: now, expiresAt: now + 1000 }],
      flow: [{ journey, at: now, kind: 'verdict', verdict: 'accept', reason: 'clean' }],
    })
    const inbox = await inboxOf(world)
    expect(accepted).toEqual({
      journey,
      repeated: false,
      filed: [{ account: alice, mailbox: inbox, uid: 1 }],
      queued: [expect.any(Number)],
    })
    expect(await uidsIn(world, inbox)).toEqual([1])
    expect((await store.queue.get(accepted.queued[0]!))?.recipients.map((r) => r.forwardPath)).toEqual([
      'dave@three.test',
      'erin@three.test',
    ])
    expect((await store.memory.recall('sent', 'alice@one.test', now))?.count).toBe(1)
    const events = (await store.flow.journey(journey))?.events
    expect(events).toEqual([
      { journey, at: now, kind: 'verdict', verdict: 'accept', reason: 'clean' },
      {
        journey,
        at: now,
        kind: 'filed',
        login: 'alice@one.test',
        mailbox: 'INBOX',
        uid: 1,
        forwardPaths: ['alice@one.test'],
      },
      {
        journey,
        at: now,
        kind: 'queued',
        entry: accepted.queued[0],
        destination: 'three.test',
        forwardPaths: ['dave@three.test', 'erin@three.test'],
        // It goes on under another one than it came with.
        reversePath: 'alice@one.test',
      },
    ])
  })

  it('does all of several acceptances, each with its result', async (world) => {
    const { store, alice, bob } = world
    const both = [
      await acceptance(world, { filings: [filing(alice)] }),
      await acceptance(world, { filings: [filing(bob), filing(alice, 'Sent')] }),
    ]
    const results = await store.mail.accept(both)
    expect(results.map((result) => result.filed.map((filed) => filed.account))).toEqual([[alice], [bob, alice]])
    expect(results.map((result) => result.journey)).toEqual(both.map((given) => given.journey))
  })

  it('does nothing of any when one is impossible', async (world) => {
    const { store, clock, alice } = world
    const good = await acceptance(world, {
      filings: [filing(alice)],
      queue: [entry('three.test')],
      memory: [{ kind: 'sent', key: 'k', at: clock.now(), expiresAt: clock.now() + 1000 }],
    })
    const bad = await acceptance(world, { filings: [filing(alice), filing(accountId(999_999))] })
    await expect(store.mail.accept([good, bad])).rejects.toEqual(refusal('no-such-account'))
    expect(await uidsIn(world, await inboxOf(world))).toEqual([])
    expect(await store.queue.counts(clock.now())).toMatchObject({ due: 0, waiting: 0 })
    expect(await store.memory.recall('sent', 'k', clock.now())).toBeUndefined()
    expect(await store.flow.journey(good.journey)).toBeUndefined()
    expect((await mailboxNamed(world, alice, 'INBOX')).uidNext).toBe(1)
  })

  it('records what it has to say of other journeys', async (world) => {
    const other = 'J000000000000002' as JourneyId
    const verdict = {
      journey: other,
      at: world.clock.now(),
      kind: 'verdict',
      verdict: 'accept',
      reason: 'clean',
    } as const
    await accept(world, { filings: [filing(world.alice)], flow: [verdict] })
    expect((await world.store.flow.journey(other))?.events).toEqual([verdict])
  })

  it('stores one content for fifty mailboxes', async (world) => {
    const { store, clock } = world
    const accounts = []
    for (let index = 0; index < 50; index++) {
      const account = { login: `user${index}@one.test`, name: '', quota: 0, admin: false }
      accounts.push(await store.directory.addAccount(account, clock.now()))
    }
    const { filed } = await accept(world, { filings: accounts.map((account) => filing(account.id)) })
    const rows = await Promise.all(filed.map(({ mailbox }) => fetched(world, mailbox)))
    expect(filed).toHaveLength(50)
    expect(new Set(rows.flat().map((row) => row.message)).size).toBe(1)
  })

  it('keeps the content while a copy or an entry refers to it', async (world) => {
    const { store, alice } = world
    const { queued } = await accept(world, { filings: [filing(alice)], queue: [entry('three.test')] })
    const inbox = await inboxOf(world)
    const [row] = await fetched(world, inbox)
    await store.mail.expunge(inbox, UidSet.of(1), 'all')
    expect(await store.mail.message(row!.message)).toMatchObject({ message: row!.message, bodySize: 8 })
    await store.queue.remove(queued)
    expect(await store.mail.message(row!.message)).toBeUndefined()
    await expect(octets(store.mail.readBody(row!.message))).rejects.toEqual(refusal('no-such-message'))
  })

  it('is not refused by quota, which was asked at RCPT', async (world) => {
    await world.store.directory.updateAccount(world.alice, { quota: 10 })
    expect((await accept(world, { filings: [filing(world.alice)] })).filed).toHaveLength(1)
  })

  it('is refused when the quota of an account that it names was used up since', async (world) => {
    const { store, alice, bob } = world
    await store.directory.updateAccount(alice, { quota: 10 })
    const given = { filings: [filing(bob), filing(alice)], fingerprint: 'same', unlessFull: [alice] }
    const { journey } = await accept(world, given)
    await expect(accept(world, given)).rejects.toEqual(refusal('over-quota'))
    expect((await store.directory.usage(bob)).messages).toBe(1)
    expect((await store.directory.usage(alice)).messages).toBe(1)
    expect(await accept(world, { ...given, unlessFull: [bob] })).toMatchObject({ repeated: false })
    await store.mail.unconfirm(journey, world.clock.now())
    expect(await accept(world, given)).toMatchObject({ repeated: true })
    const { octets } = await store.directory.usage(alice)
    await store.directory.updateAccount(alice, { quota: octets + 1 })
    expect(await accept(world, { ...given, fingerprint: 'other' })).toMatchObject({ repeated: false })
  })
}

function describeFilings(open: OpenEngine): void {
  const it = worldTest(open)
  const where = async (world: World, mailbox: string): Promise<string[]> => {
    await accept(world, { filings: [filing(world.alice, mailbox)] })
    const all = await world.store.mail.mailboxes(world.alice)
    return all.filter((candidate) => candidate.messages > 0).map((candidate) => candidate.name)
  }

  it('a special use finds its mailbox whatever that is called', async (world) => {
    await world.store.mail.renameMailbox(world.alice, 'Junk', 'Unwanted')
    expect(await where(world, '\\Junk')).toEqual(['Unwanted'])
  })

  it('a special use that no mailbox has goes to INBOX', async (world) => {
    await world.store.mail.deleteMailbox(world.alice, 'Junk')
    expect(await where(world, '\\Junk')).toEqual(['INBOX'])
  })

  it('a name is that of its mailbox in whatever form of Unicode it comes', async (world) => {
    await world.store.mail.createMailbox(world.alice, 'M\u00fcll')
    expect(await where(world, 'Mu\u0308ll')).toEqual(['M\u00fcll'])
  })

  it('a name that no mailbox has, or that is none, goes to INBOX', async (world) => {
    expect(await where(world, 'No/Such')).toEqual(['INBOX'])
    expect(await where(world, 'not//allowed')).toEqual(['INBOX'])
  })

  it('filings that meet in one mailbox make one copy that names all forward-paths', async (world) => {
    const { store, alice } = world
    const first = filing(alice, 'INBOX', { delivery: Buffer.from('Delivered-To: a\r\n'), forwardPaths: ['a@one.test'] })
    const second = filing(alice, 'Nowhere', { flags: ['\\Seen'], forwardPaths: ['b@one.test'] })
    const { filed, journey } = await accept(world, { filings: [first, second] })
    expect(filed).toHaveLength(1)
    const [row] = await fetched(world, filed[0]!.mailbox, { header: true })
    expect(row?.header?.toString()).toMatch(/^Delivered-To: a\r\nReceived: here\r\nFrom: /)
    expect(await flagsIn(world, filed[0]!.mailbox)).toEqual({ 1: [] })
    const filedEvent = (await store.flow.journey(journey))?.events.find((event) => event.kind === 'filed')
    expect(filedEvent).toMatchObject({ forwardPaths: ['a@one.test', 'b@one.test'] })
  })

  it('forward-paths are named once, though an acceptance at the same time fails', async (world) => {
    const { store, alice } = world
    const filings = [filing(alice), filing(alice, 'Nowhere', { forwardPaths: ['b@one.test'] })]
    const good = await acceptance(world, { filings })
    const bad = await acceptance(world, { filings: [filing(accountId(999_999))] })
    const [done] = await Promise.allSettled([store.mail.accept([good]), store.mail.accept([bad])])
    expect(done.status).toBe('fulfilled')
    const events = (await store.flow.journey(good.journey))?.events
    expect(events).toMatchObject([{ kind: 'filed', forwardPaths: ['alice@one.test', 'b@one.test'] }])
  })

  it('what had waited for room in a mailbox was said to have been filed when it was accepted', async (world) => {
    const { store, alice, clock } = world
    const acceptedAt = clock.now()
    await clock.advance(60_000)
    const { filed, queued, journey } = await accept(world, {
      acceptedAt,
      filings: [filing(alice)],
      queue: [entry('three.test')],
    })
    expect(await store.queue.get(queued[0]!)).toMatchObject({ acceptedAt, dueAt: acceptedAt })
    const events = (await store.flow.journey(journey))?.events
    expect(events?.map(({ kind, at }) => [kind, at - acceptedAt])).toEqual([
      ['filed', 60_000],
      ['queued', 60_000],
    ])
    const [row] = await fetched(world, filed[0]!.mailbox, {})
    expect(row).toMatchObject({ internalDate: { at: acceptedAt, offsetMinutes: 0 }, savedAt: world.clock.now() })
  })

  it('a copy shows its delivery block, then the header, and counts both', async (world) => {
    const text = letter()
    const { filed, journey } = await accept(world, { text, filings: [filing(world.alice)] })
    const [row] = await fetched(world, filed[0]!.mailbox, { header: true, body: true, journey: true })
    const before = 'Return-Path: <carol@three.test>\r\nReceived: here\r\n'
    expect(Buffer.concat([row!.header!, row!.body!]).toString()).toBe(before + text)
    const dates = { internalDate: { at: world.clock.now(), offsetMinutes: 0 }, savedAt: world.clock.now() }
    expect(row).toMatchObject({ size: before.length + text.length, journey, ...dates })
  })

  it('keywords without a place are left out, the letter is filed', async (world) => {
    const inbox = await inboxOf(world)
    const all = Array.from({ length: 44 }, (_, index) => `k${index}`)
    await append(world, inbox, { flags: all })
    await accept(world, { filings: [filing(world.alice, 'INBOX', { flags: ['\\Flagged', 'k3', 'one-more'] })] })
    expect((await flagsIn(world, inbox))[2]).toEqual(['\\Flagged', 'k3'])
  })
}

function describeUnconfirmed(open: OpenEngine): void {
  const it = worldTest(open)
  const again = (world: World) => accept(world, { filings: [filing(world.alice)], fingerprint: 'same' })

  it('the same fingerprint gives the same journey and stores nothing', async (world) => {
    const { store, clock } = world
    const first = await again(world)
    await store.mail.unconfirm(first.journey, clock.now())
    await clock.advance(59 * 60_000)
    const second = await again(world)
    expect(second).toEqual({ journey: first.journey, repeated: true, filed: [], queued: [] })
    expect(await uidsIn(world, await inboxOf(world))).toEqual([1])
    expect(await kindsOf(world, first.journey)).toEqual(['filed'])
  })

  it('what rides with a message that is repeated is not stored again either', async (world) => {
    const { store, clock, alice, bob } = world
    const withNotice = async () => [
      await acceptance(world, { filings: [filing(alice)], fingerprint: 'same' }),
      await acceptance(world, { filings: [filing(bob)], queue: [entry('three.test')] }),
    ]
    const [first] = await store.mail.accept(await withNotice())
    await store.mail.unconfirm(first!.journey, clock.now())
    const again = await withNotice()
    const nothing = { repeated: true, filed: [], queued: [] }
    expect(await store.mail.accept(again)).toEqual([
      { journey: first!.journey, ...nothing },
      { journey: again[1]!.journey, ...nothing },
    ])
    expect(await uidsIn(world, (await mailboxNamed(world, bob, 'INBOX')).id)).toEqual([1])
    expect(await store.queue.counts(clock.now())).toMatchObject({ due: 1 })
    expect(await store.flow.journey(again[1]!.journey)).toBeUndefined()
  })

  it('a confirmed acceptance is no reason to drop the next one', async (world) => {
    const first = await again(world)
    const second = await again(world)
    expect(second).toMatchObject({ repeated: false })
    expect(second.journey).not.toBe(first.journey)
    expect(await uidsIn(world, await inboxOf(world))).toEqual([1, 2])
  })

  it('is forgotten after an hour', async (world) => {
    const { store, clock } = world
    const first = await again(world)
    await store.mail.unconfirm(first.journey, clock.now())
    await clock.advance(60 * 60_000)
    expect(await again(world)).toMatchObject({ repeated: false })
  })

  it('one that reached nobody is known again, and has a journey', async (world) => {
    const { store, clock } = world
    const journey = 'J000000000000001' as JourneyId
    const verdict = { journey, at: clock.now(), kind: 'verdict', verdict: 'accept', reason: 'clean' } as const
    await accept(world, { journey, flow: [verdict] })
    expect((await store.flow.journey(journey))?.events).toEqual([verdict])
    const first = await accept(world, { fingerprint: 'same' })
    await store.mail.unconfirm(first.journey, clock.now())
    expect(await accept(world, { fingerprint: 'same' })).toMatchObject({ repeated: true })
  })

  it('another fingerprint, or none, is another message', async (world) => {
    const { store, clock, alice } = world
    const first = await again(world)
    await store.mail.unconfirm(first.journey, clock.now())
    expect(await accept(world, { filings: [filing(alice)], fingerprint: 'other' })).toMatchObject({ repeated: false })
    expect(await accept(world, { filings: [filing(alice)] })).toMatchObject({ repeated: false })
  })

  it('one is honoured though a later acceptance with the same fingerprint was confirmed', async (world) => {
    const { store, clock } = world
    const first = await again(world)
    const second = await again(world)
    await store.mail.unconfirm(first.journey, clock.now())
    expect(await again(world)).toMatchObject({ journey: first.journey, repeated: true })
    await store.mail.unconfirm(second.journey, clock.now())
    expect(await again(world)).toMatchObject({ journey: second.journey, repeated: true })
  })

  it('a journey that is not known is passed over', async (world) => {
    await expect(world.store.mail.unconfirm('J0000000000000XX' as JourneyId, 0)).resolves.toBeUndefined()
  })
}

function describeAppend(open: OpenEngine): void {
  const it = worldTest(open)

  it('gives consecutive UIDs in order and says the UIDVALIDITY', async (world) => {
    const { store, clock } = world
    const inbox = await inboxOf(world)
    await append(world, inbox, {})
    const messages = []
    for (const subject of ['a', 'b', 'c']) {
      const message = await sampleMessage(store.mail, letter(subject))
      messages.push({ message, flags: [], internalDate: { at: clock.now(), offsetMinutes: 0 } })
    }
    const appended = await store.mail.append(inbox, messages)
    expect(appended.uids.toString()).toBe('2:4')
    expect(appended.uidValidity).toBe((await mailboxNamed(world, world.alice, 'INBOX')).uidValidity)
    const rows = await fetched(world, inbox, { index: ['baseSubject'] })
    expect(rows.slice(1).map((row) => row.index?.baseSubject)).toEqual(['a', 'b', 'c'])
  })

  it('keeps flags and the internal date with its offset, without any delivery block', async (world) => {
    const inbox = await inboxOf(world)
    const internalDate = { at: Date.UTC(2001, 1, 3), offsetMinutes: -330 }
    await append(world, inbox, { flags: ['\\Seen', '$Label'], internalDate })
    expect(await flagsIn(world, inbox)).toEqual({ 1: ['$Label', '\\Seen'] })
    const [row] = await fetched(world, inbox, { header: true, journey: true })
    expect(row).toMatchObject({ internalDate, savedAt: world.clock.now(), journey: null })
    expect(row?.header?.toString()).toMatch(/^From: carol/)
  })

  it('keeps a UIDL that the message brings and makes one where it brings none', async (world) => {
    const inbox = await inboxOf(world)
    await append(world, inbox, { uidl: 'from-elsewhere!' }, {}, {})
    const uidls = (await fetched(world, inbox, { uidl: true })).map((row) => row.uidl ?? '')
    expect(uidls[0]).toBe('from-elsewhere!')
    expect(uidls.every(isUidl)).toBe(true)
    expect(new Set(uidls).size).toBe(3)
  })

  it('refuses what the quota has no room for, as a whole', async (world) => {
    const { store, alice } = world
    const inbox = await inboxOf(world)
    const size = letter().length
    await store.directory.updateAccount(alice, { quota: size * 2 })
    await append(world, inbox, {})
    await expect(append(world, inbox, {}, {})).rejects.toEqual(refusal('over-quota'))
    expect(await uidsIn(world, inbox)).toEqual([1])
    expect(await append(world, inbox, {})).toEqual([2])
  })

  it('refuses an unknown mailbox and lets go of the content', async (world) => {
    const message = await sampleMessage(world.store.mail, letter())
    const appending = { message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } }
    await expect(world.store.mail.append(mailboxId(999_999), [appending])).rejects.toEqual(refusal('no-such-mailbox'))
    await expect(octets(message.content.read())).rejects.toThrow()
  })

  it('keeps an empty message and one without a body', async (world) => {
    const inbox = await inboxOf(world)
    await append(world, inbox, { text: '' }, { text: 'Subject: x\r\n\r\n' })
    const rows = await fetched(world, inbox, { header: true, body: true })
    expect(rows.map((row) => [row.size, row.header?.length, row.body?.length])).toEqual([
      [0, 0, 0],
      [14, 14, 0],
    ])
  })
}

function describeStage(open: OpenEngine): void {
  const it = worldTest(open)

  it('reads back what was written, whole and in parts', async ({ store }) => {
    const stage = store.mail.stage()
    for (const part of ['one ', 'two ', 'three']) await stage.write(Buffer.from(part))
    const content = await stage.finish()
    expect(content.size).toBe(13)
    expect((await octets(content.read())).toString()).toBe('one two three')
    expect((await octets(content.read(4))).toString()).toBe('two three')
    expect((await octets(content.read(4, 7))).toString()).toBe('two')
    await content.discard()
  })

  it('can be discarded at any time, once or twice', async ({ store }) => {
    const early = store.mail.stage()
    await early.write(Buffer.from('half a'))
    await early.discard()
    await early.discard()
    const late = store.mail.stage()
    await late.write(Buffer.from('whole'))
    const content = await late.finish()
    await late.discard()
    await content.discard()
    await expect(octets(content.read())).rejects.toThrow()
  })

  it('an accepted content is taken over: it can not be read or accepted again', async (world) => {
    const given = await acceptance(world, { filings: [filing(world.alice)] })
    await world.store.mail.accept([given])
    await given.message.content.discard()
    await expect(octets(given.message.content.read())).rejects.toThrow()
    await expect(world.store.mail.accept([given])).rejects.toThrow()
    expect(await fetched(world, await inboxOf(world), { body: true })).toHaveLength(1)
  })

  it('takes three megabytes octet for octet', async (world) => {
    const { store, random } = world
    const head = Buffer.from('Subject: large\r\n\r\n')
    const body = Buffer.concat(Array.from({ length: 48 }, () => random.bytes(64 * 1024)))
    const inbox = await inboxOf(world)
    const message = await sampleMessage(store.mail, Buffer.concat([head, body]))
    await store.mail.append(inbox, [{ message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } }])
    const [row] = await fetched(world, inbox, { header: true, body: true })
    expect(row).toMatchObject({ size: head.length + body.length, body: null })
    let at = 0
    for await (const chunk of store.mail.readBody(row!.message)) {
      expect(chunk.length).toBeLessThanOrEqual(256 * 1024)
      expect(chunk.equals(body.subarray(at, at + chunk.length))).toBe(true)
      at += chunk.length
    }
    expect(at).toBe(body.length)
    const part = await octets(store.mail.readBody(row!.message, 1_000_001, 1_300_002))
    expect(part.equals(body.subarray(1_000_001, 1_300_002))).toBe(true)
  })
}
