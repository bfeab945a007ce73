/** The contract of `Credentials`. */
import { describe, expect } from 'vitest'
import { accountId } from '../ids.ts'
import { type OpenEngine, refusal, worldTest } from './engine.ts'

const nobody = accountId(999_999)
const app = (verifier: string, label = 'phone', scope: string[] = []) => ({ label, scope, verifier })

export function describeCredentials(name: string, open: OpenEngine): void {
  describe(`${name}: Credentials`, () => {
    describePasswords(open)
    describeVersion(open)
  })
}

function describePasswords(open: OpenEngine): void {
  const it = worldTest(open)

  it('an account has one password, which a new one replaces', async ({ store: { credentials }, alice, bob }) => {
    await credentials.setPassword(alice, '$2b$first', 1000)
    await credentials.setPassword(alice, '$2b$second', 2000)
    const expected = { account: alice, kind: 'password', verifier: '$2b$second', createdAt: 2000, lastUsedAt: null }
    expect(await credentials.list(alice)).toMatchObject([{ ...expected, scope: [] }])
    expect(await credentials.list(bob)).toEqual([])
  })

  it('and app passwords beside it, found by their verifier', async ({ store: { credentials }, alice, bob }) => {
    await credentials.setPassword(alice, 'p', 1000)
    const made = await credentials.addAppPassword(alice, app('aa11', 'phone', ['imap', 'smtp']), 2000)
    const expected = { account: alice, kind: 'app', label: 'phone', scope: ['imap', 'smtp'], verifier: 'aa11' }
    expect(made).toEqual({ ...expected, id: expect.any(Number), scram: null, createdAt: 2000, lastUsedAt: null })
    await credentials.addAppPassword(bob, app('bb22'), 2000)
    expect(await credentials.findAppPassword('aa11')).toEqual(made)
    expect(await credentials.findAppPassword('p')).toBeUndefined()
    expect(await credentials.findAppPassword('cc33')).toBeUndefined()
    expect((await credentials.list(alice)).map((credential) => credential.kind)).toEqual(['password', 'app'])
    await credentials.setPassword(alice, 'q', 3000)
    expect(await credentials.findAppPassword('aa11')).toEqual(made)
  })

  it('one is removed from its own account only', async ({ store: { credentials }, alice, bob }) => {
    const { id } = await credentials.addAppPassword(alice, app('aa11'), 0)
    expect(await credentials.remove(bob, id)).toBe(false)
    expect(await credentials.remove(alice, id)).toBe(true)
    expect(await credentials.remove(alice, id)).toBe(false)
    expect(await credentials.findAppPassword('aa11')).toBeUndefined()
  })

  it(
    'an account can have only so many app passwords',
    async ({ store: { credentials }, alice, bob }) => {
      await credentials.setPassword(alice, 'p', 0)
      for (const verifier of ['a1', 'a2', 'a3']) await credentials.addAppPassword(alice, app(verifier), 0)
      await expect(credentials.addAppPassword(alice, app('a4'), 0)).rejects.toEqual(refusal('limit'))
      await credentials.addAppPassword(bob, app('b1'), 0)
    },
    { appPasswordsPerAccount: 3 },
  )

  it('holds what SCRAM needs until it is replaced', async ({ store: { credentials }, alice }) => {
    await credentials.setPassword(alice, 'p', 0)
    const [{ id } = { id: 0 }] = await credentials.list(alice)
    const { version } = credentials
    await credentials.setScram(id, 'SCRAM-SHA-256$1:c2FsdA==$a:b')
    expect(await credentials.list(alice)).toMatchObject([{ id, scram: 'SCRAM-SHA-256$1:c2FsdA==$a:b' }])
    expect(credentials.version).toBe(version)
    await credentials.setPassword(alice, 'q', 0)
    await credentials.setScram(id, 'of the old one')
    expect(await credentials.list(alice)).toMatchObject([{ verifier: 'q', scram: null }])
  })

  it('a use is noted', async ({ store: { credentials }, alice }) => {
    const { id } = await credentials.addAppPassword(alice, app('aa11'), 0)
    await credentials.touch(id, 7_200_000)
    expect((await credentials.list(alice))[0]?.lastUsedAt).toBe(7_200_000)
    await credentials.touch(999_999, 0)
  })

  it('an account that is not there is refused', async ({ store: { credentials } }) => {
    await expect(credentials.setPassword(nobody, 'x', 0)).rejects.toEqual(refusal('no-such-account'))
    await expect(credentials.addAppPassword(nobody, app('x'), 0)).rejects.toEqual(refusal('no-such-account'))
    expect(await credentials.list(nobody)).toEqual([])
  })
}

function describeVersion(open: OpenEngine): void {
  const it = worldTest(open)

  it('rises whenever what opens an account changes', async ({ store: { credentials, directory }, alice, bob }) => {
    let id = 0
    const steps: [string, () => Promise<unknown>][] = [
      ['setPassword', () => credentials.setPassword(alice, 'x', 0)],
      ['addAppPassword', async () => (id = (await credentials.addAppPassword(alice, app('aa'), 0)).id)],
      ['remove', () => credentials.remove(alice, id)],
      ['suspend', () => directory.updateAccount(alice, { suspended: true })],
      ['removeAccount', () => directory.removeAccount(alice, 0)],
      ['restoreAccount', () => directory.restoreAccount(alice)],
    ]
    for (const [name, step] of steps) {
      const before = credentials.version
      await step()
      expect(credentials.version, name).toBeGreaterThan(before)
    }
    const before = credentials.version
    await credentials.remove(bob, id)
    await credentials.list(alice)
    expect(credentials.version).toBe(before)
  })
}
