import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type MailParameters, noMailParameters, parseMailParameters, printMailParameters } from './mail-parameters.ts'
import { parseParameters } from './parameters.ts'
import type { Parsed } from './parsed.ts'
import { parseRcptParameters, printRcptParameters, type RcptParameters } from './rcpt-parameters.ts'
import { decodeUtf8Address, decodeXtext, encodeUtf8Address, encodeXtext } from './xtext.ts'

function mail(text: string): Parsed<MailParameters> {
  const words = parseParameters(text)
  return words.ok ? parseMailParameters(words.value) : words
}

function rcpt(text: string, smtpUtf8 = false): Parsed<RcptParameters> {
  const words = parseParameters(text)
  return words.ok ? parseRcptParameters(words.value, smtpUtf8) : words
}

test('the grammar of esmtp-param', () => {
  expect(parseParameters('SIZE=10 smtputf8  X-a=b')).toEqual({
    ok: true,
    value: new Map([
      ['SIZE', '10'],
      ['SMTPUTF8', null],
      ['X-A', 'b'],
    ]),
  })
  expect(parseParameters('')).toEqual({ ok: true, value: new Map() })
  for (const text of ['=x', 'A=', 'A==b', '-A', 'A_B', 'SIZE=1 size=2', `A=${'x'.repeat(999)}`, 'A=\x01']) {
    expect(parseParameters(text)).toMatchObject({ ok: false, reply: { code: 501, enhanced: '5.5.4' } })
  }
  const many = (count: number): string => Array.from({ length: count }, (_, at) => `A${at}`).join(' ')
  expect(parseParameters(many(32))).toMatchObject({ ok: true })
  expect(parseParameters(many(33))).toMatchObject({ ok: false, reply: { code: 501 } })
})

test('MAIL parameters have their types', () => {
  expect(
    mail('SIZE=1000000 BODY=8bitmime RET=hdrs ENVID=QQ314159 AUTH=e+3Dmc2@example.com SMTPUTF8 REQUIRETLS'),
  ).toEqual({
    ok: true,
    value: {
      size: 1000000,
      body: '8BITMIME',
      ret: 'HDRS',
      envid: 'QQ314159',
      auth: 'e=mc2@example.com',
      smtpUtf8: true,
      requireTls: true,
    },
  })
  expect(mail('AUTH=<>')).toMatchObject({ ok: true, value: { auth: '' } })
})

test('quirk: curl --mail-auth writes the mailbox between angle brackets', () => {
  expect(mail('AUTH=<bob@one.test>')).toMatchObject({ ok: true, value: { auth: 'bob@one.test' } })
  for (const text of ['AUTH=<bob@one.test', 'AUTH=bob@one.test>', 'AUTH=<<bob@one.test>>', 'AUTH=<nobody>']) {
    expect(mail(text)).toMatchObject({ ok: false, reply: { code: 501 } })
  }
})

test.each([
  'SIZE',
  'SIZE=-1',
  'SIZE=1e3',
  `SIZE=${'9'.repeat(21)}`,
  'BODY=9BIT',
  'BODY',
  'RET=ALL',
  'RET',
  'ENVID',
  'ENVID=+4',
  'ENVID=+0A',
  `ENVID=${'x'.repeat(101)}`,
  'AUTH',
  'AUTH=nobody',
  'SMTPUTF8=1',
  'REQUIRETLS=yes',
])('MAIL %s is 501', (text) => {
  expect(mail(text)).toMatchObject({ ok: false, reply: { code: 501, enhanced: '5.5.4' } })
})

test('unknown keywords are 555 5.5.4', () => {
  expect(mail('FUTURE=1')).toMatchObject({ ok: false, reply: { code: 555, enhanced: '5.5.4' } })
  expect(mail('CONSTRUCTOR=1')).toMatchObject({ ok: false, reply: { code: 555 } })
  expect(rcpt('X=1')).toMatchObject({ ok: false, reply: { code: 555, enhanced: '5.5.4' } })
})

test('RCPT parameters of RFC 3461 and RFC 6533', () => {
  expect(rcpt('NOTIFY=delay,FAILURE ORCPT=rfc822;Bob+2BX@Example.COM')).toEqual({
    ok: true,
    value: { notify: ['FAILURE', 'DELAY'], orcpt: { type: 'rfc822', address: 'Bob+X@Example.COM' } },
  })
  expect(rcpt('NOTIFY=NEVER')).toMatchObject({ ok: true, value: { notify: [], orcpt: null } })
  expect(rcpt('')).toEqual({ ok: true, value: { notify: null, orcpt: null } })
  expect(rcpt('ORCPT=utf-8;\\x{7528}\\x{6237}@x')).toMatchObject({ ok: true, value: { orcpt: { address: '用户@x' } } })
  expect(rcpt('ORCPT=utf-8;用户@x', true)).toMatchObject({ ok: true, value: { orcpt: { address: '用户@x' } } })
  for (const text of [
    'NOTIFY',
    'NOTIFY=NEVER,DELAY',
    'NOTIFY=X',
    'NOTIFY=DELAY,',
    'ORCPT',
    'ORCPT=a@b',
    'ORCPT=;a',
    'ORCPT=rfc822;',
    'ORCPT=rfc822;a+zz',
    'ORCPT=rfc822;a+0D+0AX-Injected:+201',
    'ORCPT=utf-8;\\x{0D}\\x{0A}@x',
    'ORCPT=utf-8;用户@x',
    'ORCPT=utf-8;\\x{D800}',
    `ORCPT=rfc822;${'a'.repeat(500)}`,
  ]) {
    expect(rcpt(text)).toMatchObject({ ok: false, reply: { code: 501, enhanced: '5.5.4' } })
  }
  expect(rcpt('NOTIFY=SUCCESS,success')).toMatchObject({ ok: true, value: { notify: ['SUCCESS'] } })
})

const text = fc.string({ unit: 'binary', maxLength: 40 })

test('xtext and utf-8-addr decode to what was encoded', () => {
  expect(encodeXtext('a+b=c d')).toBe('a+2Bb+3Dc+20d')
  expect(encodeUtf8Address('用+\\@x', false)).toBe('\\x{7528}\\x{2B}\\x{5C}@x')
  expect(encodeUtf8Address('用+@x', true)).toBe('用\\x{2B}@x')
  fc.assert(
    fc.property(text, (value) => {
      expect(decodeXtext(encodeXtext(value))).toBe(value)
      expect(encodeXtext(value)).toMatch(/^[!-~]*$/)
      expect(decodeUtf8Address(encodeUtf8Address(value, false))).toBe(value)
      expect(encodeUtf8Address(value, false)).toMatch(/^[!-~]*$/)
      expect(decodeUtf8Address(encodeUtf8Address(value, true))).toBe(value)
    }),
    { numRuns: 500, seed: 3 },
  )
})

test('typed parameters come back from print and parse', () => {
  const printable = fc.string({ minLength: 1, maxLength: 30 }).filter((value) => /^[ -~]+$/.test(value))
  const mailValues = fc.record<MailParameters>({
    size: fc.option(fc.nat()),
    body: fc.constantFrom(null, '7BIT', '8BITMIME', 'BINARYMIME'),
    ret: fc.constantFrom(null, 'FULL', 'HDRS'),
    envid: fc.option(printable),
    auth: fc.constantFrom(null, '', 'a+b=c@x.test', 'ü@x.test'),
    smtpUtf8: fc.boolean(),
    requireTls: fc.boolean(),
  })
  fc.assert(
    fc.property(mailValues, (values) => {
      expect(mail(printMailParameters(values))).toEqual({ ok: true, value: values })
    }),
    { numRuns: 300, seed: 4 },
  )
  const address = text.filter((value) => /^\P{Cc}+$/u.test(value))
  const rcptValues = fc.record<RcptParameters>({
    notify: fc.constantFrom(null, [], ['SUCCESS', 'DELAY'] as const, ['FAILURE'] as const),
    orcpt: fc.option(fc.record({ type: fc.constantFrom('rfc822', 'utf-8', 'x400'), address })),
  })
  fc.assert(
    fc.property(rcptValues, fc.boolean(), (values, smtpUtf8) => {
      const printed = printRcptParameters(values, smtpUtf8)
      if (printed.length < 480) expect(rcpt(printed, smtpUtf8)).toEqual({ ok: true, value: values })
    }),
    { numRuns: 300, seed: 5 },
  )
  expect(printMailParameters(noMailParameters)).toBe('')
})

test('no text makes the parameter parsers throw', () => {
  const piece = fc.oneof(
    fc.constantFrom('SIZE', 'NOTIFY', 'ORCPT', 'ENVID', 'AUTH', '=', ' ', ';', '+', '\\x{', '}', ','),
    fc.string({ maxLength: 5 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), fc.boolean(), (pieces, smtpUtf8) => {
      const words = parseParameters(pieces.join(''))
      if (!words.ok) return
      parseMailParameters(words.value)
      parseRcptParameters(words.value, smtpUtf8)
    }),
    { numRuns: 2000, seed: 6 },
  )
})
