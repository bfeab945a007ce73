import { seededRandom } from '@pennypost/model/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Mechanism, Peer, Step } from './mechanism.ts'
import { createMechanisms, findMechanism, mechanismNames, usableMechanisms } from './mechanisms.ts'

const clear: Peer = { channelBinding: () => undefined, certifiedAddresses: undefined }
const secured: Peer = {
  channelBinding: (type) => (type === 'tls-exporter' ? Buffer.from('bound') : undefined),
  certifiedAddresses: ['alice@one.test'],
}
const all = createMechanisms({ random: seededRandom(4422), scram: true, tokens: { discoveryUrl: 'https://id.test/' } })

/** Runs an exchange to its end; `said` are the server's challenges. */
function exchange(
  mechanism: Mechanism,
  initial: string | undefined,
  ...answers: string[]
): { said: string[]; end: Step } {
  return exchangeOver(secured, mechanism, initial, ...answers)
}

function exchangeOver(
  peer: Peer,
  mechanism: Mechanism,
  initial: string | undefined,
  ...answers: string[]
): { said: string[]; end: Step } {
  const said: string[] = []
  let step = mechanism.start(initial === undefined ? undefined : Buffer.from(initial), peer)
  while (step.kind === 'challenge') {
    said.push(step.octets.toString())
    const answer = answers.shift()
    if (answer === undefined) break
    step = step.next(Buffer.from(answer))
    while (step.kind === 'salt') step = step.next({ salt: Buffer.from('salt'), iterations: 4096 })
  }
  return { said, end: step }
}

const plain = findMechanism(all, 'plain')!
const login = findMechanism(all, 'Login')!

test('are all named', () => {
  expect(all.map(({ name }) => name)).toEqual(mechanismNames)
})

test('are found by name in any case, and only those that are there', () => {
  expect(findMechanism(all, 'CRAM-MD5')).toBeUndefined()
})

test('are offered where the installation has them and the connection can bear them', () => {
  const names = (mechanisms: readonly Mechanism[]) => mechanisms.map(({ name }) => name)
  const few = createMechanisms({ random: seededRandom(1), scram: false, tokens: undefined })
  expect(names(usableMechanisms(few, clear, true))).toEqual(['PLAIN', 'LOGIN'])
  expect(names(usableMechanisms(all, clear, false))).toEqual(['SCRAM-SHA-256'])
  expect(names(usableMechanisms(all, secured, true))).toEqual([
    'EXTERNAL',
    'SCRAM-SHA-256-PLUS',
    'SCRAM-SHA-256',
    'OAUTHBEARER',
    'XOAUTH2',
    'PLAIN',
    'LOGIN',
  ])
})

describe('PLAIN', () => {
  test('the examples of RFC 4616 §4', () => {
    expect(exchange(plain, undefined, '\0tim\0tanstaaftanstaaf')).toEqual({
      said: [''],
      end: { kind: 'verify', claim: { kind: 'password', login: 'tim', password: 'tanstaaftanstaaf' } },
    })
    expect(exchange(plain, 'Ursel\0Kurt\0xipj3plmq').end).toEqual({
      kind: 'verify',
      claim: { kind: 'password', login: 'Kurt', password: 'xipj3plmq', authzid: 'Ursel' },
    })
  })

  test.each(['', 'tim', 'tim\0secret', '\0tim\0', '\0\0secret', '\0tim\0sec\0ret', 'a\0b\0c\0'])(
    'refuses %j',
    (message) => {
      expect(exchange(plain, message).end.kind).toBe('fail')
    },
  )

  test('refuses what is not UTF-8', () => {
    expect(plain.start(Buffer.from('\0j\xfcrgen\0secret', 'latin1'), clear).kind).toBe('fail')
  })
})

describe('LOGIN', () => {
  const end: Step = { kind: 'verify', claim: { kind: 'password', login: 'alice@one.test', password: 'secret' } }

  test('with both prompts, or with the name as initial response', () => {
    const both = exchange(login, undefined, 'alice@one.test', 'secret')
    expect(both).toEqual({ said: ['Username:', 'Password:'], end })
    expect(exchange(login, 'alice@one.test', 'secret')).toEqual({ said: ['Password:'], end })
  })

  test('an empty initial response is none', () => {
    expect(exchange(login, '', 'alice@one.test', 'secret')).toEqual({ said: ['Username:', 'Password:'], end })
  })

  test('refuses an empty name or password, and what is not UTF-8', () => {
    expect(exchange(login, undefined, '', 'secret').end.kind).toBe('fail')
    expect(exchange(login, 'alice', '').end.kind).toBe('fail')
    const asked = login.start(Buffer.of(0xff), clear)
    expect(asked.kind === 'challenge' && asked.next(Buffer.from('secret')).kind).toBe('fail')
  })
})

describe('EXTERNAL', () => {
  const external = findMechanism(all, 'EXTERNAL')!

  test('was offered, before all others, to who showed a certificate without an address and could not use it', () => {
    const offered = usableMechanisms(all, { ...secured, certifiedAddresses: [] }, true)
    expect(offered).not.toContain(external)
    expect(offered).toHaveLength(all.length - 1)
  })

  const claim = { kind: 'certificate', addresses: ['alice@one.test'] }

  test('claims what the certificate says, as whomever the client wants', () => {
    expect(exchange(external, '').end).toEqual({ kind: 'verify', claim })
    expect(exchange(external, undefined, 'bob@one.test')).toEqual({
      said: [''],
      end: { kind: 'verify', claim: { ...claim, authzid: 'bob@one.test' } },
    })
  })

  test('needs a certificate, and no NUL', () => {
    expect(exchangeOver(clear, external, '').end.kind).toBe('fail')
    expect(exchange(external, 'a\0b').end.kind).toBe('fail')
  })
})

describe('bearer tokens', () => {
  const oauth = findMechanism(all, 'OAUTHBEARER')!
  const xoauth2 = findMechanism(all, 'XOAUTH2')!
  const token = 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=='

  test('the examples of RFC 7628 §4', () => {
    const sent = `n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer ${token}\x01\x01`
    const claim = { kind: 'token', token, authzid: 'user@example.com' }
    expect(exchange(oauth, sent).end).toEqual({ kind: 'verify', claim })
    const refused = oauth.lastWord?.({ ok: false, reason: 'invalid' })?.toString() ?? ''
    expect(JSON.parse(refused)).toEqual({
      status: 'invalid_token',
      schemes: 'bearer',
      'openid-configuration': 'https://id.test/',
    })
  })

  test('a token is called invalid only where it was found to be', () => {
    for (const reason of ['unavailable', 'throttled', 'suspended'] as const) {
      for (const mechanism of [oauth, xoauth2]) expect(mechanism.lastWord?.({ ok: false, reason })).toBeUndefined()
    }
  })

  test('who asked for a channel binding was let in without one', () => {
    const sent = (flag: string) => `${flag},,\x01auth=Bearer ${token}\x01\x01`
    expect(['n', 'y', 'p=tls-exporter'].map((flag) => exchange(oauth, sent(flag)).end.kind)).toEqual([
      'verify',
      'verify',
      'fail',
    ])
  })

  test('XOAUTH2 names its user', () => {
    const sent = `user=someuser@example.com\x01auth=Bearer ${token}\x01\x01`
    const claim = { kind: 'token', token, authzid: 'someuser@example.com' }
    expect(exchange(xoauth2, sent).end).toEqual({ kind: 'verify', claim })
    expect(xoauth2.lastWord?.({ ok: false, reason: 'invalid' })?.toString()).toContain('"status":"401"')
  })

  test.each([
    '',
    '\x01',
    'n,,\x01\x01',
    'n,,\x01auth=Basic eA==\x01\x01',
    'n,,\x01auth=Bearer\x01\x01',
    `auth=Bearer ${token}`,
  ])('refuse %j', (sent) => {
    expect(exchange(oauth, sent).end.kind).toBe('fail')
    expect(exchange(xoauth2, sent).end.kind).toBe('fail')
  })
})

test('any octets end in a few steps and never throw', () => {
  const octets = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))
  fc.assert(
    fc.property(
      fc.constantFrom(...all),
      fc.option(octets, { nil: undefined }),
      octets,
      (mechanism, initial, answer) => {
        let step = mechanism.start(initial, secured)
        for (let round = 0; step.kind === 'challenge' && round < 4; round++) step = step.next(answer)
        expect(['verify', 'fail']).toContain(step.kind)
        if (step.kind === 'verify') expect(step.claim).toHaveProperty('kind')
      },
    ),
    { seed: 4616, numRuns: 500 },
  )
})
