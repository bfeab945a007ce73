import { systemDeadline } from '@pennypost/model'
import { expect, test } from 'vitest'
import { createIntrospection } from './token-introspection.ts'

/** An issuer that answers with `answer`, and what it was asked. */
function issuer(answer: () => Response, scope = '') {
  const asked: { authorization: string | null; body: string }[] = []
  const check = createIntrospection({
    url: 'https://id.one.test/introspect',
    clientId: 'penny post',
    clientSecret: 's:cret',
    loginClaim: 'email',
    scope,
    discoveryUrl: '',
    deadline: systemDeadline,
    fetch: async (_, init) => {
      asked.push({ authorization: new Headers(init?.headers).get('authorization'), body: String(init?.body) })
      return answer()
    },
  })
  return { check, asked }
}

test('asks with its own credentials, and takes the login name from the claim', async () => {
  const { check, asked } = issuer(() => Response.json({ active: true, email: 'alice@one.test', username: 'a' }))
  expect(await check.loginOf('mF_9.B5f-4.1JqM')).toBe('alice@one.test')
  const authorization = `Basic ${Buffer.from('penny%20post:s%3Acret').toString('base64')}`
  expect(asked).toEqual([{ authorization, body: 'token=mF_9.B5f-4.1JqM&token_type_hint=access_token' }])
})

test.each([
  { active: false, email: 'alice@one.test' },
  { email: 'alice@one.test' },
  { active: true },
  { active: true, email: 7 },
])('%j is nobody', async (said) => {
  expect(await issuer(() => Response.json(said)).check.loginOf('t')).toBeUndefined()
})

test('a token that was given for something else opened the mail', async () => {
  const loginWith = (scope: unknown, wanted: string) =>
    issuer(() => Response.json({ active: true, email: 'alice@one.test', scope }), wanted).check.loginOf('t')
  for (const scopes of [undefined, '', 'openid', 'mailbox', 'openid webmail', ['mail']]) {
    expect(await loginWith(scopes, 'mail')).toBeUndefined()
  }
  expect(await loginWith('openid mail', 'mail')).toBe('alice@one.test')
  expect(await loginWith('openid', '')).toBe('alice@one.test')
})

test.each([
  ['an error', () => new Response('no', { status: 500 }), 'answers 500'],
  ['no JSON', () => new Response('token t'), 'something else than a JSON object'],
  ['no object', () => Response.json(null), 'something else than a JSON object'],
  ['a flood', () => new Response('x'.repeat(70_000)), 'more than a token can have'],
])('%s is no answer', async (_, answer, text) => {
  await expect(issuer(answer).check.loginOf('t')).rejects.toThrow(text)
})

test.each([
  [
    new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:9') }),
    'connect ECONNREFUSED 127.0.0.1:9',
  ],
  [new TypeError('fetch failed', { cause: Object.assign(new Error(''), { code: 'ETIMEDOUT' }) }), 'ETIMEDOUT'],
  [new Error('not known after 5000 ms'), 'not known after 5000 ms'],
])('why an issuer could not be asked was said nowhere: %s', async (error, reason) => {
  const { check } = issuer(() => {
    throw error
  })
  await expect(check.loginOf('t')).rejects.toThrow(`cannot be asked: ${reason}`)
})

test('an issuer that broke off in the middle of its answer was not named in the log', async () => {
  const body = new ReadableStream({ pull: (stream) => stream.error(new TypeError('terminated')) })
  const asking = issuer(() => new Response(body)).check.loginOf('t')
  await expect(asking).rejects.toThrow('the token issuer breaks off its answer: terminated')
})
