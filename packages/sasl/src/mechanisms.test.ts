import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Mechanism, Step } from './mechanism.ts'
import { findMechanism, mechanisms } from './mechanisms.ts'

/** Runs an exchange to its end; `said` are the server's challenges. */
function exchange(
  mechanism: Mechanism,
  initial: string | undefined,
  ...answers: string[]
): { said: string[]; end: Step } {
  const said: string[] = []
  let step = mechanism.start(initial === undefined ? undefined : Buffer.from(initial))
  while (step.kind === 'challenge') {
    said.push(step.octets.toString())
    const answer = answers.shift()
    if (answer === undefined) break
    step = step.next(Buffer.from(answer))
  }
  return { said, end: step }
}

const plain = findMechanism('plain')!
const login = findMechanism('Login')!

test('are found by name in any case, and only those that are there', () => {
  expect(mechanisms.map(({ name }) => name)).toEqual(['PLAIN', 'LOGIN'])
  expect(findMechanism('CRAM-MD5')).toBeUndefined()
})

describe('PLAIN', () => {
  test('the examples of RFC 4616 §4', () => {
    expect(exchange(plain, undefined, '\0tim\0tanstaaftanstaaf')).toEqual({
      said: [''],
      end: { kind: 'verify', claim: { login: 'tim', password: 'tanstaaftanstaaf' } },
    })
    expect(exchange(plain, 'Ursel\0Kurt\0xipj3plmq').end).toEqual({
      kind: 'verify',
      claim: { login: 'Kurt', password: 'xipj3plmq', authzid: 'Ursel' },
    })
  })

  test.each(['', 'tim', 'tim\0secret', '\0tim\0', '\0\0secret', '\0tim\0sec\0ret', 'a\0b\0c\0'])(
    'refuses %j',
    (message) => {
      expect(exchange(plain, message).end.kind).toBe('fail')
    },
  )

  test('refuses what is not UTF-8', () => {
    expect(plain.start(Buffer.from('\0j\xfcrgen\0secret', 'latin1')).kind).toBe('fail')
  })
})

describe('LOGIN', () => {
  const end: Step = { kind: 'verify', claim: { login: 'alice@one.test', password: 'secret' } }

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
    const asked = login.start(Buffer.of(0xff))
    expect(asked.kind === 'challenge' && asked.next(Buffer.from('secret')).kind).toBe('fail')
  })
})

test('any octets end in a few steps and never throw', () => {
  const octets = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))
  fc.assert(
    fc.property(
      fc.constantFrom(...mechanisms),
      fc.option(octets, { nil: undefined }),
      octets,
      (mechanism, initial, answer) => {
        let step = mechanism.start(initial)
        for (let round = 0; step.kind === 'challenge' && round < 4; round++) step = step.next(answer)
        expect(['verify', 'fail']).toContain(step.kind)
        if (step.kind === 'verify') expect(step.claim.login && step.claim.password).toBeTruthy()
      },
    ),
    { seed: 4616, numRuns: 500 },
  )
})
