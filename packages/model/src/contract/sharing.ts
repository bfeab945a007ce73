/** The contract of `Sharing`: who may do what with mailboxes of others. */
import { describe, expect } from 'vitest'
import { type AccountId, accountId, type MailboxId } from '../ids.ts'
import type { AclChange } from '../ports/sharing.ts'
import { allRights, type Rights } from '../rules/rights.ts'
import { append, cursor, inboxOf, type OpenEngine, refusal, type World, worldTest } from './engine.ts'

export function describeSharing(name: string, open: OpenEngine): void {
  describe(`${name}: Sharing`, () => {
    describe('access control lists', () => describeAcl(open))
    describe('what is shared with an account', () => describeShared(open))
    describe('lists and their mailboxes', () => describeLife(open))
  })
}

const nobody = 999_999 as MailboxId

const give = (grantee: AclChange['grantee'], rights: Rights, more: Partial<AclChange> = {}): AclChange => {
  return { grantee, negative: false, mode: 'replace', rights, ...more }
}

function describeAcl(open: OpenEngine): void {
  const it = worldTest(open)

  it('are empty at first: all is the owner’s and nothing anybody else’s', async (world) => {
    const { sharing } = world.store
    const inbox = await inboxOf(world)
    expect(await sharing.acl(inbox)).toEqual([])
    expect(await sharing.rights(inbox, world.alice)).toBe(allRights)
    expect(await sharing.rights(inbox, world.bob)).toBe('')
    expect(await sharing.rights(nobody, world.bob)).toBe('')
    expect(await sharing.rights(inbox, accountId(999_999))).toBe('')
  })

  it('say what each account has, for anyone first, and what is taken', async (world) => {
    const { sharing } = world.store
    const inbox = await inboxOf(world)
    await sharing.setAcl(inbox, give(world.bob, 'w', { negative: true }))
    await sharing.setAcl(inbox, give(world.bob, 'lrsw'))
    await sharing.setAcl(inbox, give('anyone', 'lri'))
    expect(await sharing.acl(inbox)).toEqual([
      { grantee: 'anyone', negative: false, rights: 'lri' },
      { grantee: world.bob, negative: false, rights: 'lrsw' },
      { grantee: world.bob, negative: true, rights: 'w' },
    ])
    expect(await sharing.rights(inbox, world.bob)).toBe('lrsi')
    expect(await sharing.rights(inbox, world.alice)).toBe(allRights)
  })

  it('change by replacing, adding and removing; an entry without rights is gone', async (world) => {
    const { sharing } = world.store
    const inbox = await inboxOf(world)
    await sharing.setAcl(inbox, give(world.bob, 'rl', { mode: 'add', rights: 'lr' }))
    await sharing.setAcl(inbox, give(world.bob, 'is', { mode: 'add', rights: 'si' }))
    expect(await sharing.rights(inbox, world.bob)).toBe('lrsi')
    await sharing.setAcl(inbox, give(world.bob, 'ra', { mode: 'remove' }))
    expect(await sharing.rights(inbox, world.bob)).toBe('lsi')
    await sharing.setAcl(inbox, give(world.bob, 'r'))
    expect(await sharing.rights(inbox, world.bob)).toBe('r')
    await sharing.setAcl(inbox, give(world.bob, allRights, { mode: 'remove' }))
    await sharing.setAcl(inbox, give('anyone', '', { negative: true }))
    expect(await sharing.acl(inbox)).toEqual([])
  })

  it('refuse the owner, and mailboxes and accounts that are not there', async (world) => {
    const { sharing } = world.store
    const inbox = await inboxOf(world)
    await expect(sharing.setAcl(inbox, give(world.alice, 'lr'))).rejects.toEqual(refusal('mailbox-not-allowed'))
    await expect(sharing.setAcl(nobody, give(world.bob, 'lr'))).rejects.toEqual(refusal('no-such-mailbox'))
    await expect(sharing.acl(nobody)).rejects.toEqual(refusal('no-such-mailbox'))
    const stranger = sharing.setAcl(inbox, give(accountId(999_999), 'lr'))
    await expect(stranger).rejects.toEqual(refusal('no-such-account'))
    expect(await sharing.acl(inbox)).toEqual([])
  })

  it(
    'have as many entries as the limit allows',
    async (world) => {
      const { sharing } = world.store
      const inbox = await inboxOf(world)
      await sharing.setAcl(inbox, give(world.bob, 'lr'))
      await sharing.setAcl(inbox, give('anyone', 'l'))
      const third = sharing.setAcl(inbox, give('anyone', 's', { negative: true }))
      await expect(third).rejects.toEqual(refusal('limit'))
      await sharing.setAcl(inbox, give('anyone', 's', { negative: true, mode: 'remove' }))
      await sharing.setAcl(inbox, give('anyone', 'lr'))
      await sharing.setAcl(inbox, give('anyone', ''))
      await sharing.setAcl(inbox, give('anyone', 's', { negative: true }))
    },
    { aclEntriesPerMailbox: 2 },
  )

  it('wake who watches the owner, and who is named', async (world) => {
    const { mail, sharing } = world.store
    const inbox = await inboxOf(world)
    const woken: unknown[] = []
    using _owner = mail.watch(world.alice, (touched) => woken.push('alice', touched))
    using _named = mail.watch(world.bob, (touched) => woken.push('bob', touched))
    await sharing.setAcl(inbox, give(world.bob, 'lr'))
    await expect.poll(() => woken).toEqual(['alice', undefined, 'bob', undefined])
  })
}

async function shared({ store }: World, account: AccountId): Promise<string[]> {
  const found = await store.sharing.sharedWith(account)
  return found.map(({ mailbox, owner, rights }) => `${owner} ${mailbox.name} ${rights}`)
}

function describeShared(open: OpenEngine): void {
  const it = worldTest(open)

  it('is nothing at first, and never what is its own', async (world) => {
    const { sharing } = world.store
    expect(await sharing.sharedWith(world.bob)).toEqual([])
    await sharing.setAcl(await inboxOf(world), give('anyone', 'lr'))
    expect(await sharing.sharedWith(world.alice)).toEqual([])
    expect(await shared(world, world.bob)).toEqual(['alice@one.test INBOX lr'])
    expect(await sharing.sharedWith(accountId(999_999))).toHaveLength(1)
  })

  it('comes by owner, INBOX first, each mailbox once, with what is left of the rights', async (world) => {
    const { mail, sharing, directory } = world.store
    const carol = await directory.addAccount({ login: 'a@two.test', name: '', quota: 0, admin: false }, 0)
    for (const name of ['b', 'a', 'none', 'B']) await mail.createMailbox(world.alice, name)
    for (const { id, name } of await mail.mailboxes(world.alice)) {
      if (name === 'none') await sharing.setAcl(id, give(world.bob, 'lr', { negative: true }))
      else if (name.length === 1) await sharing.setAcl(id, give('anyone', 'lr'))
      if (name === 'a') await sharing.setAcl(id, give(world.bob, 'i'))
    }
    await sharing.setAcl(await inboxOf(world), give(world.bob, 'l'))
    await sharing.setAcl(await inboxOf(world, carol.id), give(world.bob, 'p'))
    expect(await shared(world, world.bob)).toEqual([
      'a@two.test INBOX p',
      'alice@one.test INBOX l',
      'alice@one.test B lr',
      'alice@one.test a lri',
      'alice@one.test b lr',
    ])
  })

  it('does not come from accounts that were removed, until they are restored', async (world) => {
    const { sharing, directory } = world.store
    const inbox = await inboxOf(world)
    await sharing.setAcl(inbox, give(world.bob, 'lr'))
    await directory.removeAccount(world.alice, 5)
    expect(await shared(world, world.bob)).toEqual([])
    expect(await sharing.rights(inbox, world.bob)).toBe('')
    await directory.restoreAccount(world.alice)
    expect(await sharing.rights(inbox, world.bob)).toBe('lr')
    await directory.updateAccount(world.alice, { suspended: true })
    expect(await shared(world, world.bob)).toEqual(['alice@one.test INBOX lr'])
  })
}

function describeLife(open: OpenEngine): void {
  const it = worldTest(open)

  it('a new mailbox begins with the entries of its nearest superior', async (world) => {
    const { mail, sharing } = world.store
    const a = await mail.createMailbox(world.alice, 'a')
    await sharing.setAcl(a.id, give(world.bob, 'lrk'))
    const deep = await mail.createMailbox(world.alice, 'a/b/c')
    const beside = await mail.createMailbox(world.alice, 'ab')
    expect(await sharing.acl(deep.id)).toEqual(await sharing.acl(a.id))
    expect(await sharing.acl(beside.id)).toEqual([])
    await sharing.setAcl(a.id, give(world.bob, ''))
    expect(await sharing.rights(deep.id, world.bob)).toBe('lrk')
    await sharing.setAcl(a.id, give('anyone', 'l'))
    const deeper = await mail.createMailbox(world.alice, 'a/b/c/d')
    expect(await sharing.acl(deeper.id)).toEqual(await sharing.acl(deep.id))
  })

  it('stay with a mailbox that is renamed, go with one that is deleted', async (world) => {
    const { mail, sharing } = world.store
    const a = await mail.createMailbox(world.alice, 'a')
    await sharing.setAcl(a.id, give(world.bob, 'lr'))
    await mail.renameMailbox(world.alice, 'a', 'z')
    expect(await shared(world, world.bob)).toEqual(['alice@one.test z lr'])
    await mail.deleteMailbox(world.alice, 'z')
    const again = await mail.createMailbox(world.alice, 'z')
    expect(await sharing.acl(again.id)).toEqual([])
    expect(await sharing.rights(a.id, world.bob)).toBe('')
  })

  it('go with the account that they are for', async (world) => {
    const { sharing, directory } = world.store
    const inbox = await inboxOf(world)
    await sharing.setAcl(inbox, give(world.bob, 'lr'))
    await sharing.setAcl(inbox, give('anyone', 'l'))
    await directory.removeAccount(world.bob, 5)
    await directory.purgeAccounts(6)
    expect(await sharing.acl(inbox)).toEqual([{ grantee: 'anyone', negative: false, rights: 'l' }])
  })

  it('open nothing while the owner is removed, of which who looks in is woken', async (world) => {
    const { mail, sharing, directory } = world.store
    const inbox = await inboxOf(world)
    await sharing.setAcl(inbox, give(world.bob, 'lr'))
    const since = await cursor(world, inbox)
    const isOpen = async () => !(await mail.changesSince(inbox, since, world.bob)).deleted
    const woken: unknown[] = []
    using _watch = mail.watch(world.alice, (touched) => woken.push(touched))
    await directory.removeAccount(world.alice, 5)
    await expect.poll(() => woken).toEqual([undefined])
    expect(await isOpen()).toBe(false)
    await directory.restoreAccount(world.alice)
    await expect.poll(() => woken).toEqual([undefined, undefined])
    expect(await isOpen()).toBe(true)
  })

  it('no mailbox of one’s own is called as those of others are', async (world) => {
    const { mail } = world.store
    for (const name of ['Other Users', 'Other Users/bob@two.test/INBOX']) {
      await expect(mail.createMailbox(world.alice, name)).rejects.toEqual(refusal('mailbox-not-allowed'))
      await expect(mail.renameMailbox(world.alice, 'Junk', name)).rejects.toEqual(refusal('mailbox-not-allowed'))
      await mail.subscribe(world.alice, name, true)
    }
    await mail.createMailbox(world.alice, 'other users')
  })

  it('who may not read a mailbox is told that it is gone, and so when the right is taken', async (world) => {
    const { mail, sharing } = world.store
    const inbox = await inboxOf(world)
    await append(world, inbox, {})
    const since = await cursor(world, inbox)
    expect((await mail.changesSince(inbox, since, world.bob)).deleted).toBe(true)
    await sharing.setAcl(inbox, give(world.bob, 'lr'))
    expect((await mail.changesSince(inbox, since, world.bob)).deleted).toBe(false)
    await sharing.setAcl(inbox, give(world.bob, 'r', { mode: 'remove' }))
    expect((await mail.changesSince(inbox, since, world.bob)).deleted).toBe(true)
    expect((await mail.changesSince(inbox, since, world.alice)).deleted).toBe(false)
  })
}
