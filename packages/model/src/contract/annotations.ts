/** The contract of `Annotations` (RFC 5464). */
import { describe, expect } from 'vitest'
import { type AccountId, accountId, type MailboxId, type ModSeq, modSeq } from '../ids.ts'
import type { Annotated } from '../ports/annotations.ts'
import { annotationLimits } from '../rules/annotation-entry.ts'
import { cursor, inboxOf, type OpenEngine, refusal, type World, worldTest } from './engine.ts'

export function describeAnnotations(name: string, open: OpenEngine): void {
  describe(`${name}: Annotations`, () => {
    describe('values', () => describeValues(open))
    describe('renamed', () => describeRenamed(open))
    describe('changes', () => describeChanged(open))
    describe('limits', () => describeLimits(open))
  })
}

const nobody = 999_999 as MailboxId

async function read({ store }: World, of: Annotated, account: AccountId): Promise<Record<string, string>> {
  const found = await store.annotations.annotations(of, account)
  return Object.fromEntries(found.map(({ entry, value }) => [entry, value.toString('latin1')]))
}

async function set({ store }: World, of: Annotated, account: AccountId, values: Record<string, string | null>) {
  const changes = Object.entries(values).map(([entry, value]) => {
    return { entry, value: value === null ? null : Buffer.from(value, 'latin1') }
  })
  return store.annotations.annotate(of, account, changes)
}

function describeValues(open: OpenEngine): void {
  const it = worldTest(open)

  it('shared ones are for all, private ones for the account, in order of name', async (world) => {
    const { alice, bob } = world
    const inbox = await inboxOf(world)
    await set(world, inbox, alice, { '/shared/z': 'shared', '/private/comment': 'hers', '/private/a/b': '' })
    await set(world, inbox, bob, { '/private/comment': 'his', '/shared/a': '\0\xff\r\n' })
    expect(Object.entries(await read(world, inbox, alice))).toEqual([
      ['/private/a/b', ''],
      ['/private/comment', 'hers'],
      ['/shared/a', '\0\xff\r\n'],
      ['/shared/z', 'shared'],
    ])
    expect(Object.keys(await read(world, inbox, bob))).toEqual(['/private/comment', '/shared/a', '/shared/z'])
    expect((await read(world, inbox, bob))['/private/comment']).toBe('his')
  })

  it('are replaced, and taken away by null', async (world) => {
    const inbox = await inboxOf(world)
    await set(world, inbox, world.alice, { '/shared/a': '1', '/shared/b': '2' })
    await set(world, inbox, world.alice, { '/shared/a': '3', '/shared/b': null, '/shared/never': null })
    expect(await read(world, inbox, world.alice)).toEqual({ '/shared/a': '3' })
    await set(world, inbox, world.alice, { '/shared/b': '4' })
    expect(await read(world, inbox, world.alice)).toEqual({ '/shared/a': '3', '/shared/b': '4' })
  })

  it('of the server are apart', async (world) => {
    const { alice, bob } = world
    expect(await set(world, 'server', alice, { '/shared/comment': 'ours', '/private/x': 'hers' })).toBe(0)
    expect(await read(world, 'server', bob)).toEqual({ '/shared/comment': 'ours' })
    expect(await read(world, await inboxOf(world), alice)).toEqual({})
    await set(world, 'server', alice, { '/shared/comment': null })
    expect(await read(world, 'server', alice)).toEqual({ '/private/x': 'hers' })
  })

  it('stay with a mailbox that is renamed, go with one that is deleted, and with the account', async (world) => {
    const { mail, directory } = world.store
    const { alice, bob } = world
    const { id } = await mail.createMailbox(alice, 'a')
    await set(world, id, alice, { '/shared/x': '1' })
    await set(world, id, bob, { '/private/x': '2' })
    await set(world, 'server', bob, { '/private/x': '3' })
    await mail.renameMailbox(alice, 'a', 'b')
    expect(await read(world, id, bob)).toEqual({ '/shared/x': '1', '/private/x': '2' })
    await directory.removeAccount(bob, 5)
    await directory.purgeAccounts(6)
    expect(await read(world, id, bob)).toEqual({ '/shared/x': '1' })
    expect(await read(world, 'server', bob)).toEqual({})
    await mail.deleteMailbox(alice, 'b')
    expect(await read(world, id, alice)).toEqual({})
    expect(await read(world, (await mail.createMailbox(alice, 'b')).id, alice)).toEqual({})
  })

  it('refuse what is not there', async (world) => {
    await expect(set(world, nobody, world.alice, { '/shared/x': '' })).rejects.toEqual(refusal('no-such-mailbox'))
    const stranger = set(world, await inboxOf(world), accountId(999_999), { '/shared/x': '' })
    await expect(stranger).rejects.toEqual(refusal('no-such-account'))
    expect(await read(world, nobody, world.alice)).toEqual({})
  })
}

async function changed({ store }: World, id: MailboxId, account: AccountId, since: ModSeq): Promise<string[]> {
  return (await store.annotations.annotationsChanged(id, account, since)).map(({ entry }) => entry)
}

function describeRenamed(open: OpenEngine): void {
  const it = worldTest(open)

  it('RENAME of INBOX copies those shared and those of its owner, and leaves them with INBOX', async (world) => {
    const { alice, bob, store } = world
    const inbox = await inboxOf(world)
    await set(world, inbox, alice, { '/shared/x': '1', '/private/a': '2', '/shared/gone': '3' })
    await set(world, inbox, bob, { '/private/b': '4', '/shared/gone': null })
    await store.mail.renameMailbox(alice, 'INBOX', 'Old')
    const old = (await store.mail.mailboxByName(alice, 'Old'))!
    for (const mailbox of [inbox, old.id]) {
      expect(await read(world, mailbox, alice)).toEqual({ '/private/a': '2', '/shared/x': '1' })
    }
    expect(await read(world, old.id, bob)).toEqual({ '/shared/x': '1' })
    expect(await changed(world, old.id, alice, modSeq(0))).toEqual(['/private/a', '/shared/x'])
    expect(await store.annotations.annotationsChanged(old.id, alice, old.highestModSeq)).toEqual([])
  })

  it(
    'RENAME of INBOX is refused when the copies have no room',
    async (world) => {
      const { alice, store } = world
      await set(world, await inboxOf(world), alice, { '/shared/x': 'x'.repeat(60) })
      await expect(store.mail.renameMailbox(alice, 'INBOX', 'Old')).rejects.toEqual(refusal('limit'))
      expect(await store.mail.mailboxByName(alice, 'Old')).toBeUndefined()
    },
    { annotationOctetsPerAccount: 100 },
  )
}

function describeChanged(open: OpenEngine): void {
  const it = worldTest(open)

  it('raise the mailbox’s MODSEQ, and are told by name from it on', async (world) => {
    const { alice, bob } = world
    const inbox = await inboxOf(world)
    const first = await cursor(world, inbox)
    const second = await set(world, inbox, alice, { '/shared/a': '1', '/private/p': '2', '/shared/gone': '3' })
    expect(second).toBeGreaterThan(first)
    expect(await cursor(world, inbox)).toBe(second)
    await set(world, inbox, alice, { '/shared/gone': null, '/shared/never': null })
    expect(await changed(world, inbox, alice, first)).toEqual(['/private/p', '/shared/a', '/shared/gone'])
    expect(await changed(world, inbox, bob, first)).toEqual(['/shared/a', '/shared/gone'])
    expect(await world.store.annotations.annotationsChanged(inbox, bob, second)).toEqual([
      { entry: '/shared/gone', modSeq: await cursor(world, inbox) },
    ])
    expect(await changed(world, nobody, bob, first)).toEqual([])
  })

  it('nothing changed, nothing raised', async (world) => {
    const inbox = await inboxOf(world)
    const before = await cursor(world, inbox)
    expect(await set(world, inbox, world.alice, { '/shared/x': null })).toBe(before)
    expect(await set(world, inbox, world.alice, {})).toBe(before)
    expect(await cursor(world, inbox)).toBe(before)
  })

  it('wake who watches the owner', async (world) => {
    const inbox = await inboxOf(world)
    const woken: unknown[] = []
    using _watch = world.store.mail.watch(world.alice, (touched) => woken.push(touched && [...touched.keys()]))
    await set(world, inbox, world.bob, { '/shared/x': '1' })
    await expect.poll(() => woken).toEqual([[inbox]])
  })
}

function describeLimits(open: OpenEngine): void {
  const it = worldTest(open)
  const large = 'x'.repeat(annotationLimits.octets)

  it('a value of the largest size is taken, a larger one refused with all that came with it', async (world) => {
    const inbox = await inboxOf(world)
    await set(world, inbox, world.alice, { '/shared/x': large })
    const larger = set(world, inbox, world.alice, { '/shared/y': '', '/shared/x': `${large}x` })
    await expect(larger).rejects.toEqual(refusal('limit'))
    expect(await read(world, inbox, world.alice)).toEqual({ '/shared/x': large })
  })

  it(
    'each account has its own number of private ones, and there is one for the shared ones',
    async (world) => {
      const inbox = await inboxOf(world)
      await set(world, inbox, world.alice, { '/shared/a': '', '/shared/b': '', '/private/a': '', '/private/b': '' })
      await set(world, inbox, world.bob, { '/private/a': '', '/private/b': '' })
      for (const entry of ['/shared/c', '/private/c']) {
        await expect(set(world, inbox, world.alice, { [entry]: '' })).rejects.toEqual(refusal('limit'))
      }
      await set(world, inbox, world.alice, { '/shared/a': 'replaced' })
      const before = await cursor(world, inbox)
      for (const entry of ['/shared/c', '/shared/d', '/shared/e', '/shared/f']) {
        await set(world, inbox, world.alice, { '/shared/a': null, [entry]: '' })
        await set(world, inbox, world.alice, { [entry]: null })
      }
      expect(await read(world, inbox, world.bob)).toEqual({ '/private/a': '', '/private/b': '', '/shared/b': '' })
      // Of what was taken away, the newest names are remembered, as many as there can be annotations.
      expect(await changed(world, inbox, world.bob, before)).toEqual(['/shared/e', '/shared/f'])
    },
    { annotationsPerMailbox: 2 },
  )

  it(
    'all that an account owns is bounded: its private ones, and what is shared in its mailboxes',
    async (world) => {
      const { alice, bob } = world
      const inbox = await inboxOf(world)
      await set(world, inbox, bob, { '/shared/x': 'x'.repeat(60) })
      await set(world, 'server', alice, { '/private/x': 'x'.repeat(10) })
      // All of it: 100 octets, names and values.
      await set(world, inbox, bob, { '/shared/x': 'x'.repeat(71) })
      const more = { '/private/y': 'x'.repeat(20) }
      await expect(set(world, inbox, alice, more)).rejects.toEqual(refusal('limit'))
      await expect(set(world, 'server', alice, more)).rejects.toEqual(refusal('limit'))
      await expect(set(world, inbox, bob, { '/shared/x': 'x'.repeat(90) })).rejects.toEqual(refusal('limit'))
      await set(world, inbox, bob, more)
      await set(world, inbox, bob, { '/shared/x': null })
      await set(world, inbox, alice, more)
    },
    { annotationOctetsPerAccount: 100 },
  )
}
