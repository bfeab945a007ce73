/** The contract of mailboxes by name. */
import { describe, expect } from 'vitest'
import { accountId } from '../ids.ts'
import { newAccountMailboxes } from '../rules/account-mailboxes.ts'
import { UidSet } from '../uid-set.ts'
import type { OpenEngine, World } from './engine.ts'
import { append, everything, fetched, flagsIn, inboxOf, mailboxNamed, refusal, uidsIn, worldTest } from './engine.ts'

export function describeMailboxes(open: OpenEngine): void {
  describe('mailboxes', () => describeListing(open))
  describe('createMailbox', () => describeCreate(open))
  describe('renameMailbox', () => describeRename(open))
  describe('setSpecialUse', () => describeSpecialUse(open))
  describe('deleteMailbox', () => describeDelete(open))
  describe('subscriptions', () => describeSubscriptions(open))
}

async function names(world: World): Promise<string[]> {
  return (await world.store.mail.mailboxes(world.alice)).map((mailbox) => mailbox.name)
}

function describeListing(open: OpenEngine): void {
  const it = worldTest(open)

  it('a new account has INBOX and one mailbox for each common special use, all subscribed', async (world) => {
    const { store, alice } = world
    const all = await store.mail.mailboxes(alice)
    expect(all.map(({ name, specialUse }) => ({ name, specialUse }))).toEqual(
      newAccountMailboxes.map(({ name, specialUse = null }) => ({ name, specialUse })),
    )
    expect((await store.mail.subscriptions(alice)).sort()).toEqual(newAccountMailboxes.map(({ name }) => name).sort())
    const empty = { messages: 0, unseen: 0, deleted: 0, size: 0, uidNext: 1, recentUid: 1, keywords: [] }
    for (const mailbox of all) expect(mailbox).toMatchObject({ ...empty, account: alice })
    expect(new Set(all.map((mailbox) => mailbox.uidValidity)).size).toBe(all.length)
    for (const mailbox of all) expect(mailbox.highestModSeq).toBeGreaterThan(0)
  })

  it('one that another session deleted at once was told of as undefined', async ({ store, alice }) => {
    const creating = store.mail.createMailbox(alice, 'short')
    const deleting = store.mail.deleteMailbox(alice, 'short')
    const [made] = await Promise.allSettled([creating, deleting])
    if (made.status === 'fulfilled') expect(made.value).toMatchObject({ name: 'short', account: alice })
    else expect(made.reason).toEqual(refusal('no-such-mailbox'))
  })

  it('come in the order of their octets, INBOX first', async (world) => {
    for (const name of ['Äpfel', 'a/b', 'a', 'a-b', 'Z', '\u{1F4EE}', '\uFF21']) {
      await world.store.mail.createMailbox(world.alice, name)
    }
    expect(await names(world)).toEqual([
      'INBOX',
      'Archive',
      'Drafts',
      'Junk',
      'Sent',
      'Trash',
      'Z',
      'a',
      'a-b',
      'a/b',
      'Äpfel',
      '\uFF21',
      '\u{1F4EE}',
    ])
  })

  it('an unknown account has none, an unknown mailbox is undefined', async ({ store }) => {
    expect(await store.mail.mailboxes(accountId(999_999))).toEqual([])
    expect(await store.mail.mailbox(999_999 as never)).toBeUndefined()
  })
}

function describeCreate(open: OpenEngine): void {
  const it = worldTest(open)

  it('makes it without its superiors, with the special use', async (world) => {
    const made = await world.store.mail.createMailbox(world.alice, 'deep/down/here', '\\Flagged')
    expect(made).toMatchObject({ name: 'deep/down/here', specialUse: '\\Flagged', messages: 0, uidNext: 1 })
    expect(await names(world)).not.toContain('deep')
  })

  it('one deleted and made anew by name alone has its special use again, unless another has it', async (world) => {
    const { alice } = world
    const { mail } = world.store
    for (const name of ['Drafts', 'Trash', 'Sent']) await mail.deleteMailbox(alice, name)
    await mail.createMailbox(alice, 'Papierkorb', '\\Trash')
    expect((await mail.createMailbox(alice, 'Drafts')).specialUse).toBe('\\Drafts')
    expect((await mail.createMailbox(alice, 'Trash')).specialUse).toBeNull()
    expect((await mail.createMailbox(alice, 'Sent', '\\All')).specialUse).toBe('\\All')
    expect((await mail.createMailbox(alice, 'a/Sent')).specialUse).toBeNull()
  })

  it('refuses names that exist, in NFC and INBOX in any case', async ({ store, alice }) => {
    await store.mail.createMailbox(alice, 'Ärger')
    for (const name of ['Ärger', 'A\u0308rger', 'inBox', 'Junk']) {
      await expect(store.mail.createMailbox(alice, name)).rejects.toEqual(refusal('mailbox-exists'))
    }
    await store.mail.createMailbox(alice, 'junk')
  })

  it('refuses names that the rules forbid, an unknown account, and a special use that is taken', async (world) => {
    const { store, alice } = world
    for (const name of ['', 'a//b', '/a', 'a/', 'a*', 'a%b', '..', 'a\u0000b']) {
      await expect(store.mail.createMailbox(alice, name)).rejects.toEqual(refusal('mailbox-not-allowed'))
    }
    await expect(store.mail.createMailbox(accountId(999_999), 'x')).rejects.toEqual(refusal('no-such-account'))
    await expect(store.mail.createMailbox(alice, 'x', '\\Junk')).rejects.toEqual(refusal('exists'))
  })

  it(
    'refuses more mailboxes than the limit',
    async ({ store, alice, bob }) => {
      await store.mail.createMailbox(alice, 'seven')
      await expect(store.mail.createMailbox(alice, 'eight')).rejects.toEqual(refusal('limit'))
      await store.mail.createMailbox(bob, 'seven')
    },
    { mailboxesPerAccount: 7 },
  )

  it('a mailbox made anew has a higher UIDVALIDITY', async ({ store, alice }) => {
    const first = await store.mail.createMailbox(alice, 'again')
    await store.mail.deleteMailbox(alice, 'again')
    const second = await store.mail.createMailbox(alice, 'again')
    expect(second.uidValidity).toBeGreaterThan(first.uidValidity)
    expect(second.id).not.toBe(first.id)
  })

  it('no UIDVALIDITY is one of the store that was there before, whose data were deleted', async (world) => {
    const { store, clock, alice } = world
    const before = await store.mail.mailboxes(alice)
    const days = 86_400_000
    await clock.advance(days)
    const later = await store.directory.addAccount(
      { login: 'carol@one.test', name: '', quota: 0, admin: false },
      clock.now(),
    )
    const after = await store.mail.mailboxes(later.id)
    for (const { uidValidity } of before) expect(uidValidity).toBeGreaterThanOrEqual((clock.now() - days) / 1000)
    for (const { uidValidity } of after) expect(uidValidity).toBeGreaterThanOrEqual(clock.now() / 1000)
  })
}

function describeRename(open: OpenEngine): void {
  const it = worldTest(open)

  it('of a name that is no mailbox takes along what lies below it, and makes none', async (world) => {
    const { mail } = world.store
    for (const name of ['a', 'a/b', 'a/b/c', 'x']) await mail.createMailbox(world.alice, name)
    await mail.deleteMailbox(world.alice, 'a')
    await expect(mail.renameMailbox(world.alice, 'a', 'x')).rejects.toEqual(refusal('mailbox-exists'))
    await expect(mail.renameMailbox(world.alice, 'a', 'a/y')).rejects.toEqual(refusal('mailbox-not-allowed'))
    await mail.renameMailbox(world.alice, 'a', 'y')
    expect((await names(world)).slice(6)).toEqual(['x', 'y/b', 'y/b/c'])
    await expect(mail.renameMailbox(world.alice, 'a', 'z')).rejects.toEqual(refusal('no-such-mailbox'))
  })

  it('takes the inferiors along and keeps ids, UIDVALIDITY, messages and special use', async (world) => {
    const { store, alice } = world
    const { mail } = store
    for (const name of ['a', 'a/b', 'a/b/c', 'ab']) await mail.createMailbox(alice, name)
    const before = await mailboxNamed(world, alice, 'a/b')
    await append(world, before.id, { flags: ['$k'] })
    await mail.renameMailbox(alice, 'a', 'x/y')
    expect((await names(world)).slice(6)).toEqual(['ab', 'x/y', 'x/y/b', 'x/y/b/c'])
    const after = await mailboxNamed(world, alice, 'x/y/b')
    expect(after).toMatchObject({ id: before.id, uidValidity: before.uidValidity, messages: 1, keywords: ['$k'] })
    await mail.renameMailbox(alice, 'Junk', 'Rubbish')
    expect((await mailboxNamed(world, alice, 'Rubbish')).specialUse).toBe('\\Junk')
  })

  it('refuses what is missing, taken, forbidden, or below itself', async ({ store, alice }) => {
    const { mail } = store
    for (const name of ['a', 'a/b', 'c', 'c/b']) await mail.createMailbox(alice, name)
    const cases = [
      ['missing', 'x', 'no-such-mailbox'],
      ['a', 'Junk', 'mailbox-exists'],
      ['a', 'a', 'mailbox-exists'],
      ['a', 'inbox', 'mailbox-exists'],
      ['a', 'x//y', 'mailbox-not-allowed'],
      ['a', 'a/b/d', 'mailbox-not-allowed'],
    ] as const
    for (const [from, to, reason] of cases) {
      await expect(mail.renameMailbox(alice, from, to)).rejects.toEqual(refusal(reason))
    }
  })

  it('refuses as a whole when the new name of an inferior is taken or too long', async (world) => {
    const { mail } = world.store
    const { alice } = world
    for (const name of ['a', 'a/b', 'x/b', `a/${'l'.repeat(990)}`]) await mail.createMailbox(alice, name)
    const before = await names(world)
    await expect(mail.renameMailbox(alice, 'a', 'x')).rejects.toEqual(refusal('mailbox-exists'))
    await expect(mail.renameMailbox(alice, 'a', 'a-longer-name')).rejects.toEqual(refusal('mailbox-not-allowed'))
    expect(await names(world)).toEqual(before)
  })

  it('of INBOX moves its messages to a new mailbox and leaves its inferiors', async (world) => {
    const { store, alice, clock } = world
    const inbox = await mailboxNamed(world, alice, 'INBOX')
    await store.mail.createMailbox(alice, 'INBOX/sub')
    const internalDate = { at: 12_345_000, offsetMinutes: 60 }
    await append(world, inbox.id, {}, { flags: ['$kept', '\\Seen'], internalDate }, {})
    await store.mail.expunge(inbox.id, UidSet.of(1), 'all')
    await clock.advance(5000)
    await store.mail.renameMailbox(alice, 'inbox', 'Old mail')
    const after = await mailboxNamed(world, alice, 'INBOX')
    expect(after).toMatchObject({ id: inbox.id, uidValidity: inbox.uidValidity, messages: 0, uidNext: 4 })
    expect(await names(world)).toContain('INBOX/sub')
    const old = await mailboxNamed(world, alice, 'Old mail')
    expect(await flagsIn(world, old.id)).toEqual({ 1: ['$kept', '\\Seen'], 2: [] })
    expect((await fetched(world, old.id))[0]).toMatchObject({ internalDate, savedAt: clock.now() })
    const changes = await store.mail.changesSince(inbox.id, inbox.highestModSeq)
    expect(changes.vanished.toString()).toBe('1:3')
  })

  it('of INBOX below INBOX is allowed', async (world) => {
    await append(world, await inboxOf(world), {})
    await world.store.mail.renameMailbox(world.alice, 'INBOX', 'INBOX/2025')
    expect((await mailboxNamed(world, world.alice, 'INBOX/2025')).messages).toBe(1)
  })
}

function describeSpecialUse(open: OpenEngine): void {
  const it = worldTest(open)

  it('gives a special use, takes it away, and leaves each to one mailbox', async (world) => {
    const { alice, store } = world
    const useOf = async (name: string) => (await mailboxNamed(world, alice, name)).specialUse
    const rubbish = await store.mail.createMailbox(alice, 'Rubbish')
    const taken = store.mail.setSpecialUse(alice, 'Rubbish', '\\Junk')
    await expect(taken).rejects.toEqual(refusal('exists'))
    await store.mail.setSpecialUse(alice, 'Junk', '\\Junk')
    expect([await useOf('Rubbish'), await useOf('Junk')]).toEqual([null, '\\Junk'])
    await store.mail.setSpecialUse(alice, 'Junk', null)
    await store.mail.setSpecialUse(alice, 'Rubbish', '\\Junk')
    expect([await useOf('Rubbish'), await useOf('Junk')]).toEqual(['\\Junk', null])
    expect(await mailboxNamed(world, alice, 'Rubbish')).toEqual({ ...rubbish, specialUse: '\\Junk' })
    // Another account's are its own affair.
    await store.mail.setSpecialUse(world.bob, 'Archive', '\\All')
  })

  it('is not for INBOX, nor for what is not there', async (world) => {
    const { mail } = world.store
    const inbox = mail.setSpecialUse(world.alice, 'INBOX', '\\All')
    await expect(inbox).rejects.toEqual(refusal('mailbox-not-allowed'))
    await expect(mail.setSpecialUse(world.alice, 'none', null)).rejects.toEqual(refusal('no-such-mailbox'))
  })
}

function describeDelete(open: OpenEngine): void {
  const it = worldTest(open)

  it('leaves the inferiors and the other mailboxes', async (world) => {
    const { mail } = world.store
    for (const name of ['a', 'a/b']) await mail.createMailbox(world.alice, name)
    const gone = await mailboxNamed(world, world.alice, 'a')
    await append(world, gone.id, {})
    await mail.deleteMailbox(world.alice, 'a')
    expect((await names(world)).slice(6)).toEqual(['a/b'])
    expect(await mail.mailbox(gone.id)).toBeUndefined()
  })

  it('refuses INBOX and what is missing', async ({ store, alice }) => {
    await expect(store.mail.deleteMailbox(alice, 'inbox')).rejects.toEqual(refusal('mailbox-not-allowed'))
    await expect(store.mail.deleteMailbox(alice, 'missing')).rejects.toEqual(refusal('no-such-mailbox'))
  })

  it('a deleted mailbox can not be opened, and says so to who has it open', async (world) => {
    const { mail } = world.store
    const { id, highestModSeq } = await mail.createMailbox(world.alice, 'a')
    await append(world, id, {})
    const [row] = await fetched(world, id)
    await mail.deleteMailbox(world.alice, 'a')
    const changes = await mail.changesSince(id, highestModSeq)
    expect(changes.deleted).toBe(true)
    expect([...changes.uids]).toEqual([])
    await expect(mail.snapshot(id)).rejects.toEqual(refusal('no-such-mailbox'))
    await expect(fetched(world, id)).rejects.toEqual(refusal('no-such-mailbox'))
    await expect(mail.search(id, { key: 'all' }, everything)).rejects.toEqual(refusal('no-such-mailbox'))
    await expect(mail.expunge(id, everything, 'all')).rejects.toEqual(refusal('no-such-mailbox'))
    await expect(mail.claimRecent(id)).rejects.toEqual(refusal('no-such-mailbox'))
    expect(await mail.message(row!.message)).toBeUndefined()
  })

  it('frees its special use', async (world) => {
    await world.store.mail.deleteMailbox(world.alice, 'Sent')
    await world.store.mail.createMailbox(world.alice, 'Gesendet', '\\Sent')
    expect(await uidsIn(world, (await mailboxNamed(world, world.alice, 'Gesendet')).id)).toEqual([])
  })
}

function describeSubscriptions(open: OpenEngine): void {
  const it = worldTest(open)

  it('are names, of mailboxes or not, once each, in order', async ({ store, alice, bob }) => {
    const { mail } = store
    for (const name of ['zzz', 'not there', 'not there', 'inbox']) await mail.subscribe(alice, name, true)
    for (const { name } of newAccountMailboxes) await mail.subscribe(alice, name, name === 'INBOX')
    expect(await mail.subscriptions(alice)).toEqual(['INBOX', 'not there', 'zzz'])
    await mail.subscribe(alice, 'never was', false)
    expect(await mail.subscriptions(bob)).toHaveLength(newAccountMailboxes.length)
  })

  it(
    'are no more than the limit',
    async ({ store: { mail }, alice, bob }) => {
      for (const name of ['INBOX', 'Junk', 'seven']) await mail.subscribe(alice, name, true)
      await expect(mail.subscribe(alice, 'eight', true)).rejects.toEqual(refusal('limit'))
      await mail.subscribe(alice, 'seven', true)
      await mail.subscribe(alice, 'Junk', false)
      await mail.subscribe(alice, 'eight', true)
      await mail.subscribe(bob, 'seven', true)
    },
    { subscriptionsPerAccount: 7 },
  )

  it('survive rename and delete', async ({ store, alice }) => {
    const before = await store.mail.subscriptions(alice)
    await store.mail.renameMailbox(alice, 'Junk', 'Rubbish')
    await store.mail.deleteMailbox(alice, 'Sent')
    expect(await store.mail.subscriptions(alice)).toEqual(before)
  })

  it('refuse forbidden names and unknown accounts', async ({ store, alice }) => {
    await expect(store.mail.subscribe(alice, 'a//b', true)).rejects.toEqual(refusal('mailbox-not-allowed'))
    await expect(store.mail.subscribe(accountId(999_999), 'a', true)).rejects.toEqual(refusal('no-such-account'))
  })
}
