/** The contract of `Directory`. */
import { describe, expect } from 'vitest'
import { type AccountId, accountId } from '../ids.ts'
import type { Directory, Domain, NewDomain } from '../ports/directory.ts'
import { newAccountMailboxes } from '../rules/account-mailboxes.ts'
import { accept, append, entry, filing, inboxOf, type OpenEngine, refusal, type World, worldTest } from './engine.ts'

export function describeDirectory(name: string, open: OpenEngine): void {
  describe(`${name}: Directory`, () => {
    describe('domains', () => describeDomains(open))
    describe('accounts', () => describeAccounts(open))
    describe('removal of accounts', () => describeRemoval(open))
    describe('aliases', () => describeAliases(open))
    describe('grants', () => describeGrants(open))
    describe('version', () => describeVersion(open))
  })
}

const nobody = accountId(999_999)
const local = (name: string): Domain => ({ name, kind: 'local', target: '', catchAll: '', verifyRecipients: false })
const named = (login: string) => ({ login, name: 'N.', quota: 5000, admin: true })

function describeDomains(open: OpenEngine): void {
  const it = worldTest(open)

  it('are found as they were added, in order of name', async ({ store: { directory } }) => {
    const relay: Domain = { ...local('a.test'), kind: 'relay', target: 'next.test:2525', verifyRecipients: true }
    const added: NewDomain = { name: 'z.test', kind: 'alias', target: 'one.test', catchAll: 'all@one.test' }
    const alias: Domain = { ...added, verifyRecipients: false }
    await directory.addDomain(added)
    await directory.addDomain(relay)
    expect(await directory.domains()).toEqual([relay, local('one.test'), local('two.test'), alias])
    expect(await directory.domain('z.test')).toEqual(alias)
    expect(await directory.domain('none.test')).toBeUndefined()
    await expect(directory.addDomain(local('z.test'))).rejects.toEqual(refusal('exists'))
    expect(await directory.domain('z.test')).toEqual(alias)
  })

  it('change field by field', async ({ store: { directory } }) => {
    await directory.updateDomain('one.test', { catchAll: 'alice@one.test' })
    expect(await directory.domain('one.test')).toEqual({ ...local('one.test'), catchAll: 'alice@one.test' })
    await directory.updateDomain('one.test', { kind: 'relay', target: 'host.test' })
    expect(await directory.domain('one.test')).toMatchObject({ kind: 'relay', target: 'host.test' })
    await directory.updateDomain('one.test', { verifyRecipients: true })
    await directory.updateDomain('one.test', { target: 'other.test' })
    expect(await directory.domain('one.test')).toMatchObject({ target: 'other.test', verifyRecipients: true })
    await directory.updateDomain('one.test', { verifyRecipients: false })
    expect((await directory.domain('one.test'))?.verifyRecipients).toBe(false)
    await expect(directory.updateDomain('none.test', {})).rejects.toEqual(refusal('no-such-domain'))
  })

  it('go only when no account or alias is in them', async ({ store: { directory }, alice, clock }) => {
    await directory.addDomain(local('free.test'))
    await directory.putAlias({ address: 'a@free.test', targets: ['alice@one.test'] })
    await expect(directory.removeDomain('free.test')).rejects.toEqual(refusal('exists'))
    await directory.removeAlias('a@free.test')
    await directory.removeDomain('free.test')
    expect(await directory.domain('free.test')).toBeUndefined()
    await expect(directory.removeDomain('free.test')).rejects.toEqual(refusal('no-such-domain'))
    await directory.removeAccount(alice, clock.now())
    await expect(directory.removeDomain('one.test')).rejects.toEqual(refusal('exists'))
  })
}

function describeAccounts(open: OpenEngine): void {
  const it = worldTest(open)

  it('are found by id and login, listed in order of login', async ({ store: { directory }, clock, alice }) => {
    const made = await directory.addAccount(named('zoe@one.test'), clock.now())
    const expected = {
      ...named('zoe@one.test'),
      suspended: false,
      copySent: false,
      createdAt: clock.now(),
      disabledCapabilities: [],
      removedAt: null,
    }
    expect(made).toEqual({ ...expected, id: made.id })
    expect(await directory.account(made.id)).toEqual(made)
    expect(await directory.accountByLogin('zoe@one.test')).toEqual(made)
    expect((await directory.accountByLogin('alice@one.test'))?.id).toBe(alice)
    expect(await directory.accountByLogin('none@one.test')).toBeUndefined()
    expect(await directory.account(nobody)).toBeUndefined()
    const logins = async (domain?: string) => (await directory.accounts(domain)).map((account) => account.login)
    expect(await logins()).toEqual(['alice@one.test', 'bob@two.test', 'zoe@one.test'])
    expect(await logins('one.test')).toEqual(['alice@one.test', 'zoe@one.test'])
    expect(await logins('none.test')).toEqual([])
  })

  it('are led by the first administrator, or else by the first that is there', async ({
    store: { directory },
    clock,
    alice,
    bob,
  }) => {
    const first = async () => (await directory.firstAdministrator())?.login
    expect(await first()).toBe('alice@one.test')
    await directory.updateAccount(bob, { admin: true })
    await directory.addAccount({ ...named('zoe@one.test'), admin: true }, clock.now())
    expect(await first()).toBe('bob@two.test')
    await directory.removeAccount(bob, clock.now())
    expect(await first()).toBe('zoe@one.test')
    await directory.updateAccount((await directory.accountByLogin('zoe@one.test'))!.id, { admin: false })
    expect(await first()).toBe('alice@one.test')
    await directory.removeAccount(alice, clock.now())
    expect(await first()).toBe('zoe@one.test')
  })

  it('took over postmaster from those before them by a name that is sorted first', async ({
    store: { directory },
    clock,
    alice,
  }) => {
    const first = async () => (await directory.firstAdministrator())?.login
    await directory.addAccount({ ...named('aaron@one.test'), admin: false }, clock.now())
    expect((await directory.firstAdministrator())?.id).toBe(alice)
    await directory.addAccount(named('zoe@one.test'), clock.now())
    await directory.addAccount(named('abel@one.test'), clock.now())
    expect(await first()).toBe('zoe@one.test')
  })

  it(
    'are made whole, though their mailboxes are more than an account can make',
    async ({ store, clock }) => {
      const made = await store.directory.addAccount(named('zoe@one.test'), clock.now())
      expect(await store.mail.mailboxes(made.id)).toHaveLength(newAccountMailboxes.length)
      await expect(store.mail.createMailbox(made.id, 'a')).rejects.toEqual(refusal('limit'))
    },
    { mailboxesPerAccount: 2 },
  )

  it('are made with their password in one step', async ({ store: { directory, credentials }, clock }) => {
    const before = credentials.version
    const made = await directory.addAccount({ ...named('zoe@one.test'), verifier: '$2b$zoe' }, clock.now())
    expect(made).not.toHaveProperty('verifier')
    expect(await directory.account(made.id)).toEqual(made)
    const expected = { account: made.id, kind: 'password', verifier: '$2b$zoe', createdAt: clock.now() }
    expect(await credentials.list(made.id)).toMatchObject([expected])
    expect(credentials.version).toBeGreaterThan(before)
    const without = await directory.addAccount(named('adam@one.test'), clock.now())
    expect(await credentials.list(without.id)).toEqual([])
  })

  it('refuse a login that is taken, or whose domain is no local one', async ({ store: { directory }, clock }) => {
    await directory.putAlias({ address: 'sales@one.test', targets: ['alice@one.test'] })
    await directory.addDomain({ name: 'r.test', kind: 'relay', target: 'h.test', catchAll: '' })
    const cases = [
      ['alice@one.test', 'exists'],
      ['sales@one.test', 'exists'],
      ['x@none.test', 'no-such-domain'],
      ['x@r.test', 'no-such-domain'],
    ] as const
    for (const [login, reason] of cases) {
      await expect(directory.addAccount(named(login), clock.now())).rejects.toEqual(refusal(reason))
    }
    expect(await directory.accounts()).toHaveLength(2)
  })

  it('change field by field', async ({ store: { directory }, alice }) => {
    const before = await directory.account(alice)
    const change = {
      name: 'Alice',
      quota: 7,
      suspended: true,
      admin: true,
      copySent: true,
      disabledCapabilities: ['MOVE', 'ACL'],
    }
    expect(await directory.updateAccount(alice, change)).toEqual({ ...before, ...change })
    expect(await directory.updateAccount(alice, { suspended: false })).toEqual({
      ...before,
      ...change,
      suspended: false,
    })
    expect(await directory.account(alice)).toEqual({ ...before, ...change, suspended: false })
    await expect(directory.updateAccount(nobody, {})).rejects.toEqual(refusal('no-such-account'))
  })

  it('a suspended account still gets mail', async (world) => {
    await world.store.directory.updateAccount(world.alice, { suspended: true })
    expect((await accept(world, { filings: [filing(world.alice)] })).filed).toHaveLength(1)
  })

  it('usage is what all copies take', async (world) => {
    const { directory, mail } = world.store
    const text = 'Subject: x\r\n\r\nbody\r\n'
    await append(world, await inboxOf(world), { text }, { text })
    const { filed } = await accept(world, { text, trace: '', filings: [filing(world.alice, 'Sent')] })
    const delivery = filing(world.alice).delivery.length
    expect(await directory.usage(world.alice)).toEqual({ octets: text.length * 3 + delivery, messages: 3 })
    await mail.deleteMailbox(world.alice, 'Sent')
    expect(await directory.usage(world.alice)).toEqual({ octets: text.length * 2, messages: 2 })
    expect(filed).toHaveLength(1)
    await expect(directory.usage(nobody)).rejects.toEqual(refusal('no-such-account'))
  })
}

function describeRemoval(open: OpenEngine): void {
  const it = worldTest(open)

  it('can be undone: mail, mailboxes and credentials are as before', async (world) => {
    const { store, clock, alice } = world
    const inbox = await inboxOf(world)
    await append(world, inbox, { flags: ['$k'] })
    await store.credentials.setPassword(alice, 'v', clock.now())
    const before = await store.directory.account(alice)
    await store.directory.removeAccount(alice, clock.now())
    expect(await store.directory.account(alice)).toEqual({ ...before, removedAt: clock.now() })
    expect((await store.directory.accountByLogin('alice@one.test'))?.removedAt).toBe(clock.now())
    expect((await store.directory.accounts()).map((account) => account.id)).toContain(alice)
    await store.directory.restoreAccount(alice)
    expect(await store.directory.account(alice)).toEqual(before)
    expect((await store.mail.mailbox(inbox))?.messages).toBe(1)
    expect(await store.credentials.list(alice)).toHaveLength(1)
  })

  it('keeps the login taken', async ({ store: { directory }, clock, alice }) => {
    await directory.removeAccount(alice, clock.now())
    await expect(directory.addAccount(named('alice@one.test'), clock.now())).rejects.toEqual(refusal('exists'))
  })

  it('purge ends what was removed before, with all that it had, and nothing else', async (world) => {
    const { store, clock, alice, bob } = world
    const { directory } = store
    const inbox = await inboxOf(world)
    const { queued } = await accept(world, { filings: [filing(alice), filing(bob)], queue: [entry('three.test')] })
    await store.credentials.addAppPassword(alice, { label: 'x', scope: [], verifier: 'v' }, clock.now())
    await directory.grantSendAs(alice, 'x@one.test')
    await directory.removeAccount(alice, clock.now())
    expect(await directory.purgeAccounts(clock.now())).toBe(0)
    expect(await directory.purgeAccounts(clock.now() + 1)).toBe(1)
    expect(await directory.purgeAccounts(clock.now() + 1)).toBe(0)
    expect(await directory.account(alice)).toBeUndefined()
    expect(await store.mail.mailbox(inbox)).toBeUndefined()
    expect(await store.mail.mailboxes(alice)).toEqual([])
    expect(await store.credentials.findAppPassword('v')).toBeUndefined()
    expect(await store.credentials.list(alice)).toEqual([])
    expect((await directory.usage(bob)).messages).toBe(1)
    expect(await store.mail.message((await store.queue.get(queued[0]!))!.message)).toBeDefined()
    const anew = await directory.addAccount(named('alice@one.test'), clock.now())
    expect(anew.id).not.toBe(alice)
  })

  it('refuses accounts that are not there', async ({ store: { directory } }) => {
    await expect(directory.removeAccount(nobody, 0)).rejects.toEqual(refusal('no-such-account'))
    await expect(directory.restoreAccount(nobody)).rejects.toEqual(refusal('no-such-account'))
  })
}

function describeAliases(open: OpenEngine): void {
  const it = worldTest(open)

  it('are made, replaced, found by address and by target, removed', async ({ store: { directory } }) => {
    const sales = { address: 'sales@one.test', targets: ['alice@one.test', 'x@elsewhere.test'] }
    const help = { address: 'help@two.test', targets: ['alice@one.test'] }
    await directory.putAlias(sales)
    await directory.putAlias(help)
    expect(await directory.alias('sales@one.test')).toEqual(sales)
    expect(await directory.aliases()).toEqual([help, sales])
    expect(await directory.aliases('one.test')).toEqual([sales])
    expect(await directory.aliasesTo('alice@one.test')).toEqual([help, sales])
    expect(await directory.aliasesTo('x@elsewhere.test')).toEqual([sales])
    await directory.putAlias({ ...sales, targets: ['bob@two.test', 'bob@two.test'] })
    expect(await directory.aliasesTo('bob@two.test')).toHaveLength(1)
    await directory.putAlias({ ...sales, targets: ['bob@two.test'] })
    expect((await directory.alias('sales@one.test'))?.targets).toEqual(['bob@two.test'])
    expect(await directory.aliasesTo('x@elsewhere.test')).toEqual([])
    await directory.removeAlias('sales@one.test')
    expect(await directory.alias('sales@one.test')).toBeUndefined()
    await expect(directory.removeAlias('sales@one.test')).rejects.toEqual(refusal('no-such-alias'))
  })

  it('are refused where an account is, and in unknown domains', async ({ store: { directory } }) => {
    const targets = ['bob@two.test']
    await expect(directory.putAlias({ address: 'alice@one.test', targets })).rejects.toEqual(refusal('exists'))
    await expect(directory.putAlias({ address: 'a@none.test', targets })).rejects.toEqual(refusal('no-such-domain'))
    expect(await directory.aliases()).toEqual([])
  })

  it('take the address of a removed account, which comes back when they are gone', async ({ store, clock, alice }) => {
    const { directory } = store
    await directory.removeAccount(alice, clock.now())
    await directory.putAlias({ address: 'alice@one.test', targets: ['bob@two.test'] })
    await expect(directory.restoreAccount(alice)).rejects.toEqual(refusal('exists'))
    expect((await directory.account(alice))?.removedAt).toBe(clock.now())
    await directory.removeAlias('alice@one.test')
    await directory.restoreAccount(alice)
    expect((await directory.account(alice))?.removedAt).toBeNull()
  })
}

function describeGrants(open: OpenEngine): void {
  const it = worldTest(open)

  it('are addresses or whole domains, once each, in order', async ({ store: { directory }, alice, bob }) => {
    for (const address of ['info@one.test', '@two.test', 'info@one.test']) await directory.grantSendAs(alice, address)
    expect(await directory.sendAs(alice)).toEqual(['@two.test', 'info@one.test'])
    expect(await directory.sendAs(bob)).toEqual([])
    await directory.revokeSendAs(alice, '@two.test')
    await directory.revokeSendAs(alice, 'never@one.test')
    expect(await directory.sendAs(alice)).toEqual(['info@one.test'])
  })

  it('refuse accounts that are not there', async ({ store: { directory } }) => {
    await expect(directory.grantSendAs(nobody, 'a@one.test')).rejects.toEqual(refusal('no-such-account'))
    await expect(directory.revokeSendAs(nobody, 'a@one.test')).rejects.toEqual(refusal('no-such-account'))
    await expect(directory.sendAs(nobody)).rejects.toEqual(refusal('no-such-account'))
  })
}

function describeVersion(open: OpenEngine): void {
  const it = worldTest(open)
  const steps: [string, (directory: Directory, alice: AccountId) => Promise<unknown>][] = [
    ['addDomain', (directory) => directory.addDomain(local('v.test'))],
    ['updateDomain', (directory) => directory.updateDomain('v.test', { catchAll: 'a@v.test' })],
    ['addAccount', (directory) => directory.addAccount(named('v@v.test'), 0)],
    ['updateAccount', (directory, alice) => directory.updateAccount(alice, { name: 'A' })],
    ['putAlias', (directory) => directory.putAlias({ address: 'b@v.test', targets: ['v@v.test'] })],
    ['removeAlias', (directory) => directory.removeAlias('b@v.test')],
    ['grantSendAs', (directory, alice) => directory.grantSendAs(alice, 'b@v.test')],
    ['revokeSendAs', (directory, alice) => directory.revokeSendAs(alice, 'b@v.test')],
    ['removeAccount', (directory, alice) => directory.removeAccount(alice, 1)],
    ['restoreAccount', (directory, alice) => directory.restoreAccount(alice)],
    ['removeAccount again', (directory, alice) => directory.removeAccount(alice, 1)],
    ['purgeAccounts', (directory) => directory.purgeAccounts(2)],
    ['removeDomain', (directory) => directory.addDomain(local('w.test')).then(() => directory.removeDomain('w.test'))],
  ]

  it('rises with every change', async ({ store: { directory }, alice }) => {
    for (const [name, step] of steps) {
      const before = directory.version
      await step(directory, alice)
      expect(directory.version, name).toBeGreaterThan(before)
    }
  })

  it('stays while nothing changes', async (world: World) => {
    const { directory } = world.store
    const before = directory.version
    await directory.accounts()
    await append(world, await inboxOf(world), {})
    await accept(world, { filings: [filing(world.alice)] })
    expect(directory.version).toBe(before)
  })
}
