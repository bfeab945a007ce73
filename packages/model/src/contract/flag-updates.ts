/** The contract of flags and keywords. */
import { describe, expect } from 'vitest'
import { maxKeywords } from '../flags.ts'
import type { ModSeq } from '../ids.ts'
import { UidSet } from '../uid-set.ts'
import {
  append,
  appendMany,
  cursor,
  everything,
  flagsIn,
  inboxOf,
  mailboxNamed,
  type OpenEngine,
  refusal,
  type World,
  worldTest,
} from './engine.ts'

export function describeFlagUpdates(open: OpenEngine): void {
  describe('updateFlags', () => describeModes(open))
  describe('updateFlags with unchangedSince', () => describeUnchangedSince(open))
  describe('keywords', () => describeKeywords(open))
}

const keywords = (count: number): string[] => Array.from({ length: count }, (_, index) => `k${index}`)

async function placesIn(world: World): Promise<readonly string[]> {
  return (await mailboxNamed(world, world.alice, 'INBOX')).keywords
}

function describeModes(open: OpenEngine): void {
  const it = worldTest(open)

  it('adds, removes and replaces', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await append(world, inbox, { flags: ['\\Seen', '$a'] }, {}, { flags: ['\\Draft'] })
    await mail.updateFlags(inbox, { uids: UidSet.of(1, 2), mode: 'add', flags: ['\\Flagged', '$b'] })
    expect(await flagsIn(world, inbox)).toEqual({
      1: ['$a', '$b', '\\Flagged', '\\Seen'],
      2: ['$b', '\\Flagged'],
      3: ['\\Draft'],
    })
    await mail.updateFlags(inbox, { uids: everything, mode: 'remove', flags: ['\\Flagged', '$a', '$unknown'] })
    expect(await flagsIn(world, inbox)).toEqual({ 1: ['$b', '\\Seen'], 2: ['$b'], 3: ['\\Draft'] })
    await mail.updateFlags(inbox, { uids: UidSet.of(1, 3), mode: 'replace', flags: ['\\Answered'] })
    expect(await flagsIn(world, inbox)).toEqual({ 1: ['\\Answered'], 2: ['$b'], 3: ['\\Answered'] })
    await mail.updateFlags(inbox, { uids: everything, mode: 'replace', flags: [] })
    expect(await flagsIn(world, inbox)).toEqual({ 1: [], 2: [], 3: [] })
    expect(await placesIn(world)).toEqual(['$a', '$b'])
  })

  it('only messages whose flags change get the new MODSEQ', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await append(world, inbox, {}, { flags: ['\\Seen'] }, {})
    const before = await mail.snapshot(inbox)
    const updated = await mail.updateFlags(inbox, { uids: everything, mode: 'add', flags: ['\\Seen'] })
    const after = await mail.snapshot(inbox)
    expect([...after.modSeqs]).toEqual([updated.modSeq, before.modSeqs[1], updated.modSeq])
    const { highestModSeq: modSeq } = after.mailbox
    expect(updated).toMatchObject({ modSeq, since: before.mailbox.highestModSeq, modified: UidSet.empty })
  })

  it('system flags are known in any case, and UIDs that are gone are passed over', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 2)
    await mail.expunge(inbox, UidSet.of(1), 'all')
    const updated = await mail.updateFlags(inbox, { uids: everything, mode: 'add', flags: ['\\SEEN', '\\deleted'] })
    expect(updated.modified.isEmpty).toBe(true)
    expect(await flagsIn(world, inbox)).toEqual({ 2: ['\\Deleted', '\\Seen'] })
  })

  it('changes the counters of unseen and deleted', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 3)
    await mail.updateFlags(inbox, { uids: UidSet.of(1, 2), mode: 'add', flags: ['\\Seen'] })
    await mail.updateFlags(inbox, { uids: UidSet.of(2, 3), mode: 'replace', flags: ['\\Deleted'] })
    expect(await mail.mailbox(inbox)).toMatchObject({ messages: 3, unseen: 2, deleted: 2 })
  })

  it('one system flag that is taken away is counted too', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await append(world, inbox, { flags: ['\\Seen'] }, { flags: ['\\Seen', '\\Deleted'] }, {})
    await mail.updateFlags(inbox, { uids: everything, mode: 'remove', flags: ['\\Seen'] })
    expect(await mail.mailbox(inbox)).toMatchObject({ unseen: 3, deleted: 1 })
    await mail.updateFlags(inbox, { uids: everything, mode: 'remove', flags: ['\\Deleted'] })
    expect(await mail.mailbox(inbox)).toMatchObject({ unseen: 3, deleted: 0 })
  })
}

function describeUnchangedSince(open: OpenEngine): void {
  const it = worldTest(open)

  it('leaves alone and reports what changed after it (RFC 7162 §3.1.3)', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 3)
    const unchangedSince = await cursor(world, inbox)
    await mail.updateFlags(inbox, { uids: UidSet.of(2), mode: 'add', flags: ['\\Flagged'] })
    const updated = await mail.updateFlags(inbox, { uids: everything, mode: 'add', flags: ['\\Seen'], unchangedSince })
    expect(updated.modified.toString()).toBe('2')
    expect(await flagsIn(world, inbox)).toEqual({ 1: ['\\Seen'], 2: ['\\Flagged'], 3: ['\\Seen'] })
  })

  it('that is a message’s own MODSEQ lets it pass, with a keyword that is new', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await append(world, inbox, {})
    const unchangedSince = await cursor(world, inbox)
    await mail.updateFlags(inbox, { uids: everything, mode: 'add', flags: ['$x'], unchangedSince })
    expect(await flagsIn(world, inbox)).toEqual({ 1: ['$x'] })
  })

  it('0 lets nothing pass, and no keyword is made for nobody', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await appendMany(world, inbox, 2)
    const change = { uids: everything, mode: 'add', flags: ['$x'], unchangedSince: 0 as ModSeq } as const
    expect((await mail.updateFlags(inbox, change)).modified.toString()).toBe('1:2')
    expect(await placesIn(world)).toEqual([])
  })
}

function describeKeywords(open: OpenEngine): void {
  const it = worldTest(open)

  it('keep the spelling in which they came first and are known in any case', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await append(world, inbox, { flags: ['$Forwarded'] }, { flags: ['$FORWARDED', 'Other'] })
    expect(await flagsIn(world, inbox)).toEqual({ 1: ['$Forwarded'], 2: ['$Forwarded', 'Other'] })
    await mail.updateFlags(inbox, { uids: UidSet.of(2), mode: 'add', flags: ['$NEW', '$new'] })
    expect(await placesIn(world)).toEqual(['$Forwarded', 'Other', '$NEW'])
    await mail.updateFlags(inbox, { uids: UidSet.of(2), mode: 'remove', flags: ['$new'] })
    await mail.updateFlags(inbox, { uids: everything, mode: 'remove', flags: ['$forwarded'] })
    expect(await flagsIn(world, inbox)).toEqual({ 1: [], 2: ['Other'] })
  })

  it('belong to their mailbox', async (world) => {
    const inbox = await inboxOf(world)
    const sent = (await mailboxNamed(world, world.alice, 'Sent')).id
    await append(world, inbox, { flags: ['$a'] })
    await append(world, sent, { flags: ['$b'] })
    expect(await placesIn(world)).toEqual(['$a'])
    expect(await flagsIn(world, sent)).toEqual({ 1: ['$b'] })
  })

  it('all places can be used at once, to the highest bit', async (world) => {
    const inbox = await inboxOf(world)
    const all = keywords(maxKeywords)
    await append(world, inbox, { flags: ['\\Seen', ...all] }, {})
    await world.store.mail.updateFlags(inbox, { uids: UidSet.of(2), mode: 'add', flags: [all.at(-1) as string] })
    expect(await flagsIn(world, inbox)).toEqual({ 1: ['\\Seen', ...all].sort(), 2: [all.at(-1)] })
    await world.store.mail.updateFlags(inbox, { uids: UidSet.of(1), mode: 'remove', flags: all.slice(1) })
    expect(await flagsIn(world, inbox)).toEqual({ 1: ['\\Seen', 'k0'].sort(), 2: [all.at(-1)] })
  })

  it('one more than there are places is refused, and nothing is changed', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await append(world, inbox, { flags: keywords(maxKeywords) }, {})
    const before = await mail.snapshot(inbox)
    const change = { uids: everything, mode: 'add', flags: ['\\Seen', 'too-many'] } as const
    await expect(mail.updateFlags(inbox, change)).rejects.toEqual(refusal('limit'))
    expect(await mail.snapshot(inbox)).toEqual(before)
  })

  it('one more than there are places is no refusal where no message is to bear it', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await append(world, inbox, { flags: keywords(maxKeywords) })
    const change = { uids: UidSet.of(2), mode: 'add', flags: ['too-many'] } as const
    expect((await mail.updateFlags(inbox, change)).modified.isEmpty).toBe(true)
    const late = { ...change, uids: everything, unchangedSince: 0 as ModSeq }
    expect((await mail.updateFlags(inbox, late)).modified.toString()).toBe('1')
  })

  it('an unused one gives its place to a new one, the first one first', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await append(world, inbox, { flags: keywords(maxKeywords) }, {})
    await mail.updateFlags(inbox, { uids: UidSet.of(1), mode: 'remove', flags: ['k7', 'k5'] })
    await mail.updateFlags(inbox, { uids: UidSet.of(2), mode: 'add', flags: ['new'] })
    const places = await placesIn(world)
    expect([places[5], places[7], places.length]).toEqual(['new', 'k7', maxKeywords])
    expect((await flagsIn(world, inbox))[2]).toEqual(['new'])
    expect((await flagsIn(world, inbox))[1]).not.toContain('new')
  })

  it('an unused one keeps its place where it comes together with a new one', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await append(world, inbox, { flags: keywords(maxKeywords) }, {})
    await mail.updateFlags(inbox, { uids: UidSet.of(1), mode: 'remove', flags: ['k5', 'k7'] })
    await mail.updateFlags(inbox, { uids: UidSet.of(2), mode: 'add', flags: ['K5', 'new'] })
    expect((await flagsIn(world, inbox))[2]).toEqual(['k5', 'new'])
  })
}
