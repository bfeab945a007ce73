import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { authorizedUrl, relativeUrl } from './message-url.ts'

const whole = { part: [], text: 'ALL', fields: [] }

describe('a relative URL', () => {
  test('names a mailbox, a message, a part and a range', () => {
    expect(relativeUrl('/Caf%C3%A9/;UID=20')).toEqual({
      mailbox: 'Café',
      uidValidity: undefined,
      uid: 20,
      partial: undefined,
      section: expect.objectContaining(whole),
    })
    expect(relativeUrl('/INBOX;UIDVALIDITY=385759045/;uid=20/;section=1.2/;partial=0.1024')).toEqual({
      mailbox: 'INBOX',
      uidValidity: 385759045,
      uid: 20,
      partial: { start: 0, size: 1024 },
      section: expect.objectContaining({ part: [1, 2] }),
    })
    expect(relativeUrl(';UID=3')).toMatchObject({ mailbox: undefined, uid: 3 })
  })

  test.each([
    '',
    '/',
    '/INBOX',
    '/INBOX/;UID=',
    '/INBOX/;UID=x',
    '/%FF/;UID=1',
    '/INBOX/;UID=1/;SECTION=%',
    '//;UID=1x',
  ])('%j is none', (text) => expect(relativeUrl(text)).toBeUndefined())
})

describe('an authorized URL', () => {
  const token = '91354a473744909de610943775f92038'
  const message = 'imap://joe@example.com/INBOX/;uid=20/;section=1.2'

  // RFC 4467 §9
  test('as the RFC shows it', () => {
    expect(authorizedUrl(`${message};urlauth=submit+fred:internal:${token}`)).toEqual({
      rump: `${message};urlauth=submit+fred`,
      login: 'joe@example.com',
      expiresAt: undefined,
      access: { kind: 'submit', login: 'fred' },
      message: expect.objectContaining({ mailbox: 'INBOX', uid: 20 }),
      token: { mechanism: 'internal', value: token },
    })
  })

  test.each(['[::1]', 'mail.one.test:143', '[2001:db8::1]:143'])('at %s', (host) => {
    expect(authorizedUrl(`imap://alice%40one.test@${host}/INBOX/;uid=1;urlauth=anonymous`)).toMatchObject({
      login: 'alice@one.test',
      message: { mailbox: 'INBOX' },
    })
  })

  test('expires, and names whom it is for', () => {
    const url = 'imap://alice%40one.test;AUTH=*@mail.one.test/A%3BB/;UID=1;EXPIRE=2026-02-01T12:00:00+01:00;URLAUTH='
    expect(authorizedUrl(`${url}user+bob%40one.test`)).toMatchObject({
      login: 'alice@one.test',
      expiresAt: Date.UTC(2026, 1, 1, 11),
      token: undefined,
      access: { kind: 'user', login: 'bob@one.test' },
      message: { mailbox: 'A;B' },
    })
    expect(authorizedUrl(`${url}AUTHUSER`)).toMatchObject({ access: { kind: 'authuser' } })
    expect(authorizedUrl(`${url}anonymous:INTERNAL:${token}`)).toMatchObject({
      access: { kind: 'anonymous' },
      rump: `${url}anonymous`,
    })
  })

  test('lost what follows a + in the name of whom it is for', () => {
    expect(authorizedUrl(`${message};urlauth=user+bob+news%40one.test`)?.access).toEqual({
      kind: 'user',
      login: 'bob+news@one.test',
    })
  })

  test.each([
    message,
    `${message};urlauth=`,
    `${message};urlauth=everybody`,
    `${message};urlauth=user+`,
    `${message};urlauth=authuser:internal:short`,
    `${message};expire=tomorrow;urlauth=authuser`,
    `${message};urlauth=authuser;expire=2026-02-01T12:00:00Z`,
    'imap://example.com/INBOX/;uid=20;urlauth=authuser',
    'imap://joe@example.com/INBOX;urlauth=authuser',
    'http://joe@example.com/INBOX/;uid=20;urlauth=authuser',
    'imap://joe@example.com/;uid=20;urlauth=authuser',
    'imap://%ff@example.com/INBOX/;uid=20;urlauth=authuser',
  ])('%j is none', (text) => expect(authorizedUrl(text)).toBeUndefined())
})

test('anything is a URL or none', () => {
  const piece = fc.constantFrom(
    ...[
      'imap://',
      'a',
      '@',
      '/',
      ';UID=',
      '1',
      ';EXPIRE=',
      ';URLAUTH=',
      'authuser',
      'user+',
      ':',
      '%',
      '%41',
      '0'.repeat(40),
    ],
    ...[';SECTION=', ';PARTIAL=', ';UIDVALIDITY=', '.', '2026-02-01T12:00:00Z', 'INTERNAL', '\0', 'é'],
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
      const text = pieces.join('')
      relativeUrl(text)
      const found = authorizedUrl(text)
      if (found) expect(text.startsWith(found.rump)).toBe(true)
    }),
    { seed: 4467, numRuns: 3000 },
  )
})
