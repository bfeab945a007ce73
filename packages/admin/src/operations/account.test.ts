import { QueueFull } from '@pennypost/sasl'
import { describe, expect, test } from 'vitest'
import { TestAdministration } from '../../test/admin-context.ts'
import type { Progress } from '../operation.ts'
import type { Frame } from '../socket/frames.ts'

const oneTest = async (): Promise<TestAdministration> => {
  const admin = new TestAdministration()
  await admin.call('domain.add', { name: 'one.test' })
  return admin
}

describe('accounts', () => {
  test('an account is made in a domain that is here, with a password that only its verifier remembers', async () => {
    using admin = await oneTest()
    const made = await admin.call('account.add', { login: 'Alice@ONE.test', password: 'correct horse' })
    expect(made).toMatchObject({ login: 'alice@one.test', hasPassword: true, quota: 0 })
    const [credential] = await admin.context.store.credentials.list(made.id)
    expect(credential).toMatchObject({ kind: 'password', verifier: 'hashed:13' })
    const shown = await admin.call('account.show', { login: 'alice@one.test' })
    expect(shown.mailboxes.map(({ name }) => name)).toContain('Sent')
    expect(JSON.stringify([made, shown, admin.audited])).not.toContain('correct horse')
    expect(JSON.stringify([made, shown, admin.audited])).not.toContain('hashed:')
  })

  test('an account in a foreign domain is refused with what to do', async () => {
    using admin = await oneTest()
    await expect(admin.call('account.add', { login: 'alice@two.test' })).rejects.toMatchObject({
      reason: 'not-found',
      advice: expect.stringContaining('domain add'),
    })
    await admin.call('account.add', { login: 'alice@one.test' })
    await expect(admin.call('account.add', { login: 'alice@one.test' })).rejects.toMatchObject({
      reason: 'exists',
      advice: expect.stringContaining('account passwd'),
    })
  })

  test('a password that cannot be stored leaves no account behind', async () => {
    using admin = await oneTest()
    admin.context.credentials.hash = () => Promise.reject(new Error('a password may not hold control characters'))
    await expect(admin.call('account.add', { login: 'alice@one.test', password: '\u0007' })).rejects.toMatchObject({
      reason: 'bad-input',
    })
    expect(await admin.call('account.list', {})).toEqual([])
  })

  test('while many logged in at once, a new password was said to be a bad one', async () => {
    using admin = await oneTest()
    await admin.call('account.add', { login: 'alice@one.test' })
    admin.context.credentials.hash = () => Promise.reject(new QueueFull('more than 1000 are waiting'))
    const passwd = admin.call('account.passwd', { login: 'alice@one.test', password: 'x' })
    await expect(passwd).rejects.toMatchObject({ reason: 'unavailable', advice: 'Try again in a while.' })
  })

  test('removal ends sessions, keeps the mail, and can be undone', async () => {
    using admin = await oneTest()
    const ended: number[] = []
    admin.context.running = { endSessions: (account: number) => ended.push(account) } as never
    const { id } = await admin.call('account.add', { login: 'alice@one.test' })
    await admin.call('alias.add', { address: 'sales@one.test', targets: ['alice@one.test'] })
    const removed = await admin.call('account.remove', { login: 'alice@one.test' })
    expect(removed).toMatchObject({ endedSessions: 1, aliases: ['sales@one.test'] })
    expect(removed.restorableUntil - admin.clock.now()).toBe(30 * 86_400_000)
    expect(ended).toEqual([id])
    await expect(admin.call('account.passwd', { login: 'alice@one.test', password: 'x' })).rejects.toMatchObject({
      advice: expect.stringContaining('restore'),
    })
    await expect(admin.call('account.add', { login: 'alice@one.test' })).rejects.toMatchObject({ reason: 'exists' })
    expect(await admin.call('account.list', { removed: true })).toHaveLength(1)
    await admin.call('account.restore', { login: 'alice@one.test' })
    expect(await admin.call('account.list', {})).toHaveLength(1)
    await expect(admin.call('account.restore', { login: 'alice@one.test' })).rejects.toMatchObject({
      reason: 'not-found',
    })
  })

  test('suspension is said to the sessions and taken back', async () => {
    using admin = await oneTest()
    await admin.call('account.add', { login: 'alice@one.test' })
    expect(await admin.call('account.suspend', { login: 'alice@one.test' })).toMatchObject({ endedSessions: 0 })
    expect((await admin.call('account.show', { login: 'alice@one.test' })).suspended).toBe(true)
    await admin.call('account.resume', { login: 'alice@one.test' })
    expect((await admin.call('account.show', { login: 'alice@one.test' })).suspended).toBe(false)
  })

  test('quota, name and administrator are set one by one', async () => {
    using admin = await oneTest()
    await admin.call('account.add', { login: 'alice@one.test', name: 'Alice' })
    await admin.call('account.set', { login: 'alice@one.test', quota: 1000 })
    expect(await admin.call('account.set', { login: 'alice@one.test', admin: true })).toMatchObject({
      quota: 1000,
      name: 'Alice',
      admin: true,
    })
  })

  test('capabilities of IMAP are disabled and enabled again', async () => {
    using admin = await oneTest()
    const login = 'alice@one.test'
    await admin.call('account.add', { login })
    const masked = await admin.call('account.set', { login, disableCapabilities: ['move', 'ACL', 'MOVE'] })
    expect(masked.disabledCapabilities).toEqual(['ACL', 'MOVE'])
    const set = { login, disableCapabilities: ['QUOTA=RES-STORAGE'], enableCapabilities: ['acl'] }
    expect((await admin.call('account.set', set)).disabledCapabilities).toEqual(['MOVE', 'QUOTA=RES-STORAGE'])
    expect((await admin.call('account.set', { login, name: 'A' })).disabledCapabilities).toHaveLength(2)
    await expect(admin.call('account.set', { login, disableCapabilities: ['a b'] })).rejects.toMatchObject({
      reason: 'bad-input',
    })
  })

  test('a capability that nobody has was disabled without a word', async () => {
    using admin = await oneTest()
    const login = 'alice@one.test'
    await admin.call('account.add', { login })
    await expect(admin.call('account.set', { login, disableCapabilities: ['MOVE', 'XLIST'] })).rejects.toMatchObject({
      reason: 'bad-input',
      message: 'IMAP has no capability XLIST here.',
      advice: 'There are ACL, MOVE, QUOTA=RES-STORAGE.',
    })
    await expect(admin.call('account.set', { login, enableCapabilities: ['XLIST'] })).rejects.toMatchObject({
      message: 'IMAP has no capability XLIST here.',
    })
    await admin.call('account.set', { login, disableCapabilities: ['MOVE'] })
    admin.context.capabilityNames = async () => ['ACL']
    const gone = { login, enableCapabilities: ['MOVE'] }
    expect((await admin.call('account.set', gone)).disabledCapabilities).toEqual([])
  })

  test('AUTH= and STARTTLS were disabled for one account, and its clients saw them all the same', async () => {
    using admin = await oneTest()
    const login = 'alice@one.test'
    await admin.call('account.add', { login })
    admin.context.capabilityNames = async () => ['AUTH=PLAIN', 'STARTTLS', 'MOVE']
    const set = { login, disableCapabilities: ['MOVE', 'auth=plain', 'STARTTLS'] }
    await expect(admin.call('account.set', set)).rejects.toMatchObject({
      message: 'Clients see AUTH=PLAIN, STARTTLS before they log in, so no account can be without.',
      advice: expect.stringContaining('[imap] disable'),
    })
    expect((await admin.call('account.show', { login })).disabledCapabilities).toEqual([])
  })

  test('keys for SCRAM that no exchange can prove any more counted as ready', async () => {
    using admin = await oneTest()
    const login = 'alice@one.test'
    const { id } = await admin.call('account.add', { login, password: 'secret' })
    const { credentials } = admin.context.store
    const [password] = await credentials.list(id)
    for (const [scram, isReady] of [
      ['keys of other rounds', false],
      [`keys of ${login}`, true],
    ] as const) {
      await credentials.setScram(password!.id, scram)
      expect(await admin.call('account.list', {})).toMatchObject([{ scramReady: isReady }])
      expect((await admin.call('account.show', { login })).credentials).toMatchObject([{ scramReady: isReady }])
    }
  })

  test('who knew the old password, or had the stolen device, stayed logged in', async () => {
    using admin = await oneTest()
    const login = 'alice@one.test'
    const { id } = await admin.call('account.add', { login, password: 'secret' })
    const ended: number[] = []
    admin.context.running = { endSessions: (account: number) => ended.push(account) } as never
    const password = `${'abcd-'.repeat(6)}abcd`
    const app = await admin.call('account.app-password.add', { login, label: 'telephone', scope: [], password })
    const changed = await admin.call('account.passwd', { login, password: 'other' })
    expect(changed).toEqual({ login, endedSessions: 1, appPasswords: 1 })
    const removed = await admin.call('account.app-password.remove', { login, id: app.id })
    expect(removed).toEqual({ login, id: app.id, endedSessions: 2 })
    expect(ended).toEqual([id, id])
  })

  test('who was no administrator any more went on in the sessions of those for whom it acted', async () => {
    using admin = await oneTest()
    const login = 'root@one.test'
    const { id } = await admin.call('account.add', { login, admin: true })
    const ended: number[] = []
    admin.context.running = { endSessions: (account: number) => ended.push(account) } as never
    await admin.call('account.set', { login, name: 'Root' })
    expect(ended).toEqual([])
    await admin.call('account.set', { login, admin: false })
    await admin.call('account.set', { login, admin: false })
    expect(ended).toEqual([id])
  })

  test('mailboxes are shared, and shown with those who may use them', async () => {
    using admin = await oneTest()
    const [login, bob] = ['alice@one.test', 'bob@one.test']
    for (const each of [login, bob]) await admin.call('account.add', { login: each })
    const shared = await admin.call('account.share', { login, mailbox: 'INBOX', with: 'Bob@one.test', rights: 'rlkd' })
    expect(shared).toEqual({ login, mailbox: 'INBOX', with: bob, rights: 'lrktecd' })
    await admin.call('account.share', { login, mailbox: 'Sent', with: 'anyone', rights: 'l' })
    expect((await admin.call('account.show', { login })).shares).toEqual([
      { mailbox: 'INBOX', with: bob, rights: 'lrktecd' },
      { mailbox: 'Sent', with: 'anyone', rights: 'l' },
    ])
    expect((await admin.call('account.show', { login: bob })).sharedWith).toEqual([
      { mailbox: 'Other Users/alice@one.test/INBOX', rights: 'lrktecd' },
      { mailbox: 'Other Users/alice@one.test/Sent', rights: 'l' },
    ])
    // In small letters there was said to be none.
    await admin.call('account.share', { login, mailbox: 'inbox', with: bob, rights: '' })
    expect((await admin.call('account.show', { login })).shares).toHaveLength(1)
    const wrong = [
      [{ mailbox: 'Nothing', with: bob, rights: 'l' }, 'not-found'],
      [{ mailbox: 'INBOX', with: 'carol@one.test', rights: 'l' }, 'not-found'],
      [{ mailbox: 'INBOX', with: login, rights: 'l' }, 'bad-input'],
      [{ mailbox: 'INBOX', with: bob, rights: 'q' }, 'bad-input'],
    ] as const
    for (const [input, reason] of wrong) {
      await expect(admin.call('account.share', { login, ...input })).rejects.toMatchObject({ reason })
    }
  })

  test('app passwords are listed by label and taken away by number', async () => {
    using admin = await oneTest()
    await admin.call('account.add', { login: 'alice@one.test', password: 'secret' })
    const login = 'alice@one.test'
    const input = { login, label: 'telephone', scope: ['imap' as const], password: `${'abcd-'.repeat(6)}abcd` }
    const { id } = await admin.call('account.app-password.add', input)
    await expect(admin.call('account.app-password.add', { ...input, password: 'own' })).rejects.toMatchObject({
      reason: 'bad-input',
    })
    expect(await admin.call('account.app-password.list', { login })).toEqual([
      { id, label: 'telephone', scope: ['imap'], createdAt: admin.clock.now(), lastUsedAt: null },
    ])
    const [password] = await admin.context.store.credentials.list(
      (await admin.call('account.show', { login })).id as never,
    )
    await expect(admin.call('account.app-password.remove', { login, id: password!.id })).rejects.toMatchObject({
      reason: 'not-found',
    })
    await admin.call('account.app-password.remove', { login, id })
    expect(await admin.call('account.app-password.list', { login })).toEqual([])
  })

  test('mail for somebody who has left could go to nobody else for 30 days', async () => {
    using admin = await oneTest()
    const login = 'alice@one.test'
    for (const each of [login, 'bob@one.test']) await admin.call('account.add', { login: each })
    const alias = { address: login, targets: ['bob@one.test'] }
    await expect(admin.call('alias.add', alias)).rejects.toMatchObject({
      message: 'alice@one.test is an account.',
      advice: expect.stringContaining('remove the account first'),
    })
    await admin.call('account.remove', { login })
    expect((await admin.call('alias.add', alias)).unknownTargets).toEqual([])
    expect(
      (await admin.call('alias.add', { address: 'sales@one.test', targets: ['carol@one.test'] })).unknownTargets,
    ).toEqual(['carol@one.test'])
    await expect(admin.call('account.restore', { login })).rejects.toMatchObject({
      message: 'alice@one.test is an alias now.',
      advice: expect.stringContaining('alias remove'),
    })
    await admin.call('alias.remove', { address: login })
    await admin.call('account.restore', { login })
  })

  test('leave to send as others is granted for an address or a domain, and revoked', async () => {
    using admin = await oneTest()
    const login = 'alice@one.test'
    await admin.call('account.add', { login })
    await admin.call('account.send-as.grant', { login, address: 'Info@One.test' })
    const granted = await admin.call('account.send-as.grant', { login, address: '@two.test' })
    expect(granted.sendAs).toEqual(['@two.test', 'info@one.test'])
    const revoked = await admin.call('account.send-as.revoke', { login, address: 'info@one.test' })
    expect(revoked.sendAs).toEqual(['@two.test'])
  })

  test('a misspelt address was granted or revoked without a word', async () => {
    using admin = await oneTest()
    const login = 'alice@one.test'
    await admin.call('account.add', { login })
    const granted = await admin.call('account.send-as.grant', { login, address: 'inof@one.test' })
    expect(granted.unknownTargets).toEqual(['inof@one.test'])
    await expect(admin.call('account.send-as.revoke', { login, address: 'info@one.test' })).rejects.toMatchObject({
      reason: 'not-found',
      message: 'alice@one.test was not granted info@one.test.',
    })
  })
})

function importAccounts(
  admin: TestAdministration,
  accounts: readonly Record<string, unknown>[],
  onProgress?: (progress: Progress) => void,
) {
  async function* upload(): AsyncGenerator<Frame> {
    for (const head of accounts) yield { head }
  }
  return admin.call('account.import', { accounts: accounts.length }, { upload, ...(onProgress && { onProgress }) })
}

describe('import of accounts', () => {
  test('takes plain passwords and bcrypt hashes, leaves what is there, and can be repeated', async () => {
    using admin = await oneTest()
    await admin.call('account.add', { login: 'alice@one.test', name: 'First' })
    const accounts = [
      { login: 'alice@one.test', name: 'Second' },
      { login: 'bob@one.test', password: 'secret' },
      { login: 'carol@one.test', hash: '$2y$10$abc', quota: 5000 },
    ]
    const steps: number[] = []
    const onProgress = ({ done }: { done: number }) => steps.push(done)
    const first = await importAccounts(admin, accounts, onProgress)
    expect(first).toEqual({ added: ['bob@one.test', 'carol@one.test'], present: ['alice@one.test'] })
    expect(steps).toEqual([1, 2])
    expect((await importAccounts(admin, accounts)).added).toEqual([])
    const { id } = await admin.call('account.show', { login: 'carol@one.test' })
    expect(await admin.context.store.credentials.list(id)).toMatchObject([{ verifier: 'imported:$2y$10$abc' }])
    expect((await admin.call('account.show', { login: 'alice@one.test' })).name).toBe('First')
    expect(JSON.stringify(admin.audited)).not.toMatch(/secret"|\$2y/)
    expect(admin.audited).toContainEqual(
      expect.objectContaining({ operation: 'account.import', input: { accounts: 3 }, outcome: 'done' }),
    )
  })

  test('an import that is not whole changed half', async () => {
    using admin = await oneTest()
    const upload = async function* (): AsyncGenerator<Frame> {
      yield { head: { login: 'bob@one.test' } }
    }
    await expect(admin.call('account.import', { accounts: 2 }, { upload })).rejects.toThrow(/Not 2 accounts came/)
    expect(await admin.call('account.list', {})).toEqual([])
  })

  test('a server that died between an account and its password left an account without one', async () => {
    using admin = await oneTest()
    const { directory, credentials } = admin.context.store
    const add = directory.addAccount.bind(directory)
    directory.addAccount = async (...args) => {
      const made = await add(...args)
      const fail = () => Promise.reject(new Error('the server is gone'))
      directory.addAccount = fail
      credentials.setPassword = fail
      return made
    }
    const accounts = ['bob', 'carol'].map((name) => ({ login: `${name}@one.test`, password: 'secret' }))
    await expect(importAccounts(admin, accounts)).rejects.toThrow('After 1 account: the server is gone')
    // It said that all was refused.
    expect(admin.audited.at(-1)?.detail).toMatch(/^After 1 account: /)
    const made = await directory.accounts()
    expect(made.map(({ login }) => login)).toEqual(['bob@one.test'])
    expect(await credentials.list(made[0]!.id)).toHaveLength(1)
  })

  test('an account that was removed was said to be there', async () => {
    using admin = await oneTest()
    await admin.call('account.add', { login: 'bob@one.test' })
    await admin.call('account.remove', { login: 'bob@one.test' })
    const imported = importAccounts(admin, [{ login: 'bob@one.test' }])
    await expect(imported).rejects.toThrow('account 1, bob@one.test: was removed and can still be restored')
  })

  test('changes nothing when anything is wrong, and names every fault', async () => {
    using admin = await oneTest()
    const accounts = [
      { login: 'bob@one.test' },
      { login: 'bob@one.test' },
      { login: 'dave@two.test' },
      { login: 'eve@one.test', hash: '{MD5}x' },
      { login: 'fay@one.test', password: 'pass\tword' },
      { login: 'gus', quota: -1 },
      { login: 'hal@two.test', line: 12 },
      { login: 'ida', line: 13 },
    ]
    const error = await importAccounts(admin, accounts).catch((reason: Error) => reason)
    expect(error).toMatchObject({ reason: 'bad-input' })
    const { message } = error as Error
    expect(message).toMatch(/account 2, bob@one.test: stands twice/)
    expect(message).toMatch(/account 3, dave@two.test: its domain is not here/)
    expect(message).toMatch(/account 4, eve@one.test: only bcrypt/)
    expect(message).toMatch(/account 5, fay@one.test: its password/)
    expect(message).toMatch(/account 6: login: "gus" is no address.*; quota: /)
    expect(message).toMatch(/; line 12, hal@two.test: its domain/)
    expect(message).toMatch(/; line 13: login: "ida"/)
    expect(await admin.call('account.list', {})).toEqual([])
  })
})
