import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TestAdministration } from '../../test/admin-context.ts'

describe('domains', () => {
  test('postmaster@ was said to reach an administrator, and there was none', async () => {
    using admin = new TestAdministration()
    expect(await admin.call('domain.add', { name: 'one.test' })).toMatchObject({ hasPostmaster: false })
    await admin.call('account.add', { login: 'alice@one.test' })
    expect(await admin.call('domain.add', { name: 'two.test' })).toMatchObject({ hasPostmaster: true })
  })

  test('a domain comes with an RSA and an Ed25519 key that only their owner reads', async () => {
    using admin = new TestAdministration()
    await admin.call('domain.add', { name: 'Bücher.test' })
    const directory = admin.context.installation.dkimDirectory
    const files = readdirSync(directory)
    expect(files).toEqual(['xn--bcher-kva.test.202605e.pem', 'xn--bcher-kva.test.202605r.pem'])
    for (const file of files) expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600)
  })

  test.each(['127.0.0.1', 'foo_bar.test', 'one.2'])('%s was taken for a domain that gets mail', async (name) => {
    using admin = new TestAdministration()
    await expect(admin.call('domain.add', { name })).rejects.toMatchObject({
      reason: 'bad-input',
      message: `name: "${name}" is no domain that gets mail; write e.g. one.example`,
    })
  })

  test('an alias that went to itself was made', async () => {
    using admin = new TestAdministration()
    await admin.call('domain.add', { name: 'one.test' })
    const alias = { address: 'sales@one.test', targets: ['bob@two.test', 'SALES@one.test'] }
    await expect(admin.call('alias.add', alias)).rejects.toThrow('an alias does not go to itself')
  })

  test('an alias was made whose address could not be typed', async () => {
    using admin = new TestAdministration()
    await admin.call('domain.add', { name: 'one.test' })
    const alias = { address: 'sa\x1bles@one.test', targets: ['bob@two.test'] }
    await expect(admin.call('alias.add', alias)).rejects.toMatchObject({ reason: 'bad-input' })
  })

  test('an alias needs a local domain, a relayed one gets no keys', async () => {
    using admin = new TestAdministration()
    await expect(admin.call('domain.add', { name: 'uk.test', aliasOf: 'one.test' })).rejects.toMatchObject({
      reason: 'not-found',
    })
    await admin.call('domain.add', { name: 'one.test' })
    await admin.call('domain.add', { name: 'uk.test', aliasOf: 'one.test' })
    await admin.call('domain.add', { name: 'far.test', relayTo: 'Backup.test:2525' })
    for (const aliasOf of ['uk.test', 'far.test']) {
      await expect(admin.call('domain.add', { name: 'two.test', aliasOf })).rejects.toThrow(
        /not a domain with accounts/,
      )
    }
    const list = await admin.call('domain.list', {})
    expect(list.map(({ name, kind, target }) => `${name} ${kind} ${target}`)).toEqual([
      'far.test relay backup.test:2525',
      'one.test local ',
      'uk.test alias one.test',
    ])
    expect(readdirSync(admin.context.installation.dkimDirectory).filter((name) => name.startsWith('far'))).toEqual([])
    expect((await admin.call('domain.show', { name: 'one.test' })).aliasDomains).toEqual(['uk.test'])
  })

  test('a domain goes only when nothing is in it and nothing leads to it', async () => {
    using admin = new TestAdministration()
    await admin.call('domain.add', { name: 'one.test' })
    await admin.call('domain.add', { name: 'uk.test', aliasOf: 'one.test' })
    await admin.call('account.add', { login: 'alice@one.test' })
    await expect(admin.call('domain.remove', { name: 'one.test' })).rejects.toThrow(
      /Still in one\.test: accounts 1, aliases 0\./,
    )
    await admin.call('account.remove', { login: 'alice@one.test' })
    await expect(admin.call('domain.remove', { name: 'one.test' })).rejects.toThrow(/still to be restored/)
    await admin.context.store.directory.purgeAccounts(admin.clock.now() + 1)
    await expect(admin.call('domain.remove', { name: 'one.test' })).rejects.toThrow(/uk.test is an alias/)
    await admin.call('domain.remove', { name: 'uk.test' })
    await admin.call('domain.remove', { name: 'one.test' })
    expect(await admin.call('domain.list', {})).toEqual([])
  })

  test('a catch-all could not be had, changed or taken back once the domain was there', async () => {
    using admin = new TestAdministration()
    await admin.call('domain.add', { name: 'one.test' })
    await admin.call('domain.add', { name: 'uk.test', aliasOf: 'one.test' })
    await admin.call('domain.add', { name: 'far.test', relayTo: 'backup.test' })
    await admin.call('account.add', { login: 'alice@one.test' })
    const set = admin.call('domain.set', { name: 'one.test', catchAll: 'Alice@one.test' })
    expect(await set).toMatchObject({ catchAll: 'alice@one.test', unknownTargets: [] })
    const typo = { name: 'one.test', catchAll: 'alcie@one.test' }
    expect((await admin.call('domain.set', typo)).unknownTargets).toEqual(['alcie@one.test'])
    await admin.call('domain.set', { name: 'one.test', catchAll: '' })
    expect((await admin.call('domain.show', { name: 'one.test' })).catchAll).toBe('')
    await expect(admin.call('domain.set', { name: 'uk.test', catchAll: 'alice@one.test' })).rejects.toMatchObject({
      reason: 'not-allowed',
      advice: 'Set it for one.test.',
    })
    await admin.call('domain.set', { name: 'far.test', relayTo: 'Other.test:2525' })
    expect((await admin.call('domain.show', { name: 'far.test' })).target).toBe('other.test:2525')
    await expect(admin.call('domain.set', { name: 'one.test', relayTo: 'x.test' })).rejects.toThrow(/not handed on/)
    await expect(admin.call('domain.set', { name: 'none.test', catchAll: '' })).rejects.toThrow(/There is no domain/)
    await expect(admin.call('domain.set', { name: 'one.test' })).rejects.toThrow(/nothing to change/)
  })

  test('a catch-all that nothing comes to was taken', async () => {
    using admin = new TestAdministration()
    await admin.call('domain.add', { name: 'one.test' })
    const alias = { name: 'uk.test', aliasOf: 'one.test', catchAll: 'alice@one.test' }
    await expect(admin.call('domain.add', alias)).rejects.toThrow(/a catch-all is for domains with accounts/)
    const typo = { name: 'two.test', catchAll: 'alcie@one.test' }
    expect((await admin.call('domain.add', typo)).unknownTargets).toEqual(['alcie@one.test'])
  })

  test('recipients are verified where mail is handed on, if it is asked for', async () => {
    using admin = new TestAdministration()
    const far = { name: 'far.test', relayTo: 'backup.test' }
    expect((await admin.call('domain.add', { ...far, verifyRecipients: true })).verifyRecipients).toBe(true)
    await admin.call('domain.add', { ...far, name: 'plain.test' })
    await admin.call('domain.add', { name: 'one.test' })
    const verified = async () => (await admin.call('domain.list', {})).map((each) => each.verifyRecipients)
    expect(await verified()).toEqual([true, false, false])
    await admin.call('domain.set', { name: 'far.test', relayTo: 'other.test' })
    await admin.call('domain.set', { name: 'plain.test', verifyRecipients: true })
    expect(await verified()).toEqual([true, false, true])
    await admin.call('domain.set', { name: 'far.test', verifyRecipients: false })
    expect((await admin.call('domain.show', { name: 'far.test' })).verifyRecipients).toBe(false)
    const local = { name: 'one.test', verifyRecipients: true }
    await expect(admin.call('domain.set', local)).rejects.toThrow(/not handed on/)
    await expect(admin.call('domain.add', { ...local, name: 'two.test' })).rejects.toThrow(/where mail is handed on/)
  })

  test('names that are none are refused before anything happens', async () => {
    using admin = new TestAdministration()
    for (const name of ['', 'no spaces', 'a@b', '-x.test', `${'x'.repeat(64)}.test`]) {
      await expect(admin.call('domain.add', { name })).rejects.toMatchObject({ reason: 'bad-input' })
    }
    expect(admin.audited).toEqual([])
  })
})

describe('aliases', () => {
  test('targets are told apart, and those that lead nowhere are named', async () => {
    using admin = new TestAdministration()
    await admin.call('domain.add', { name: 'one.test' })
    await admin.call('account.add', { login: 'alice@one.test' })
    const targets = ['alice@one.test', 'bob@one.test', 'ALICE@one.test', 'far@two.test']
    const added = await admin.call('alias.add', { address: 'sales@one.test', targets })
    expect(added.targets).toEqual(['alice@one.test', 'bob@one.test', 'far@two.test'])
    expect(added.unknownTargets).toEqual(['bob@one.test'])
    expect(await admin.call('alias.list', { target: 'far@two.test' })).toHaveLength(1)
    expect(await admin.call('alias.list', { domain: 'two.test' })).toEqual([])
  })

  test('nobody was told of aliases that lead back to themselves', async () => {
    using admin = new TestAdministration()
    await admin.call('domain.add', { name: 'one.test' })
    const add = async (address: string, ...targets: string[]) =>
      (
        await admin.call('alias.add', {
          address: `${address}@one.test`,
          targets: targets.map((to) => `${to}@one.test`),
        })
      ).circle
    expect(await add('a', 'x', 'b')).toEqual([])
    expect(await add('b', 'c')).toEqual([])
    expect(await add('c', 'y', 'a')).toEqual(['c@one.test', 'a@one.test', 'b@one.test', 'c@one.test'])
    // Beside a circle that goes past it, an alias ends all the same.
    expect(await add('d', 'a')).toEqual([])
  })

  test('one that exists is replaced only when asked to', async () => {
    using admin = new TestAdministration()
    await admin.call('domain.add', { name: 'one.test' })
    await admin.call('alias.add', { address: 'a@one.test', targets: ['b@two.test'] })
    const again = { address: 'a@one.test', targets: ['c@two.test'] }
    await expect(admin.call('alias.add', again)).rejects.toMatchObject({ reason: 'exists' })
    await admin.call('alias.add', { ...again, replace: true })
    expect(await admin.call('alias.list', {})).toEqual([again])
    await admin.call('alias.remove', { address: 'a@one.test' })
    await expect(admin.call('alias.remove', { address: 'a@one.test' })).rejects.toMatchObject({ reason: 'not-found' })
  })
})

test('every change leaves a record of who, when, what, also one that was refused', async () => {
  using admin = new TestAdministration()
  await admin.call('domain.add', { name: 'one.test' })
  await admin.call('domain.list', {})
  await admin.call('domain.add', { name: 'one.test' }).catch(() => {})
  const at = '2026-05-01T12:00:00.000Z'
  expect(admin.audited).toEqual([
    { at, actor: 'tester', operation: 'domain.add', input: { name: 'one.test' }, outcome: 'done' },
    {
      at,
      actor: 'tester',
      operation: 'domain.add',
      input: { name: 'one.test' },
      outcome: 'refused',
      detail: 'The domain one.test exists.',
    },
  ])
})
