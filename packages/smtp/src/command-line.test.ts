import fc from 'fast-check'
import { expect, test } from 'vitest'
import { noCapabilities, parseCapabilities } from './capabilities.ts'
import { parseHelloArgument, parseMailArgument, parseRcptArgument, splitCommandLine } from './command-line.ts'
import { reply } from './reply.ts'

test('a line is verb and argument', () => {
  const split = (line: string | Buffer) => splitCommandLine(Buffer.from(line))
  expect(split('mail FROM:<a@b> ')).toEqual({ ok: true, value: { verb: 'MAIL', argument: 'FROM:<a@b>' } })
  expect(split('RSET  ')).toEqual({ ok: true, value: { verb: 'RSET', argument: '' } })
  expect(split('')).toEqual({ ok: true, value: { verb: '', argument: '' } })
  expect(split('NOOP\ta')).toEqual({ ok: true, value: { verb: 'NOOP', argument: 'a' } })
  expect(split('NOOP a\0b')).toMatchObject({ ok: false, reply: { code: 500 } })
  expect(split('NOOP a\rb')).toMatchObject({ ok: false, reply: { code: 500 } })
  expect(split(Buffer.from('MAIL FROM:<\xfc@b>', 'latin1'))).toMatchObject({
    ok: false,
    reply: { code: 501, enhanced: '5.5.2' },
  })
  expect(split(Buffer.from('EHLO b\xfcro-pc', 'latin1'))).toMatchObject({ ok: true, value: { argument: 'büro-pc' } })
})

test('the argument of HELO', () => {
  for (const word of ['mail.one.test', '[192.0.2.1]', 'büro!pc', '192.0.2.1]', 'PhpStorm 2017.2', 'x'.repeat(255)]) {
    expect(parseHelloArgument(word)).toEqual({ ok: true, value: word })
  }
  for (const bad of ['', 'x'.repeat(256)]) {
    expect(parseHelloArgument(bad)).toMatchObject({ ok: false, reply: { code: 501, enhanced: '5.5.4' } })
  }
})

test('the argument of MAIL', () => {
  expect(parseMailArgument('FROM:<a@one.test> SIZE=5')).toMatchObject({
    ok: true,
    value: { reversePath: { text: 'a@one.test' }, parameters: { size: 5 } },
  })
  expect(parseMailArgument('from: <>')).toMatchObject({ ok: true, value: { reversePath: null } })
  expect(parseMailArgument('FROM:<"a > b"@x>\tRET=FULL')).toMatchObject({
    ok: true,
    value: { parameters: { ret: 'FULL' } },
  })
  expect(parseMailArgument('FROM:<ü@x> SMTPUTF8')).toMatchObject({
    ok: true,
    value: { reversePath: { localPart: 'ü' } },
  })
  expect(parseMailArgument('FROM:<ü@x>')).toMatchObject({ ok: false, reply: { code: 553, enhanced: '5.6.7' } })
  expect(parseMailArgument('FROM:<a@x> FOO=1')).toMatchObject({ ok: false, reply: { code: 555 } })
  for (const bad of [
    '',
    'FROM',
    'FROM:',
    'FROM:a',
    'FROM:a b@x',
    'FROM:a@x,b@x',
    'FROM:Alice <a@x',
    'FROM:Alice <a@x>>',
    'FROM:<b@y <a@x>>',
    'FROM:<a@x><b@x>',
    'FROM:a@x>',
    'FROM:<a@x',
    'FROM:<a@x>SIZE=5',
    'TO:<a@x>',
    'FROM :<a@x>',
    'FROM:<"a@x>',
  ]) {
    expect(parseMailArgument(bad)).toMatchObject({ ok: false, reply: { code: 501, enhanced: '5.5.4' } })
  }
})

test('an address without its angle brackets was refused', () => {
  expect(parseMailArgument('FROM:a@one.test')).toMatchObject({
    ok: true,
    value: { reversePath: { text: 'a@one.test' } },
  })
  expect(parseMailArgument('FROM: a@one.test SIZE=5 BODY=7BIT')).toMatchObject({
    ok: true,
    value: { reversePath: { text: 'a@one.test' }, parameters: { size: 5, body: '7BIT' } },
  })
  expect(parseRcptArgument('TO: b@one.test NOTIFY=NEVER', false)).toMatchObject({
    ok: true,
    value: { forwardPath: { text: 'b@one.test' }, parameters: { notify: [] } },
  })
})

test('an address with a name, as keepalived sends it, was refused', () => {
  for (const path of [
    '<Alarm of router 1 <a@one.test>>',
    '"Alarm" <a@one.test>',
    'Alarm <a@one.test>',
    '<<a@one.test>>',
  ]) {
    expect(parseMailArgument(`FROM:${path}`)).toMatchObject({
      ok: true,
      value: { reversePath: { text: 'a@one.test' } },
    })
    expect(parseMailArgument(`FROM: ${path} SIZE=5`)).toMatchObject({ ok: true, value: { parameters: { size: 5 } } })
  }
})

test('the argument of RCPT', () => {
  expect(parseRcptArgument('TO:<postmaster> NOTIFY=NEVER', false)).toMatchObject({
    ok: true,
    value: { forwardPath: { text: 'postmaster' }, parameters: { notify: [] } },
  })
  expect(parseRcptArgument('TO:<ü@x>', true)).toMatchObject({ ok: true })
  expect(parseRcptArgument('TO:<ü@x>', false)).toMatchObject({ ok: false, reply: { code: 553 } })
  expect(parseRcptArgument('TO:<>', false)).toMatchObject({ ok: false, reply: { code: 501, enhanced: '5.1.3' } })
  expect(parseRcptArgument('FROM:<a@b>', false)).toMatchObject({ ok: false, reply: { code: 501, enhanced: '5.5.4' } })
})

test('no line makes the parsers throw', () => {
  const piece = fc.oneof(
    fc.constantFrom('FROM:', 'TO:', '<', '>', '"', '\\', '@', 'a', ' ', '\t', 'SIZE=1', 'NOTIFY='),
    fc.string({ maxLength: 5 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.boolean(), (pieces, smtpUtf8) => {
      const text = pieces.join('')
      splitCommandLine(Buffer.from(text))
      parseHelloArgument(text)
      parseMailArgument(text)
      parseRcptArgument(text, smtpUtf8)
      parseCapabilities(reply(250, null, 'x', text))
    }),
    { numRuns: 2000, seed: 9 },
  )
})

test('capabilities are read from EHLO', () => {
  const lines = [
    'mx.two.test at your service',
    'SIZE 1000',
    'auth PLAIN login',
    'AUTH=LOGIN CRAM-MD5',
    '8BITMIME',
    'LIMITS RCPTMAX=50 MAILMAX=3 rcptdomainmax=2',
    '!!',
  ]
  const capabilities = parseCapabilities(reply(250, null, ...lines))
  expect(capabilities).toMatchObject({
    hostname: 'mx.two.test',
    size: 1000,
    recipientsMax: 50,
    recipientDomainsMax: 2,
    transactionsMax: 3,
  })
  expect([...capabilities.auth]).toEqual(['PLAIN', 'LOGIN', 'CRAM-MD5'])
  expect([...capabilities.keywords.keys()]).toEqual(['SIZE', 'AUTH', '8BITMIME', 'LIMITS'])
  expect(parseCapabilities(reply(250, null, 'x', 'SIZE 0')).size).toBeNull()
  expect(noCapabilities.keywords.size).toBe(0)
})
