import { silentLog } from '@pennypost/model'
import { seededRandom } from '@pennypost/model/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { createPeople, type People } from '../test/people.ts'
import { type Authenticator, createAuthenticator } from './authenticator.ts'
import { createPasswords } from './passwords.ts'

/** Logins without a password of ours: what TLS or somebody else's server has proved. */

let people: People
let authenticator: Authenticator
let issued: Map<string, string>
let down: boolean

beforeEach(async () => {
  people = await createPeople()
  issued = new Map([
    ['of alice', 'Alice@ONE.test'],
    ['of the boss', 'boss@one.test'],
    ['of a stranger', 'x@elsewhere.test'],
  ])
  down = false
  authenticator = createAuthenticator({
    ...people,
    passwords: createPasswords({ cost: 4 }),
    secret: Buffer.alloc(32, 3),
    networkOf: (address) => address,
    random: seededRandom(7628),
    log: silentLog,
    tokens: {
      discoveryUrl: '',
      async loginOf(token) {
        if (down) throw new Error('the issuer does not answer')
        return issued.get(token)
      },
    },
  })
  await people.add('alice@one.test')
  await people.add('boss@one.test', undefined, { admin: true })
})

const from = { service: 'imap', address: '192.0.2.1' }
const byToken = (token: string, authzid?: string) =>
  authenticator.authenticate({ kind: 'token', token, ...(authzid && { authzid }), ...from })
const byCertificate = (addresses: string[], authzid?: string) =>
  authenticator.authenticate({ kind: 'certificate', addresses, ...(authzid && { authzid }), ...from })
const invalid = { ok: false, reason: 'invalid' }

describe('a token', () => {
  test('is the login of the account that its issuer names', async () => {
    expect(await byToken('of alice', 'alice@one.test')).toMatchObject({
      ok: true,
      account: { login: 'alice@one.test' },
    })
    expect(await byToken('of alice', 'boss@one.test')).toEqual(invalid)
    expect(await byToken('of a stranger')).toEqual(invalid)
    expect(await byToken('made up')).toEqual(invalid)
  })

  test('of an administrator acts for an account', async () => {
    expect(await byToken('of the boss', 'alice@one.test')).toMatchObject({
      account: { login: 'alice@one.test' },
      actor: { login: 'boss@one.test' },
    })
  })

  test('cannot be checked while its issuer does not answer, and that counts against nobody', async () => {
    down = true
    for (let count = 0; count < 20; count++) {
      expect(await byToken(`of alice ${count}`)).toEqual({ ok: false, reason: 'unavailable' })
    }
    down = false
    expect(await byToken('of alice')).toMatchObject({ ok: true })
  })

  test('guesses are throttled by network', async () => {
    for (let count = 0; count < 10; count++) expect(await byToken(`guess ${count}`)).toEqual(invalid)
    expect(await byToken('one more')).toEqual({ ok: false, reason: 'throttled' })
  })
})

describe('a certificate', () => {
  test('opens the account that it names, or the one of several that is wanted', async () => {
    expect(await byCertificate(['alice@one.test'])).toMatchObject({ account: { login: 'alice@one.test' } })
    const both = ['nobody@one.test', 'alice@one.test', 'boss@one.test']
    expect(await byCertificate(both)).toMatchObject({ account: { login: 'alice@one.test' } })
    expect(await byCertificate(both, 'Boss@one.test')).toMatchObject({ actor: { login: 'boss@one.test' } })
  })

  test('with an address that no login name can be hid the addresses behind it', async () => {
    const tooLong = `${'x'.repeat(400)}@one.test`
    expect(await byCertificate([tooLong, 'alice@one.test'])).toMatchObject({ account: { login: 'alice@one.test' } })
  })

  test('opens nobody else', async () => {
    expect(await byCertificate(['alice@one.test'], 'boss@one.test')).toEqual(invalid)
    expect(await byCertificate([])).toEqual(invalid)
    expect(await byCertificate(['x@elsewhere.test'])).toEqual(invalid)
  })
})
