import { type Account, type Log, StoreError, silentLog } from '@pennypost/model'
import { seededRandom, type VirtualClock } from '@pennypost/model/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { createPeople, type People } from '../test/people.ts'
import { appPasswordVerifier } from './app-password.ts'
import type { AuthenticationResult, LoginAttempt } from './authentication.ts'
import { type Authenticator, createAuthenticator } from './authenticator.ts'
import { QueueFull } from './bounded-queue.ts'
import { loginForLog } from './login-name.ts'
import type { PasswordClaim } from './mechanism.ts'
import type { Passwords } from './passwords.ts'

const secret = Buffer.alloc(32, 7)
const invalid = { ok: false, reason: 'invalid' }
const throttled = { ok: false, reason: 'throttled' }

let clock: VirtualClock
let people: People
let authenticator: Authenticator
let alice: Account
/** Every piece of bcrypt work, as `verify` or `pretend`. */
let work: string[]
let before: (() => Promise<void>) | undefined
let logged: string

/** Stands in for bcrypt: a verifier is the password with a mark. */
const passwords: Passwords = {
  hash: async (password) => `hash:${password}`,
  async verify(password, verifier) {
    work.push('verify')
    await before?.()
    return verifier === `hash:${password}`
  },
  async pretend(_, verifier) {
    if (verifier === undefined) work.push('pretend')
  },
}

type Attempt = Partial<Omit<PasswordClaim, 'kind'> & Pick<LoginAttempt, 'service' | 'address' | 'client'>>

function login(attempt: Attempt = {}): Promise<AuthenticationResult> {
  return authenticator.authenticate({
    kind: 'password',
    login: 'alice@one.test',
    password: 'secret',
    service: 'imap',
    address: '192.0.2.1',
    ...attempt,
  })
}

async function guess(count: number, attempt: Attempt = {}, word = 'guess'): Promise<AuthenticationResult[]> {
  const results: AuthenticationResult[] = []
  for (let index = 0; index < count; index++) results.push(await login({ password: `${word} ${index}`, ...attempt }))
  return results
}

beforeEach(async () => {
  people = await createPeople()
  clock = people.clock
  work = []
  before = undefined
  logged = ''
  const keep = (facts: object, text: string): void => {
    logged += `${JSON.stringify(facts)} ${text}\n`
  }
  const log: Log = { ...silentLog, debug: keep, info: keep, warn: keep, error: keep }
  const networkOf = (address: string): string => address
  authenticator = createAuthenticator({ ...people, passwords, secret, networkOf, random: seededRandom(4422), log })
  alice = await people.add('alice@one.test', 'secret')
})

describe('answers', () => {
  test('the account for the right password, whatever the case of the name', async () => {
    expect(await login()).toEqual({ ok: true, account: alice, actor: alice })
    expect(await login({ login: 'Alice@ONE.test' })).toMatchObject({ ok: true })
  })

  test('the same for a wrong password, an unknown account, one without password, a removed one: after the same work', async () => {
    await people.add('bare@one.test')
    const gone = await people.add('gone@one.test', 'secret')
    await people.directory.removeAccount(gone.id, clock.now())
    for (const name of [
      'alice@one.test',
      'nobody@one.test',
      'bare@one.test',
      'gone@one.test',
      'not an address',
      'nul\0',
    ]) {
      work = []
      expect(await login({ login: name, password: name.startsWith('alice') ? 'wrong' : 'secret' })).toEqual(invalid)
      expect(work).toHaveLength(1)
    }
  })

  test('suspended only to who knows the password', async () => {
    await people.directory.updateAccount(alice.id, { suspended: true })
    expect(await login()).toEqual({ ok: false, reason: 'suspended' })
    expect(await login({ password: 'wrong' })).toEqual(invalid)
  })

  test('a password beyond the limit is wrong', async () => {
    const long = 'x'.repeat(1_025)
    await people.setPassword(alice, long)
    expect(await login({ password: long })).toEqual(invalid)
    expect(work).toEqual(['pretend'])
  })

  test('unavailable when the store fails or too many wait, which counts as no attempt', async () => {
    people.fail(new StoreError('unavailable', 'the disk has gone'))
    for (let count = 0; count < 20; count++) {
      expect(await login({ password: `p${count}` })).toEqual({ ok: false, reason: 'unavailable' })
    }
    people.fail(undefined)
    before = () => Promise.reject(new QueueFull('more than 64 are waiting'))
    expect(await login()).toEqual({ ok: false, reason: 'unavailable' })
    before = undefined
    expect(await login()).toMatchObject({ ok: true })
  })

  test('no password gets into the log', async () => {
    await login({ password: 'hunter2' })
    await guess(20, {}, 'hunter2')
    people.fail(new Error('broken'))
    await login({ password: 'hunter2', address: '192.0.2.9', login: 'bob@one.test' })
    expect(logged).toContain('login throttled')
    expect(logged).not.toContain('hunter2')
  })

  test('a login name longer than an address can be was logged whole', () => {
    expect(loginForLog(`${'x'.repeat(9_000)}@one.test`)).toBe('(no address)')
  })

  test('a password typed where the login name belongs is not logged', async () => {
    await guess(12, { login: 'hunter2' })
    expect(logged).toContain('"login":"(no address)"')
    expect(logged).toContain('login throttled')
    expect(logged).not.toContain('hunter2')
  })
})

describe('app passwords', () => {
  const app = '0123-4567-89ab-cdef-ghjk-mnpq-rstv'
  const add = (account: Account, scope: string[]) => {
    const verifier = appPasswordVerifier(secret, app)!
    return people.credentials.addAppPassword(account.id, { label: 'phone', scope, verifier }, 0)
  }

  test('open their services, cost no bcrypt, and their use is noted once an hour', async () => {
    const made = await add(alice, ['imap', 'smtp'])
    await clock.advance(5_000)
    expect(await login({ password: app })).toMatchObject({ ok: true })
    expect(await login({ password: app.toUpperCase(), service: 'smtp' })).toMatchObject({ ok: true })
    expect(await login({ password: app, service: 'pop3' })).toEqual(invalid)
    expect(work).toEqual([])
    expect(people.calls.touch).toBe(1)
    expect((await people.credentials.list(alice.id)).find(({ id }) => id === made.id)?.lastUsedAt).toBe(clock.now())
  })

  test("one's own only, and none that was removed", async () => {
    const bob = await people.add('bob@one.test')
    const made = await add(bob, [])
    expect(await login({ password: app })).toEqual(invalid)
    expect(await login({ password: app, login: 'bob@one.test' })).toMatchObject({ ok: true })
    await people.credentials.remove(bob.id, made.id)
    expect(await login({ password: app, login: 'bob@one.test' })).toEqual(invalid)
  })
})

describe('acting for another account', () => {
  test('is for administrators, who still are named', async () => {
    const root = await people.add('root@one.test', 'toor', { admin: true })
    const asRoot = { login: 'root@one.test', password: 'toor' }
    expect(await login({ ...asRoot, authzid: 'Alice@one.test' })).toEqual({ ok: true, account: alice, actor: root })
    expect(await login({ ...asRoot, authzid: 'root@one.test' })).toEqual({ ok: true, account: root, actor: root })
    expect(await login({ ...asRoot, authzid: 'nobody@one.test' })).toEqual(invalid)
    expect(await login({ authzid: 'root@one.test' })).toEqual(invalid)
    await people.directory.updateAccount(alice.id, { suspended: true })
    expect(await login({ ...asRoot, authzid: 'alice@one.test' })).toEqual({ ok: false, reason: 'suspended' })
    await people.directory.removeAccount(alice.id, clock.now())
    expect(await login({ ...asRoot, authzid: 'alice@one.test' })).toEqual(invalid)
  })

  test('an administrator who looked into the mail of another left no trace in the log', async () => {
    await people.add('root@one.test', 'toor', { admin: true })
    await login({ login: 'root@one.test', password: 'toor', authzid: 'alice@one.test' })
    expect(logged).toMatch(/"login":"alice@one\.test","by":"root@one\.test"/)
  })
})

describe('cache', () => {
  test('a right password costs no bcrypt for ten minutes', async () => {
    await login()
    await login()
    await clock.advance(599_999)
    await login()
    expect(work).toEqual(['verify'])
    await clock.advance(1)
    await login()
    expect(work).toEqual(['verify', 'verify'])
  })

  test('ten connections opened at once ask once', async () => {
    const results = await Promise.all(Array.from({ length: 10 }, () => login()))
    expect(results.every(({ ok }) => ok)).toBe(true)
    expect(work).toEqual(['verify'])
  })

  test("a changed password ends the old one's at once; another account's change costs no bcrypt", async () => {
    await login()
    await people.add('bob@one.test', 'other')
    expect(await login()).toMatchObject({ ok: true })
    expect(work).toEqual(['verify'])
    await people.setPassword(alice, 'new')
    expect(await login()).toEqual(invalid)
    expect(await login({ password: 'new' })).toMatchObject({ ok: true })
  })

  test('suspension, removal and what else changes of an account are seen at once', async () => {
    await login()
    await people.directory.updateAccount(alice.id, { quota: 7 })
    expect(await login()).toMatchObject({ account: { quota: 7 } })
    await people.directory.updateAccount(alice.id, { suspended: true })
    expect(await login()).toEqual({ ok: false, reason: 'suspended' })
    await people.directory.removeAccount(alice.id, clock.now())
    expect(await login()).toEqual(invalid)
  })

  test('a login whose password was being checked when it changed, or the account was closed, stood', async () => {
    const results: AuthenticationResult[] = []
    for (const change of [
      () => people.directory.updateAccount(alice.id, { suspended: true }),
      () => people.directory.updateAccount(alice.id, { suspended: false }),
      () => people.setPassword(alice, 'other'),
      () => people.directory.removeAccount(alice.id, clock.now()),
    ]) {
      before = async () => {
        before = undefined
        await change()
      }
      await clock.advance(11 * 60_000)
      results.push(await login())
      await people.setPassword(alice, 'secret')
    }
    const ok = expect.objectContaining({ ok: true })
    expect(results).toEqual([{ ok: false, reason: 'suspended' }, ok, invalid, invalid])
  })

  test('a password that was set while it was being checked as a wrong one stayed wrong for a minute', async () => {
    const changed = Promise.withResolvers<void>()
    const over = Promise.withResolvers<void>()
    before = async () => {
      before = undefined
      await people.setPassword(alice, 'new')
      changed.resolve()
      await over.promise
    }
    const early = login({ password: 'new' })
    await changed.promise
    const behind = login({ password: 'new' })
    over.resolve()
    expect([await early, await behind]).toMatchObject([invalid, { ok: true }])
    expect(await login({ password: 'new' })).toMatchObject({ ok: true })
  })

  test('a wrong password is known as wrong for a minute, until credentials change', async () => {
    await login({ password: 'wrong' })
    await login({ password: 'wrong' })
    expect(work).toEqual(['verify'])
    await people.setPassword(alice, 'wrong')
    expect(await login({ password: 'wrong' })).toMatchObject({ ok: true })
  })
})

describe('throttle', () => {
  test('ten different wrong passwords a minute from one network; then not even the right one is looked at', async () => {
    expect(await guess(11)).toEqual([...Array(10).fill(invalid), throttled])
    expect(await login()).toEqual(throttled)
    expect(await login({ login: 'bob@one.test' })).toEqual(throttled)
    await clock.advance(60_000)
    expect(await login()).toMatchObject({ ok: true })
  })

  test('the same wrong password counts once', async () => {
    for (let count = 0; count < 50; count++) expect(await login({ password: 'old' })).toEqual(invalid)
    expect(await login()).toMatchObject({ ok: true })
    expect(work).toEqual(['verify', 'verify'])
  })

  test('right passwords count for nothing, however many people are behind one address', async () => {
    for (let person = 0; person < 15; person++) await people.add(`p${person}@one.test`, 'secret')
    for (let person = 0; person < 15; person++) {
      expect(await login({ login: `p${person}@one.test` })).toMatchObject({ ok: true })
    }
  })

  test('a login name is throttled from all networks together', async () => {
    for (let host = 1; host <= 10; host++)
      expect(await login({ password: `g${host}`, address: `203.0.113.${host}` })).toEqual(invalid)
    expect(await login({ password: 'g11', address: '203.0.113.11' })).toEqual(throttled)
    expect(await login({ login: 'bob@one.test', address: '203.0.113.11' })).toEqual(invalid)
  })

  test('attempts at once are counted before they are checked', async () => {
    const gate = Promise.withResolvers<void>()
    before = () => gate.promise
    const all = Promise.all(Array.from({ length: 30 }, (_, index) => login({ password: `g${index}` })))
    await new Promise(setImmediate)
    gate.resolve()
    expect((await all).filter((result) => !result.ok && result.reason === 'throttled')).toHaveLength(20)
    expect(work).toHaveLength(10)
  })

  test('a known network is slowed, never shut out', async () => {
    await login()
    await clock.advance(20 * 86_400_000)
    await guess(10)
    const slow = [login(), login({ password: 'wrong again' })]
    const done: number[] = []
    for (const [index, one] of slow.entries()) void one.then(() => done.push(index))
    await new Promise(setImmediate)
    expect(done).toEqual([])
    await clock.advance(1_000)
    expect(await slow[0]).toMatchObject({ ok: true })
    await clock.advance(1_000)
    expect(await slow[1]).toEqual(invalid)
  })

  test('who did not stay to wait was checked all the same, and all others waited behind that', async () => {
    await login()
    await guess(10)
    const spent = work.length
    const client = { hasLeft: false }
    const gone = login({ password: 'left', client })
    const stays = login({ password: 'stays', client: { hasLeft: false } })
    await new Promise(setImmediate)
    client.hasLeft = true
    await clock.advance(20_000)
    expect([await gone, await stays]).toEqual([throttled, invalid])
    expect(work).toHaveLength(spent + 1)
  })

  test('failures elsewhere never slow a known network', async () => {
    await login()
    await clock.advance(700_000)
    for (let host = 1; host <= 30; host++) await login({ password: `g${host}`, address: `203.0.113.${host}` })
    expect(await login()).toMatchObject({ ok: true })
    expect(work.at(-1)).toBe('verify')
  })

  test('a network is a stranger again after 30 days', async () => {
    await login()
    await clock.advance(31 * 86_400_000)
    expect((await guess(11)).at(-1)).toEqual(throttled)
  })

  test('a cached password is not held up by what others try', async () => {
    await login()
    await guess(30, { address: '203.0.113.1' })
    expect(await login({ address: '203.0.113.1' })).toMatchObject({ ok: true })
  })

  test('who was throttled went on with other names until the counts of its guesses were forgotten', async () => {
    const limits = { trackedKeys: 100 }
    const networkOf = (address: string): string => address
    const random = seededRandom(4422)
    authenticator = createAuthenticator({ ...people, passwords, secret, networkOf, random, log: silentLog, limits })
    await guess(10)
    for (let name = 0; name < 200; name++) expect(await login({ login: `n${name}@one.test` })).toEqual(throttled)
    expect(await login()).toEqual(throttled)
    expect(await login({ address: '203.0.113.1' })).toEqual(throttled)
  })

  test('clients of a Unix socket count by name only', async () => {
    await guess(10, { address: '', login: 'bob@one.test' })
    expect(await login({ address: '' })).toMatchObject({ ok: true })
    expect(await login({ address: '', login: 'bob@one.test' })).toEqual(throttled)
  })
})
