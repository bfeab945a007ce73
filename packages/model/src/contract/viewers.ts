/** The contract of flags in shared mailboxes: all are everybody's, but \Seen, which each account has for itself. */
import { describe, expect } from 'vitest'
import type { AccountId, MailboxId, ModSeq } from '../ids.ts'
import type { Acting } from '../ports/mail-store.ts'
import { sampleMessage } from '../testing/sample-message.ts'
import { UidSet } from '../uid-set.ts'
import {
  append,
  appendMany,
  everything,
  flagsByUid,
  inboxOf,
  letter,
  mailboxNamed,
  type OpenEngine,
  refusal,
  type World,
  worldTest,
} from './engine.ts'

export function describeViewers(open: OpenEngine): void {
  describe('\\Seen of viewers', () => describeSeen(open))
  describe('what others may flag', () => describeMay(open))
  describe('copies by others', () => describeCopies(open))
}

const all = { seen: true, deleted: true, others: true }
const as = (account: AccountId, may: Partial<Acting['may']> = {}): Acting => ({ account, may: { ...all, ...may } })

/** Alice's INBOX with messages, which Bob may read. */
async function sharedInbox(world: World, messages: number): Promise<MailboxId> {
  const inbox = await inboxOf(world)
  await appendMany(world, inbox, messages)
  await world.store.sharing.setAcl(inbox, { grantee: world.bob, negative: false, mode: 'replace', rights: 'lrswit' })
  return inbox
}

async function seenBy({ store }: World, mailbox: MailboxId, viewer: AccountId): Promise<Record<number, string[]>> {
  const snapshot = await store.mail.snapshot(mailbox, viewer)
  return flagsByUid(snapshot, snapshot.mailbox.keywords)
}

async function changes({ store }: World, mailbox: MailboxId, since: ModSeq, viewer: AccountId) {
  const found = await store.mail.changesSince(mailbox, since, viewer)
  return flagsByUid(found, found.keywords)
}

async function modSeqOf({ store }: World, mailbox: MailboxId): Promise<ModSeq> {
  return (await store.mail.mailbox(mailbox))!.highestModSeq
}

function describeSeen(open: OpenEngine): void {
  const it = worldTest(open)

  it('is each viewer’s own, all else is shared', async (world) => {
    const { mail } = world.store
    const { alice, bob } = world
    const inbox = await sharedInbox(world, 3)
    await mail.updateFlags(inbox, { uids: UidSet.of(1, 2), mode: 'add', flags: ['\\Seen', '\\Flagged'] })
    await mail.updateFlags(inbox, { uids: UidSet.of(2, 3), mode: 'add', flags: ['\\SEEN', '$k'] }, as(bob))
    expect(await seenBy(world, inbox, alice)).toEqual({
      1: ['\\Flagged', '\\Seen'],
      2: ['$k', '\\Flagged', '\\Seen'],
      3: ['$k'],
    })
    expect(await seenBy(world, inbox, bob)).toEqual({
      1: ['\\Flagged'],
      2: ['$k', '\\Flagged', '\\Seen'],
      3: ['$k', '\\Seen'],
    })
    await mail.updateFlags(inbox, { uids: everything, mode: 'remove', flags: ['\\Seen'] }, as(bob))
    expect(Object.values(await seenBy(world, inbox, bob)).flat()).not.toContain('\\Seen')
    expect(await mail.mailbox(inbox)).toMatchObject({ unseen: 1 })
  })

  it('the owner acts as without a word of it', async (world) => {
    const { mail } = world.store
    const inbox = await sharedInbox(world, 1)
    await mail.updateFlags(inbox, { uids: UidSet.of(1), mode: 'add', flags: ['\\Seen'] }, as(world.alice))
    expect(await seenBy(world, inbox, world.alice)).toEqual({ 1: ['\\Seen'] })
    expect(await mail.snapshot(inbox, world.alice)).toEqual(await mail.snapshot(inbox))
    await mail.updateFlags(inbox, { uids: UidSet.of(1), mode: 'replace', flags: [] }, as(world.alice, { seen: false }))
    expect(await seenBy(world, inbox, world.alice)).toEqual({ 1: [] })
  })

  it('has a MODSEQ, which only its viewer is told of', async (world) => {
    const { mail } = world.store
    const { alice, bob } = world
    const inbox = await sharedInbox(world, 3)
    const before = await modSeqOf(world, inbox)
    const { modSeq } = await mail.updateFlags(inbox, { uids: UidSet.of(2), mode: 'add', flags: ['\\Seen'] }, as(bob))
    expect(modSeq).toBeGreaterThan(before)
    expect(await modSeqOf(world, inbox)).toBe(modSeq)
    expect(await changes(world, inbox, before, bob)).toEqual({ 2: ['\\Seen'] })
    expect(await changes(world, inbox, before, alice)).toEqual({})
    expect(await changes(world, inbox, modSeq, bob)).toEqual({})
    expect((await mail.changesSince(inbox, before, alice)).modSeq).toBe(modSeq)
    const snapshot = await mail.snapshot(inbox, bob)
    expect(snapshot.modSeqs[1]).toBe(modSeq)
    await mail.updateFlags(inbox, { uids: UidSet.of(2), mode: 'remove', flags: ['\\Seen'] }, as(bob))
    expect(await changes(world, inbox, modSeq, bob)).toEqual({ 2: [] })
  })

  it('stays as it is without a new MODSEQ, and unchangedSince holds for it', async (world) => {
    const { mail } = world.store
    const { alice, bob } = world
    const inbox = await sharedInbox(world, 2)
    const before = await modSeqOf(world, inbox)
    const change = { uids: everything, mode: 'add', flags: ['\\Seen'] } as const
    const first = await mail.updateFlags(inbox, { ...change, uids: UidSet.of(1) }, as(bob))
    const second = await mail.updateFlags(inbox, { ...change, unchangedSince: before }, as(bob))
    expect(second.modified.toString()).toBe('1')
    expect([...(await mail.snapshot(inbox, bob)).modSeqs]).toEqual([first.modSeq, second.modSeq])
    expect((await mail.updateFlags(inbox, change, as(bob))).modSeq).toBe(second.modSeq)
    const alices = { uids: everything, mode: 'add', flags: ['\\Flagged'], unchangedSince: before } as const
    expect((await mail.updateFlags(inbox, alices, as(alice))).modified.isEmpty).toBe(true)
  })

  it('that was taken away has changed, as unchangedSince sees it', async (world) => {
    const { mail } = world.store
    const inbox = await sharedInbox(world, 1)
    const change = { uids: everything, mode: 'add', flags: ['\\Seen'] } as const
    const { modSeq: unchangedSince } = await mail.updateFlags(inbox, change, as(world.bob))
    await mail.updateFlags(inbox, { ...change, mode: 'remove' }, as(world.bob))
    const late = await mail.updateFlags(inbox, { ...change, unchangedSince }, as(world.bob))
    expect(late.modified.toString()).toBe('1')
    expect(await seenBy(world, inbox, world.bob)).toEqual({ 1: [] })
  })

  it('counts into the viewer’s unseen, and goes with the message', async (world) => {
    const { mail, sharing } = world.store
    const { bob } = world
    const inbox = await sharedInbox(world, 4)
    await mail.updateFlags(inbox, { uids: UidSet.of(1, 2, 3), mode: 'add', flags: ['\\Seen'] }, as(bob))
    await mail.updateFlags(inbox, { uids: UidSet.of(1), mode: 'remove', flags: ['\\Seen'] }, as(bob))
    const unseen = async (): Promise<number[]> => [
      (await mail.mailbox(inbox))!.unseen,
      (await mail.mailbox(inbox, bob))!.unseen,
      (await mail.mailboxByName(world.alice, 'INBOX', bob))!.unseen,
      (await sharing.sharedWith(bob))[0]!.mailbox.unseen,
      (await mail.snapshot(inbox, bob)).mailbox.unseen,
    ]
    expect(await unseen()).toEqual([4, 2, 2, 2, 2])
    await mail.expunge(inbox, UidSet.of(2), 'all')
    await mail.move(inbox, UidSet.of(3), (await mailboxNamed(world, world.alice, 'Sent')).id)
    expect(await unseen()).toEqual([2, 2, 2, 2, 2])
    await append(world, inbox, { flags: ['\\Seen'] })
    expect(await unseen()).toEqual([2, 3, 3, 3, 3])
  })

  it('goes with the mailbox and with the account', async (world) => {
    const { mail, directory } = world.store
    const inbox = await sharedInbox(world, 2)
    const change = { uids: everything, mode: 'add', flags: ['\\Seen'] } as const
    const other = await mail.createMailbox(world.alice, 'other')
    await append(world, other.id, {})
    for (const id of [inbox, other.id]) await mail.updateFlags(id, change, as(world.bob))
    await mail.deleteMailbox(world.alice, 'other')
    await directory.removeAccount(world.bob, 5)
    await directory.purgeAccounts(6)
    expect(await mail.mailbox(inbox)).toMatchObject({ unseen: 2 })
    await mail.expunge(inbox, everything, 'all')
  })

  it('wakes who watches the owner', async (world) => {
    const { mail } = world.store
    const inbox = await sharedInbox(world, 1)
    const woken: unknown[] = []
    using _watch = mail.watch(world.alice, (touched) => woken.push(touched && [...touched.keys()]))
    await mail.updateFlags(inbox, { uids: UidSet.of(1), mode: 'add', flags: ['\\Seen'] }, as(world.bob))
    await expect.poll(() => woken).toEqual([[inbox]])
  })

  it('of many messages at once is each told', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await append(world, inbox, ...Array.from({ length: 300 }, () => ({})))
    await world.store.sharing.setAcl(inbox, { grantee: world.bob, negative: false, mode: 'replace', rights: 'lrs' })
    const before = await modSeqOf(world, inbox)
    const change = { uids: everything, mode: 'add', flags: ['\\Seen', '\\Answered'] } as const
    await mail.updateFlags(inbox, change, as(world.bob, { others: false }))
    expect(Object.values(await changes(world, inbox, before, world.bob)).flat()).toEqual(Array(300).fill('\\Seen'))
    expect(await mail.mailbox(inbox, world.bob)).toMatchObject({ unseen: 0 })
  })

  it('is told beside many changes of others', async (world) => {
    const { mail } = world.store
    const inbox = await sharedInbox(world, 600)
    await mail.updateFlags(inbox, { uids: UidSet.of(1, 300), mode: 'add', flags: ['\\Seen'] }, as(world.bob))
    const before = await modSeqOf(world, inbox)
    await mail.updateFlags(inbox, { uids: UidSet.of(2), mode: 'add', flags: ['\\Seen'] }, as(world.bob))
    const flagged = UidSet.ofRanges([[3, 600]])
    await mail.updateFlags(inbox, { uids: flagged, mode: 'add', flags: ['\\Flagged', '\\Seen'] })
    const found = await changes(world, inbox, before, world.bob)
    expect(Object.keys(found)).toHaveLength(599)
    expect([found[1], found[2], found[3], found[300]]).toEqual([
      undefined,
      ['\\Seen'],
      ['\\Flagged'],
      ['\\Flagged', '\\Seen'],
    ])
  })
}

function describeMay(open: OpenEngine): void {
  const it = worldTest(open)
  const bodies: [string, Partial<Acting['may']>, string[], string[]][] = [
    ['all of them', {}, ['$new', '\\Seen'], ['$new', '\\Seen']],
    ['all but \\Seen', { seen: false }, ['$new'], ['$new', '\\Seen']],
    ['all but \\Deleted', { deleted: false }, ['$new', '\\Deleted', '\\Seen'], ['$new', '\\Deleted', '\\Seen']],
    [
      '\\Seen alone',
      { deleted: false, others: false },
      ['$old', '\\Deleted', '\\Seen'],
      ['$old', '\\Deleted', '\\Seen'],
    ],
    ['\\Deleted alone', { seen: false, others: false }, ['$old'], ['$old', '\\Seen']],
  ]
  for (const [what, may, viewers, owners] of bodies) {
    it(`${what}: replacing leaves the rest and the owner’s \\Seen`, async (world) => {
      const { mail } = world.store
      const inbox = await sharedInbox(world, 0)
      await append(world, inbox, { flags: ['\\Seen', '\\Deleted', '$old'] })
      const change = { uids: everything, mode: 'replace', flags: ['$new', '\\Seen'] } as const
      await mail.updateFlags(inbox, change, as(world.bob, may))
      expect(await seenBy(world, inbox, world.bob)).toEqual({ 1: viewers })
      expect(await seenBy(world, inbox, world.alice)).toEqual({ 1: owners })
    })
  }

  it('what may not be set is passed over, and makes no keyword', async (world) => {
    const { mail } = world.store
    const inbox = await sharedInbox(world, 1)
    const change = { uids: everything, mode: 'add', flags: ['\\Seen', '\\Deleted', '$x'] } as const
    await mail.updateFlags(inbox, change, as(world.bob, { others: false, seen: false }))
    expect(await seenBy(world, inbox, world.bob)).toEqual({ 1: ['\\Deleted'] })
    expect(await mail.mailbox(inbox)).toMatchObject({ keywords: [], deleted: 1, unseen: 1 })
    await mail.updateFlags(inbox, { ...change, mode: 'remove' }, as(world.bob, { deleted: false }))
    expect(await seenBy(world, inbox, world.bob)).toEqual({ 1: ['\\Deleted'] })
  })

  it('more keywords than there are places is refused', async (world) => {
    const { mail } = world.store
    const inbox = await sharedInbox(world, 2)
    const many = Array.from({ length: 44 }, (_, index) => `k${index}`)
    await mail.updateFlags(inbox, { uids: UidSet.of(1), mode: 'add', flags: many }, as(world.bob))
    const more = { uids: UidSet.of(2), mode: 'add', flags: ['more'] } as const
    await expect(mail.updateFlags(inbox, more, as(world.bob))).rejects.toEqual(refusal('limit'))
    await mail.updateFlags(inbox, { ...more, mode: 'remove' }, as(world.bob))
    await mail.updateFlags(inbox, { ...more, uids: UidSet.of(3) }, as(world.bob))
    expect(await mail.mailbox(inbox)).toMatchObject({ keywords: many })
  })
}

function describeCopies(open: OpenEngine): void {
  const it = worldTest(open)

  it('from a shared mailbox bear the viewer’s \\Seen', async (world) => {
    const { mail } = world.store
    const { bob } = world
    const inbox = await sharedInbox(world, 2)
    await mail.updateFlags(inbox, { uids: UidSet.of(1), mode: 'add', flags: ['\\Seen', '$k'] })
    await mail.updateFlags(inbox, { uids: UidSet.of(2), mode: 'add', flags: ['\\Seen'] }, as(bob))
    const own = await inboxOf(world, bob)
    await mail.copy(inbox, everything, own, as(bob))
    expect(await seenBy(world, own, bob)).toEqual({ 1: ['$k'], 2: ['\\Seen'] })
    await mail.move(inbox, everything, own, as(bob))
    expect(await seenBy(world, own, bob)).toEqual({ 1: ['$k'], 2: ['\\Seen'], 3: ['$k'], 4: ['\\Seen'] })
    expect(await mail.mailbox(inbox, bob)).toMatchObject({ messages: 0, unseen: 0 })
  })

  it('into a shared mailbox are seen by who has seen them, and bear what may be set', async (world) => {
    const { mail } = world.store
    const { alice, bob } = world
    const inbox = await sharedInbox(world, 0)
    const own = await inboxOf(world, bob)
    await append(world, own, { flags: ['\\Seen', '\\Deleted', '$k'] }, {})
    await mail.copy(own, everything, inbox, as(bob, { deleted: false }))
    expect(await seenBy(world, inbox, bob)).toEqual({ 1: ['$k', '\\Seen'], 2: [] })
    expect(await seenBy(world, inbox, alice)).toEqual({ 1: ['$k'], 2: [] })
    await mail.copy(own, UidSet.of(1), inbox, as(bob, { seen: false, others: false }))
    expect((await seenBy(world, inbox, bob))[3]).toEqual(['\\Deleted'])
    expect(await mail.mailbox(inbox, bob)).toMatchObject({ messages: 3, unseen: 2, deleted: 1 })
  })

  it('within a shared mailbox keep it too', async (world) => {
    const { mail } = world.store
    const inbox = await sharedInbox(world, 1)
    await mail.updateFlags(inbox, { uids: UidSet.of(1), mode: 'add', flags: ['\\Seen'] })
    await mail.updateFlags(inbox, { uids: UidSet.of(1), mode: 'add', flags: ['\\Seen'] }, as(world.bob))
    await mail.move(inbox, UidSet.of(1), inbox, as(world.bob))
    expect(await seenBy(world, inbox, world.bob)).toEqual({ 2: ['\\Seen'] })
    expect(await seenBy(world, inbox, world.alice)).toEqual({ 2: [] })
  })

  it('what is appended is seen by who appends it', async (world) => {
    const { mail } = world.store
    const { alice, bob, clock } = world
    const inbox = await sharedInbox(world, 0)
    const appends = []
    for (const flags of [['\\Seen', '$k'], ['\\Deleted']]) {
      const message = await sampleMessage(mail, letter())
      appends.push({ message, flags, internalDate: { at: clock.now(), offsetMinutes: 0 } })
    }
    await mail.append(inbox, appends, as(bob, { deleted: false }))
    expect(await seenBy(world, inbox, bob)).toEqual({ 1: ['$k', '\\Seen'], 2: [] })
    expect(await seenBy(world, inbox, alice)).toEqual({ 1: ['$k'], 2: [] })
  })

  it('are counted against the quota of who owns the target', async (world) => {
    const { mail, directory } = world.store
    const inbox = await sharedInbox(world, 0)
    const own = await inboxOf(world, world.bob)
    await append(world, own, {})
    await directory.updateAccount(world.alice, { quota: 1 })
    await expect(mail.copy(own, everything, inbox, as(world.bob))).rejects.toEqual(refusal('over-quota'))
    await directory.updateAccount(world.bob, { quota: 1 })
    await directory.updateAccount(world.alice, { quota: 0 })
    await mail.copy(own, everything, inbox, as(world.bob))
    expect((await directory.usage(world.alice)).messages).toBe(1)
  })
}
