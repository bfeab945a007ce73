import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import type { Account } from '@pennypost/model'
import { silentLog } from '@pennypost/model'
import { seededRandom } from '@pennypost/model/testing'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { createPeople, type People } from '../test/people.ts'
import { type Authenticator, createAuthenticator } from './authenticator.ts'
import { type ExchangeEnd, runExchange } from './exchange.ts'
import type { Peer } from './mechanism.ts'
import { createScram } from './mechanisms/scram.ts'
import { findMechanism } from './mechanisms.ts'
import { createPasswords } from './passwords.ts'
import {
  checkScramProof,
  formatScramVerifier,
  makeScramVerifier,
  parseScramVerifier,
  type ScramVerifier,
} from './scram-verifier.ts'

const clear: Peer = { channelBinding: () => undefined, certifiedAddresses: undefined }
const bound: Peer = { ...clear, channelBinding: (type) => Buffer.from(`octets of ${type}`) }

describe('the example of RFC 7677 §3', () => {
  const clientFirst = 'n=user,r=rOprNGfwEbeRWgbNEkqO'
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
  const serverFirst = `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`
  const clientFinal = `c=biws,r=${nonce}`
  const authMessage = `${clientFirst},${serverFirst},${clientFinal}`
  const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64')
  const salt = { salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), iterations: 4096 }

  test('is answered as it says', async () => {
    const verifier = await makeScramVerifier('pencil', salt)
    expect(checkScramProof(verifier as ScramVerifier, authMessage, proof)?.toString('base64')).toBe(
      '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    )
    const wrong = await makeScramVerifier('Pencil', salt)
    expect(checkScramProof(wrong as ScramVerifier, authMessage, proof)).toBeUndefined()
    expect(checkScramProof(verifier as ScramVerifier, authMessage, proof.subarray(1))).toBeUndefined()
  })

  test('a verifier is written as RFC 5803 has it, and read back', async () => {
    const verifier = (await makeScramVerifier('pencil', salt)) as ScramVerifier
    const text = formatScramVerifier(verifier)
    expect(text).toMatch(/^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$[\w+/]{43}=:[\w+/]{43}=$/)
    expect(parseScramVerifier(text)).toEqual(verifier)
    for (const broken of ['', 'SCRAM-SHA-1$1:a$b:c', text.slice(0, -2), `${text}x`]) {
      expect(parseScramVerifier(broken)).toBeUndefined()
    }
  })
})

/** A client that keeps to RFC 5802, but for what a test makes it say otherwise. */
interface Client {
  password: string
  header?: string
  name?: string
  binding?: Buffer
  tamper?(clientFinal: string): string
  /** What happens before it answers the server's last word. */
  meanwhile?(): Promise<unknown>
}

let people: People
let authenticator: Authenticator
let alice: Account

beforeEach(async () => {
  people = await createPeople()
  const passwords = createPasswords({ cost: 4 })
  authenticator = createAuthenticator({
    ...people,
    passwords,
    secret: Buffer.alloc(32, 3),
    networkOf: (address) => address,
    random: seededRandom(5802),
    log: silentLog,
    scram: true,
  })
  alice = await people.add('alice@one.test')
  await people.credentials.setPassword(alice.id, await passwords.hash('secret'), 0)
})

async function logIn(
  client: Client,
  options: { plus?: boolean; peer?: Peer; address?: string } = {},
): Promise<ExchangeEnd> {
  const { header = 'n,,', name = 'alice@one.test', binding = Buffer.alloc(0), tamper = (text) => text } = client
  const mechanism = findMechanism(authenticator.mechanisms, options.plus ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256')!
  const bare = `n=${name},r=fyko+d2lbbFgONRv9qkxdawL`
  let serverSignature = ''
  return runExchange({
    mechanism,
    authenticator,
    peer: options.peer ?? clear,
    service: 'imap',
    address: options.address ?? '192.0.2.1',
    initialResponse: Buffer.from(header + bare).toString('base64'),
    async ask(challenge) {
      const said = Buffer.from(challenge, 'base64').toString()
      if (said.startsWith('v=')) {
        expect(said).toBe(`v=${serverSignature}`)
        await client.meanwhile?.()
        return ''
      }
      const [, nonce = '', salt = '', count] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(said) ?? []
      const salted = pbkdf2Sync(client.password, Buffer.from(salt, 'base64'), Number(count), 32, 'sha256')
      const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
      const clientKey = hmac(salted, 'Client Key')
      const channel = Buffer.concat([Buffer.from(header), binding]).toString('base64')
      const final = tamper(`c=${channel},r=${nonce}`)
      const authMessage = `${bare},${said},${final}`
      const signature = hmac(createHash('sha256').update(clientKey).digest(), authMessage)
      serverSignature = hmac(hmac(salted, 'Server Key'), authMessage).toString('base64')
      const proof = clientKey.map((octet, index) => octet ^ signature[index]!)
      return Buffer.from(`${final},p=${Buffer.from(proof).toString('base64')}`).toString('base64')
    },
  })
}

async function logInByPassword(login: string, password: string): Promise<void> {
  const attempt = { kind: 'password' as const, login, password, service: 'imap', address: '192.0.2.1' }
  expect((await authenticator.authenticate(attempt)).ok).toBe(true)
}

const hasVerifier = async ({ id }: Account): Promise<boolean> =>
  (await people.credentials.list(id)).every(({ scram }) => scram !== null)

/** A login with the password itself, and the verifier that it leaves behind. */
async function provide(password = 'secret'): Promise<void> {
  await logInByPassword('alice@one.test', password)
  await expect.poll(() => hasVerifier(alice)).toBe(true)
}

test('who was suspended before its answer to our last word was logged in all the same', async () => {
  await provide()
  const { directory, credentials } = people
  const suspend = (suspended: boolean) => directory.updateAccount(alice.id, { suspended })
  const suspended = { kind: 'result', login: alice.login, result: { ok: false, reason: 'suspended' } }
  expect(await logIn({ password: 'secret', meanwhile: () => suspend(true) })).toEqual(suspended)
  await suspend(false)
  const change = () => credentials.setPassword(alice.id, 'another', 0)
  expect(await logIn({ password: 'secret', meanwhile: change })).toEqual(invalid)
})

const ok = expect.objectContaining({ result: expect.objectContaining({ ok: true }) })
const invalid = { kind: 'result', login: expect.anything(), result: { ok: false, reason: 'invalid' } }

describe('an account', () => {
  test('logs in once a password login has left a verifier, and proves the server to the client', async () => {
    expect(await logIn({ password: 'secret' })).toEqual(invalid)
    await provide()
    expect(await logIn({ password: 'secret' })).toEqual(ok)
    expect(await logIn({ password: 'guess' })).toEqual(invalid)
  })

  test('has a new verifier with a new password', async () => {
    await provide()
    await people.credentials.setPassword(alice.id, await createPasswords({ cost: 4 }).hash('other'), 0)
    expect(await logIn({ password: 'secret' })).toEqual(invalid)
    await provide('other')
    expect(await logIn({ password: 'other' })).toEqual(ok)
  })

  // Each account that logged in after a restart had a thread of the pool computing, and file I/O waited for all of them.
  test('leaves its verifier to a later login while that of another is made', async () => {
    const bob = await people.add('bob@one.test')
    await people.credentials.setPassword(bob.id, await createPasswords({ cost: 4 }).hash('secret'), 0)
    const { credentials } = people
    const setScram = credentials.setScram
    const { promise: mayStore, resolve: store } = Promise.withResolvers<void>()
    credentials.setScram = async (...verifier) => {
      await mayStore
      return setScram(...verifier)
    }
    await logInByPassword('alice@one.test', 'secret')
    await logInByPassword('bob@one.test', 'secret')
    store()
    await expect.poll(() => hasVerifier(alice)).toBe(true)
    expect(await hasVerifier(bob)).toBe(false)
    await people.clock.advance(600_000)
    await logInByPassword('bob@one.test', 'secret')
    await expect.poll(() => hasVerifier(bob)).toBe(true)
  })

  test('that is suspended is told so only with the right password', async () => {
    await provide()
    await people.directory.updateAccount(alice.id, { suspended: true })
    expect(await logIn({ password: 'secret' })).toMatchObject({ result: { ok: false, reason: 'suspended' } })
    expect(await logIn({ password: 'guess' })).toEqual(invalid)
  })

  test('that does not exist has a salt all the same, always the same one', async () => {
    const salt = authenticator.scramSalt('nobody@one.test')
    expect(salt).toEqual(authenticator.scramSalt('Nobody@One.test'))
    expect(salt.iterations).toBe(authenticator.scramSalt('alice@one.test').iterations)
    expect(salt.salt).not.toEqual(authenticator.scramSalt('alice@one.test').salt)
    expect(await logIn({ password: 'secret', name: 'nobody@one.test' })).toEqual(invalid)
  })

  test('asks for no fewer than 100 000 rounds', () => {
    expect(authenticator.scramSalt('alice@one.test').iterations).toBeGreaterThanOrEqual(100_000)
  })

  test('guesses are throttled as passwords are', async () => {
    await provide()
    const address = '198.51.100.7'
    for (let count = 0; count < 10; count++)
      expect(await logIn({ password: `guess ${count}` }, { address })).toEqual(invalid)
    const throttled = { result: { ok: false, reason: 'throttled' } }
    expect(await logIn({ password: 'secret' }, { address })).toMatchObject(throttled)
    expect(await logIn({ password: 'secret' })).toEqual(ok)
  })
})

describe('channel binding', () => {
  const header = 'p=tls-exporter,,'
  const binding = Buffer.from('octets of tls-exporter')

  test('ties the exchange to its TLS session', async () => {
    await provide()
    const options = { plus: true, peer: bound }
    expect(await logIn({ password: 'secret', header, binding }, options)).toEqual(ok)
    expect(await logIn({ password: 'secret', header, binding: Buffer.from('another') }, options)).toMatchObject({
      kind: 'failed',
    })
    expect(await logIn({ password: 'secret', header: 'p=tls-unique,,', binding }, options)).toMatchObject({
      kind: 'failed',
    })
    expect(await logIn({ password: 'secret' }, options)).toMatchObject({ kind: 'failed' })
  })

  test('a client that was told of none where there is some is refused (RFC 5802 §6)', async () => {
    await provide()
    expect(await logIn({ password: 'secret', header: 'y,,' }, { peer: bound })).toMatchObject({ kind: 'failed' })
    expect(await logIn({ password: 'secret', header: 'y,,' })).toEqual(ok)
    expect(await logIn({ password: 'secret', header: 'n,,' }, { peer: bound })).toEqual(ok)
  })

  test('does not belong to the mechanism without PLUS', async () => {
    await provide()
    expect(await logIn({ password: 'secret', header, binding }, { peer: bound })).toMatchObject({ kind: 'failed' })
  })
})

test('what a client changes of what was said ends the exchange', async () => {
  await provide()
  for (const tamper of [
    (text: string) => text.replace('c=biws', 'c=biwt'),
    (text: string) => `${text}x`,
    (text: string) => text.replace(/r=.*/, 'r=mine'),
  ]) {
    expect(await logIn({ password: 'secret', tamper })).toMatchObject({ kind: 'failed' })
  }
  expect(await logIn({ password: 'secret', tamper: (text) => `${text},x=later` })).toEqual(ok)
})

test('an extension that has to be understood was passed over (RFC 5802 §5.1)', async () => {
  await provide()
  const tamper = (text: string) => `${text},m=unknown`
  expect(await logIn({ password: 'secret', tamper })).toMatchObject({ kind: 'failed' })
  const first = (text: string) => createScram(seededRandom(1), false).start(Buffer.from(text), clear).kind
  expect(first('n,,n=a,r=x,t=optional')).toBe('salt')
  expect(first('n,,n=a,r=x,m=unknown')).toBe('fail')
})

test('names are unescaped, and nothing else is let through', () => {
  const { start } = createScram(seededRandom(1), false)
  const first = (text: string) => start(Buffer.from(text), clear)
  expect(first('n,a=bob=2Cor=3Dso,n=a=2Cb=3Dc,r=x')).toMatchObject({ kind: 'salt', login: 'a,b=c' })
  expect(first('n,a=,n=a,r=x').kind).toBe('salt')
  const refused = [
    '',
    'n,,',
    'n,,n=,r=x',
    'n,,n=a=b,r=x',
    'n,,m=1,n=a,r=x',
    'n,,n=a,r=',
    'n,a=b=,n=a,r=x',
    'n,,n=a,r=é',
  ]
  for (const text of refused) expect(first(text).kind, text).toBe('fail')
})

test('any octets end the exchange in order', () => {
  const pieces = fc.constantFrom('n,,', 'y,,', 'p=tls-exporter,,', 'n=a', ',', 'r=', 'abc', '=2C', '\0', 'a=b,', 'é')
  const octets = fc.array(pieces, { maxLength: 8 }).map((parts) => Buffer.from(parts.join('')))
  fc.assert(
    fc.property(octets, octets, fc.boolean(), (first, final, plus) => {
      let step = createScram(seededRandom(1), plus).start(first, bound)
      if (step.kind === 'salt') step = step.next({ salt: Buffer.from('salt'), iterations: 1 })
      if (step.kind === 'challenge') step = step.next(final)
      expect(step.kind).toBe('fail')
    }),
    { seed: 5802, numRuns: 1000 },
  )
})
