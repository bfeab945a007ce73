/** The contract of what open sessions see: UIDs, MODSEQs, changes since a cursor, \Recent, wakes. */
import { describe, expect } from 'vitest'
import { type MailboxId, type ModSeq, modSeq } from '../ids.ts'
import { UidSet } from '../uid-set.ts'
import type { OpenEngine, World } from './engine.ts'
import {
  accept,
  acceptance,
  append,
  appendMany,
  cursor,
  entry,
  everything,
  filing,
  flagsByUid,
  inboxOf,
  mailboxNamed,
  refusal,
  uidsIn,
  worldTest,
} from './engine.ts'

export function describeChanges(open: OpenEngine): void {
  describe('UIDs and MODSEQs', () => describeNumbers(open))
  describe('changesSince', () => describeChangesSince(open))
  describe('claimRecent', () => describeRecent(open))
  describe('watch', () => describeWatch(open))
}

/** Changes in a form to compare: flags by name, vanished as text. */
async function changes({ store }: World, mailbox: MailboxId, since: ModSeq) {
  const found = await store.mail.changesSince(mailbox, since)
  return { flags: flagsByUid(found, found.keywords), vanished: found.vanished.toString() }
}

async function modSeqs({ store }: World, mailbox: MailboxId): Promise<number[]> {
  return [...(await store.mail.snapshot(mailbox)).modSeqs]
}

function describeNumbers(open: OpenEngine): void {
  const it = worldTest(open)

  it('UIDs rise and are never used again, though the last ones be expunged', async (world) => {
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 3)
    await world.store.mail.expunge(inbox, UidSet.of(2, 3), 'all')
    expect(await append(world, inbox, {})).toEqual([4])
    await world.store.mail.expunge(inbox, everything, 'all')
    expect(await append(world, inbox, {})).toEqual([5])
    expect((await mailboxNamed(world, world.alice, 'INBOX')).uidNext).toBe(6)
  })

  it('UIDVALIDITYs are not below the time at which the account was made', async (world) => {
    const { store, clock, alice } = world
    for (const { uidValidity } of await store.mail.mailboxes(alice)) {
      expect(uidValidity).toBeGreaterThanOrEqual(Math.floor(clock.now() / 1000))
    }
  })

  it('one transaction gives all its rows one MODSEQ, in every mailbox of the account', async (world) => {
    const { store, alice } = world
    const both = [
      await acceptance(world, { filings: [filing(alice)] }),
      await acceptance(world, { filings: [filing(alice), filing(alice, 'Sent')] }),
    ]
    await store.mail.accept(both)
    const sent = (await mailboxNamed(world, alice, 'Sent')).id
    const all = [...(await modSeqs(world, await inboxOf(world))), ...(await modSeqs(world, sent))]
    expect(all).toHaveLength(3)
    expect(new Set(all).size).toBe(1)
  })

  it('the counter is the account’s: a later change anywhere has a greater MODSEQ', async (world) => {
    const inbox = await inboxOf(world)
    const sent = (await mailboxNamed(world, world.alice, 'Sent')).id
    await append(world, inbox, {})
    await append(world, sent, {})
    await append(world, inbox, {})
    const [first, third] = await modSeqs(world, inbox)
    const [second] = await modSeqs(world, sent)
    expect(first!).toBeLessThan(second!)
    expect(second!).toBeLessThan(third!)
  })

  it('append, flags and expunge raise the mailbox’s highest, and no other mailbox’s', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    const sent = await mailboxNamed(world, world.alice, 'Sent')
    let last = await cursor(world, inbox)
    const steps = [
      () => appendMany(world, inbox, 2),
      () => mail.updateFlags(inbox, { uids: UidSet.of(1), mode: 'add', flags: ['\\Seen'] }),
      () => mail.copy(inbox, UidSet.of(1), inbox),
      () => mail.expunge(inbox, UidSet.of(1), 'all'),
    ]
    for (const step of steps) {
      await step()
      const now = await cursor(world, inbox)
      expect(now).toBeGreaterThan(last)
      last = now
    }
    expect((await mailboxNamed(world, world.alice, 'Sent')).highestModSeq).toBe(sent.highestModSeq)
  })

  it('what changes nothing raises nothing', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await append(world, inbox, { flags: ['\\Seen'] })
    const before = await mail.snapshot(inbox)
    await mail.updateFlags(inbox, { uids: everything, mode: 'add', flags: ['\\Seen'] })
    await mail.updateFlags(inbox, { uids: UidSet.of(77), mode: 'add', flags: ['\\Flagged'] })
    await mail.expunge(inbox, everything, 'deleted')
    await mail.copy(inbox, UidSet.of(77), inbox)
    await mail.move(inbox, UidSet.empty, inbox)
    expect(await mail.snapshot(inbox)).toEqual(before)
  })
}

function describeChangesSince(open: OpenEngine): void {
  const it = worldTest(open)

  it('tells what was added, changed and expunged, and no more', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 5)
    const since = await cursor(world, inbox)
    await mail.updateFlags(inbox, { uids: UidSet.of(2), mode: 'add', flags: ['$new', '\\Flagged'] })
    await mail.expunge(inbox, UidSet.of(3), 'all')
    await append(world, inbox, {})
    expect(await changes(world, inbox, since)).toEqual({ flags: { 2: ['$new', '\\Flagged'], 6: [] }, vanished: '3' })
    const found = await mail.changesSince(inbox, since)
    expect(found).toMatchObject({ modSeq: await cursor(world, inbox), uidNext: 7, keywords: ['$new'], deleted: false })
    expect([...found.modSeqs].every((value) => value > since && value <= found.modSeq)).toBe(true)
  })

  it('tells each of a range whose flags changed at once', async (world) => {
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 6)
    const since = await cursor(world, inbox)
    const uids = UidSet.of(1, 2, 3, 5)
    await world.store.mail.updateFlags(inbox, { uids, mode: 'add', flags: ['\\Seen'] })
    const seen = ['\\Seen']
    expect((await changes(world, inbox, since)).flags).toEqual({ 1: seen, 2: seen, 3: seen, 5: seen })
  })

  it('tells nothing from the cursor that it gave', async (world) => {
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 2)
    await world.store.mail.expunge(inbox, UidSet.of(1), 'all')
    const { modSeq: next } = await world.store.mail.changesSince(inbox, modSeq(0))
    expect(await changes(world, inbox, next)).toEqual({ flags: {}, vanished: '' })
  })

  it('tells of messages that came and went in between', async (world) => {
    const inbox = await inboxOf(world)
    const since = await cursor(world, inbox)
    await append(world, inbox, {})
    await world.store.mail.expunge(inbox, UidSet.of(1), 'all')
    expect(await changes(world, inbox, since)).toEqual({ flags: {}, vanished: '1' })
  })

  it('a session that follows from cursor to cursor knows the whole mailbox at each step', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    const known = new Map<number, number>()
    let since = await cursor(world, inbox)
    const steps = [
      () => appendMany(world, inbox, 4),
      () => mail.updateFlags(inbox, { uids: UidSet.of(1, 3), mode: 'add', flags: ['\\Deleted'] }),
      () => mail.expunge(inbox, everything, 'deleted'),
      () => mail.move(inbox, UidSet.of(2), inbox),
      () => mail.updateFlags(inbox, { uids: everything, mode: 'replace', flags: ['\\Seen'] }),
    ]
    for (const step of steps) {
      await step()
      const found = await mail.changesSince(inbox, since)
      for (const [index, uid] of found.uids.entries()) known.set(uid, found.flags[index] as number)
      for (const uid of found.vanished) known.delete(uid)
      since = found.modSeq
      const { uids, flags } = await mail.snapshot(inbox)
      expect([...known].sort(([a], [b]) => a - b)).toEqual([...uids].map((uid, index) => [uid, flags[index]]))
    }
  })

  it(
    'from below the expunge floor every absent UID is reported',
    async (world) => {
      const { mail } = world.store
      const inbox = await inboxOf(world)
      await appendMany(world, inbox, 8)
      const cursors = [await cursor(world, inbox)]
      for (const uid of [2, 3, 5, 6]) {
        await mail.expunge(inbox, UidSet.of(uid), 'all')
        cursors.push(await cursor(world, inbox))
      }
      const vanished = []
      for (const since of cursors) vanished.push((await changes(world, inbox, since)).vanished)
      expect(vanished).toEqual(['2:3,5:6', '2:3,5:6', '5:6', '6', ''])
    },
    { expungesPerMailbox: 2 },
  )

  it('an unknown mailbox is one that is gone', async ({ store }) => {
    expect((await store.mail.changesSince(999_999 as MailboxId, modSeq(1))).deleted).toBe(true)
  })
}

function describeRecent(open: OpenEngine): void {
  const it = worldTest(open)

  it('gives each message to one session only', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 2)
    expect(await mail.claimRecent(inbox)).toBe(1)
    expect(await mail.claimRecent(inbox)).toBe(3)
    await append(world, inbox, {})
    expect(await mail.mailbox(inbox)).toMatchObject({ recentUid: 3 })
    expect(await mail.claimRecent(inbox)).toBe(3)
    expect(await mail.claimRecent(inbox)).toBe(4)
  })

  it('is no change of the mailbox', async (world) => {
    const inbox = await inboxOf(world)
    await append(world, inbox, {})
    const before = await cursor(world, inbox)
    await world.store.mail.claimRecent(inbox)
    expect(await cursor(world, inbox)).toBe(before)
  })
}

function describeWatch(open: OpenEngine): void {
  const it = worldTest(open)

  it('wakes after each commit that touched the account, says where, and the change can be read', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    const { id: other } = await mail.createMailbox(world.alice, 'other')
    const woken: (ReadonlyMap<MailboxId, ModSeq> | undefined)[] = []
    let seen: Promise<number[]> | undefined
    using _watch = mail.watch(world.alice, (touched) => {
      woken.push(touched)
      seen = uidsIn(world, inbox)
    })
    const steps: [act: () => Promise<unknown>, ...touched: MailboxId[]][] = [
      [() => accept(world, { filings: [filing(world.alice)] }), inbox],
      [() => append(world, inbox, {}), inbox],
      [() => mail.updateFlags(inbox, { uids: UidSet.of(1), mode: 'add', flags: ['\\Seen'] }), inbox],
      [() => mail.copy(inbox, UidSet.of(1), other), other],
      [() => mail.move(inbox, UidSet.of(2), other), inbox, other],
      [() => mail.expunge(inbox, UidSet.of(1), 'all'), inbox],
      [() => mail.createMailbox(world.alice, 'new')],
      [() => mail.renameMailbox(world.alice, 'new', 'newer')],
      [() => mail.setSpecialUse(world.alice, 'newer', '\\All')],
      [() => mail.deleteMailbox(world.alice, 'newer')],
    ]
    for (const [act, ...touched] of steps) {
      woken.length = 0
      await act()
      const modSeqs = await Promise.all(touched.map(async (id) => [id, await cursor(world, id)] as const))
      await expect.poll(() => woken).toEqual([touched.length > 0 ? new Map(modSeqs) : undefined])
      expect(await seen).toEqual(await uidsIn(world, inbox))
    }
  })

  it('does not wake for other accounts, for the queue alone, nor when disposed', async (world) => {
    const { mail } = world.store
    const bobs = await inboxOf(world, world.bob)
    let alice = 0
    let bob = 0
    const watch = mail.watch(world.alice, () => alice++)
    using _bob = mail.watch(world.bob, () => bob++)
    await accept(world, { queue: [entry('three.test')] })
    await append(world, bobs, {})
    await expect.poll(() => bob).toBe(1)
    expect(alice).toBe(0)
    watch[Symbol.dispose]()
    watch[Symbol.dispose]()
    await append(world, await inboxOf(world), {})
    await append(world, bobs, {})
    await expect.poll(() => bob).toBe(2)
    expect(alice).toBe(0)
  })

  it('a verb that is refused wakes nobody', async (world) => {
    const { mail, directory } = world.store
    await directory.updateAccount(world.alice, { quota: 1 })
    const [alices, bobs] = [await inboxOf(world), await inboxOf(world, world.bob)]
    let alice = 0
    let bob = 0
    using _alice = mail.watch(world.alice, () => alice++)
    using _bob = mail.watch(world.bob, () => bob++)
    await expect(append(world, alices, {})).rejects.toEqual(refusal('over-quota'))
    await append(world, bobs, {})
    await expect.poll(() => bob).toBe(1)
    expect(alice).toBe(0)
  })
}
