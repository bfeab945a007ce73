/** The contract of copy, move, expunge and pins. */
import { describe, expect } from 'vitest'
import { mailboxId } from '../ids.ts'
import { UidSet } from '../uid-set.ts'
import type { OpenEngine } from './engine.ts'
import {
  accept,
  append,
  appendMany,
  cursor,
  everything,
  fetched,
  filing,
  flagsIn,
  inboxOf,
  letter,
  mailboxNamed,
  octets,
  refusal,
  sentOf,
  uidsIn,
  worldTest,
} from './engine.ts'

export function describeCopies(open: OpenEngine): void {
  describe('copy', () => describeCopy(open))
  describe('move', () => describeMove(open))
  describe('expunge', () => describeExpunge(open))
  describe('pin', () => describePin(open))
}

function describeCopy(open: OpenEngine): void {
  const it = worldTest(open)

  it('gives source and target UIDs side by side and passes over what is gone', async (world) => {
    const { mail } = world.store
    const [inbox, sent] = [await inboxOf(world), await sentOf(world)]
    await append(world, sent, {})
    await appendMany(world, inbox, 5)
    await mail.expunge(inbox, UidSet.of(3), 'all')
    const copied = await mail.copy(inbox, UidSet.ofRanges([[2, 9]]), sent)
    expect(copied.source.toString()).toBe('2,4:5')
    expect(copied.target).toEqual([2, 3, 4])
    expect(copied.uidValidity).toBe((await mail.mailbox(sent))?.uidValidity)
    expect(await uidsIn(world, inbox)).toEqual([1, 2, 4, 5])
    expect(await uidsIn(world, sent)).toEqual([1, 2, 3, 4])
  })

  it('keeps flags, keywords by name, internal date, delivery block and journey; SAVEDATE and UIDL are new', async (world) => {
    const { store, clock } = world
    const [inbox, sent] = [await inboxOf(world), await sentOf(world)]
    const delivered = filing(world.alice, 'INBOX', { flags: ['$one', '$two', '\\Answered'] })
    const { journey } = await accept(world, { filings: [delivered] })
    await append(world, sent, { flags: ['$two'] })
    const need = { header: true, journey: true, uidl: true }
    const [original] = await fetched(world, inbox, need)
    await clock.advance(10_000)
    await store.mail.copy(inbox, everything, sent)
    expect((await flagsIn(world, sent))[2]).toEqual(['$one', '$two', '\\Answered'])
    const copy = (await fetched(world, sent, need))[1]
    expect(copy).toMatchObject({ message: original!.message, journey, header: original!.header, size: original!.size })
    expect(copy?.internalDate).toEqual(original?.internalDate)
    expect(copy?.savedAt).toBe(clock.now())
    expect(copy?.uidl).not.toBe(original?.uidl)
  })

  it('within one mailbox doubles the messages', async (world) => {
    const inbox = await inboxOf(world)
    await append(world, inbox, { flags: ['$k'] }, {})
    expect((await world.store.mail.copy(inbox, everything, inbox)).target).toEqual([3, 4])
    expect(await flagsIn(world, inbox)).toEqual({ 1: ['$k'], 2: [], 3: ['$k'], 4: [] })
  })

  it('keywords that find no place in the target are left out', async (world) => {
    const [inbox, sent] = [await inboxOf(world), await sentOf(world)]
    await append(world, sent, { flags: Array.from({ length: 44 }, (_, index) => `k${index}`) })
    await append(world, inbox, { flags: ['$new', 'k7', '\\Seen'] })
    await world.store.mail.copy(inbox, everything, sent)
    expect((await flagsIn(world, sent))[2]).toEqual(['\\Seen', 'k7'])
  })

  it('is refused as a whole over the quota of the target’s owner', async (world) => {
    const { store, alice, bob } = world
    const [inbox, bobs] = [await inboxOf(world), await inboxOf(world, bob)]
    await append(world, inbox, {}, {})
    await store.directory.updateAccount(alice, { quota: letter().length * 3 })
    await expect(store.mail.copy(inbox, everything, inbox)).rejects.toEqual(refusal('over-quota'))
    expect(await uidsIn(world, inbox)).toEqual([1, 2])
    await store.mail.copy(inbox, everything, bobs)
    expect((await store.directory.usage(bob)).messages).toBe(2)
  })

  it('to Trash goes a tenth over the quota: who deletes by COPY can make room when it is used up', async (world) => {
    const { store, alice, bob } = world
    const inbox = await inboxOf(world)
    const trash = (await mailboxNamed(world, alice, 'Trash')).id
    await append(world, inbox, ...Array.from({ length: 10 }, () => ({})))
    await store.directory.updateAccount(alice, { quota: letter().length * 10 })
    await expect(store.mail.copy(inbox, UidSet.of(1), await sentOf(world))).rejects.toEqual(refusal('over-quota'))
    await store.mail.copy(inbox, UidSet.of(1), trash)
    await expect(store.mail.copy(inbox, UidSet.of(2), trash)).rejects.toEqual(refusal('over-quota'))
    await expect(append(world, trash, {})).rejects.toEqual(refusal('over-quota'))
    await store.mail.expunge(inbox, UidSet.of(1), 'all')
    await store.mail.copy(inbox, UidSet.of(2), trash)
    expect((await store.directory.usage(alice)).messages).toBe(11)
    const bobs = await inboxOf(world, bob)
    await append(world, bobs, {})
    await store.mail.expunge(inbox, UidSet.of(2), 'all')
    await expect(store.mail.copy(bobs, everything, trash)).rejects.toEqual(refusal('over-quota'))
  })

  it('of a number of messages copies nothing where there are not as many', async (world) => {
    const { mail } = world.store
    const [inbox, sent] = [await inboxOf(world), await sentOf(world)]
    await appendMany(world, inbox, 3)
    await mail.expunge(inbox, UidSet.of(2), 'all')
    const copy = (count: number) => mail.copy(inbox, UidSet.ofRanges([[1, 3]]), sent, undefined, count)
    await expect(copy(3)).rejects.toEqual(refusal('no-such-message'))
    expect(await uidsIn(world, sent)).toEqual([])
    expect((await copy(2)).source.toString()).toBe('1,3')
  })

  it('refuses unknown mailboxes on either side', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await append(world, inbox, {})
    const nowhere = mailboxId(999_999)
    await expect(mail.copy(inbox, everything, nowhere)).rejects.toEqual(refusal('no-such-mailbox'))
    await expect(mail.move(inbox, everything, nowhere)).rejects.toEqual(refusal('no-such-mailbox'))
    await expect(mail.copy(nowhere, everything, inbox)).rejects.toEqual(refusal('no-such-mailbox'))
    expect(await uidsIn(world, inbox)).toEqual([1])
  })
}

function describeMove(open: OpenEngine): void {
  const it = worldTest(open)

  it('takes the messages over with their flags and dates, and the source tells of it', async (world) => {
    const { store, clock } = world
    const [inbox, sent] = [await inboxOf(world), await sentOf(world)]
    const internalDate = { at: 1_000_000_000, offsetMinutes: 120 }
    await append(world, inbox, {}, { flags: ['$k', '\\Deleted'], internalDate }, {})
    const since = await cursor(world, inbox)
    await clock.advance(1000)
    const moved = await store.mail.move(inbox, UidSet.of(2, 3, 4), sent)
    expect([moved.source.toString(), moved.target]).toEqual(['2:3', [1, 2]])
    expect(await flagsIn(world, sent)).toEqual({ 1: ['$k', '\\Deleted'], 2: [] })
    expect((await fetched(world, sent))[0]).toMatchObject({ internalDate, savedAt: clock.now() })
    expect((await store.mail.changesSince(inbox, since)).vanished.toString()).toBe('2:3')
    expect(await uidsIn(world, inbox)).toEqual([1])
  })

  it('within one mailbox gives new UIDs (RFC 6851 §3.3)', async (world) => {
    const inbox = await inboxOf(world)
    await append(world, inbox, { flags: ['$k'] }, {})
    const since = await cursor(world, inbox)
    expect((await world.store.mail.move(inbox, UidSet.of(1), inbox)).target).toEqual([3])
    expect(await flagsIn(world, inbox)).toEqual({ 2: [], 3: ['$k'] })
    const changes = await world.store.mail.changesSince(inbox, since)
    expect([[...changes.uids], changes.vanished.toString()]).toEqual([[3], '1'])
  })

  it('is no matter of quota within one account, and is one between two', async (world) => {
    const { store, alice, bob } = world
    const inbox = await inboxOf(world)
    await append(world, inbox, {})
    await store.directory.updateAccount(alice, { quota: 1 })
    await store.directory.updateAccount(bob, { quota: 1 })
    await store.mail.move(inbox, everything, await sentOf(world))
    const bobs = await inboxOf(world, bob)
    await expect(store.mail.move(await sentOf(world), everything, bobs)).rejects.toEqual(refusal('over-quota'))
    expect(await uidsIn(world, await sentOf(world))).toEqual([1])
  })
}

function describeExpunge(open: OpenEngine): void {
  const it = worldTest(open)

  it('takes out of these UIDs what bears \\Deleted', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 6)
    await mail.updateFlags(inbox, { uids: UidSet.of(1, 2, 4, 5), mode: 'add', flags: ['\\Deleted'] })
    const expunged = await mail.expunge(inbox, UidSet.ofRanges([[2, 4]]), 'deleted')
    expect(expunged.uids.toString()).toBe('2,4')
    expect(expunged.modSeq).toBe(await cursor(world, inbox))
    expect(await uidsIn(world, inbox)).toEqual([1, 3, 5, 6])
  })

  it('takes out all of these UIDs whatever they bear, and only what is there', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 4)
    await mail.expunge(inbox, UidSet.of(2), 'all')
    expect((await mail.expunge(inbox, UidSet.of(2, 3, 99), 'all')).uids.toString()).toBe('3')
    expect(await uidsIn(world, inbox)).toEqual([1, 4])
    expect(await mail.mailbox(inbox)).toMatchObject({ messages: 2, unseen: 2, deleted: 0 })
  })

  it('of very many takes out each, and a move of them takes each once', async (world) => {
    const { mail } = world.store
    const [inbox, sent] = [await inboxOf(world), await sentOf(world)]
    await append(world, inbox, ...Array.from({ length: 600 }, () => ({})))
    const every = UidSet.ofRanges([[1, 600]])
    expect((await mail.move(inbox, everything, sent)).source.toString()).toBe(every.toString())
    expect(await uidsIn(world, sent)).toEqual([...every])
    expect((await mail.expunge(sent, everything, 'all')).uids.toString()).toBe(every.toString())
    expect([await uidsIn(world, inbox), await uidsIn(world, sent)]).toEqual([[], []])
  })

  it('gives the room back', async (world) => {
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 3)
    await world.store.mail.expunge(inbox, everything, 'all')
    expect(await world.store.directory.usage(world.alice)).toEqual({ octets: 0, messages: 0 })
  })
}

function describePin(open: OpenEngine): void {
  const it = worldTest(open)

  it('keeps readable what is expunged while it lasts', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 3)
    const before = await fetched(world, inbox, { header: true, body: true, index: ['envelope'] })
    const pin = mail.pin(inbox)
    await mail.expunge(inbox, UidSet.of(1, 3), 'all')
    expect(await fetched(world, inbox, { header: true, body: true, index: ['envelope'] })).toEqual(before)
    expect((await octets(mail.readBody(before[0]!.message))).toString()).toBe('a line\r\n')
    pin[Symbol.dispose]()
    pin[Symbol.dispose]()
    expect((await fetched(world, inbox)).map((row) => row.uid)).toEqual([2])
    expect(await mail.message(before[0]!.message)).toBeUndefined()
  })

  it('keeps out of everything but reading', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 2)
    using _pin = mail.pin(inbox)
    await mail.expunge(inbox, UidSet.of(1), 'all')
    expect(await uidsIn(world, inbox)).toEqual([2])
    expect((await mail.search(inbox, { key: 'all' }, everything)).toString()).toBe('2')
    expect((await mail.copy(inbox, everything, inbox)).source.toString()).toBe('2')
    const updated = await mail.updateFlags(inbox, { uids: UidSet.of(1), mode: 'add', flags: ['\\Seen'] })
    expect(updated.modified.isEmpty).toBe(true)
    expect((await world.store.directory.usage(world.alice)).messages).toBe(2)
  })

  it('covers messages that came after it, and what a move takes away', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    using _pin = mail.pin(inbox)
    await append(world, inbox, {})
    await mail.move(inbox, UidSet.of(1), await sentOf(world))
    expect((await fetched(world, inbox)).map((row) => row.uid)).toEqual([1])
  })

  it('loses nothing to the end of another one just before', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 2)
    const ended = mail.pin(inbox)
    await mail.expunge(inbox, UidSet.of(1), 'all')
    ended[Symbol.dispose]()
    using _pin = mail.pin(inbox)
    await mail.expunge(inbox, UidSet.of(2), 'all')
    // Whatever goes on behind is done before this.
    await append(world, inbox, {})
    expect((await fetched(world, inbox)).map((row) => row.uid)).toEqual([2, 3])
  })

  it('each pin keeps what was expunged since it began', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 3)
    const [first] = await fetched(world, inbox)
    const older = mail.pin(inbox)
    await mail.expunge(inbox, UidSet.of(1), 'all')
    const newer = mail.pin(inbox)
    await mail.expunge(inbox, UidSet.of(2), 'all')
    older[Symbol.dispose]()
    expect((await fetched(world, inbox)).map((row) => row.uid)).toEqual([2, 3])
    expect(await mail.message(first!.message)).toBeUndefined()
    newer[Symbol.dispose]()
    expect((await fetched(world, inbox)).map((row) => row.uid)).toEqual([3])
  })

  it('a body that is being read stays readable though its message be expunged', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    const body = 'x'.repeat(1_000_000)
    await append(world, inbox, { text: letter('big', body) })
    const [row] = await fetched(world, inbox)
    const reading = mail.readBody(row!.message)[Symbol.asyncIterator]()
    const first = (await reading.next()).value as Buffer
    await mail.expunge(inbox, everything, 'all')
    let rest = first.length
    for (let step = await reading.next(); !step.done; step = await reading.next()) rest += step.value.length
    expect(rest).toBe(body.length)
  })
}
