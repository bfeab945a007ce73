import { describe, expect, test } from 'vitest'
import { allowsMx, parseStsPolicy, printStsPolicy, stsIdOf } from './sts-policy.ts'

describe('the record', () => {
  test.each([
    [['v=STSv1; id=20160831085700Z;'], '20160831085700Z'], // RFC 8461 §3.1
    [['v=spf1 -all', 'v=STSv1;id=1'], '1'],
    [['v=STSv1; id=1', 'v=STSv1; id=2'], undefined],
    [['v=STSv1'], undefined],
    [['v=STSv1; id=not-alphanumeric'], undefined],
    [['v=STSv12; id=1'], undefined],
    [[], undefined],
  ])('%j', (records, id) => {
    expect(stsIdOf(records)).toBe(id)
  })
})

describe('the policy', () => {
  const text =
    'version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmx: backupmx.example.com\r\nmax_age: 604800\r\n'

  test('of RFC 8461 §3.2, and back', () => {
    const policy = parseStsPolicy(text)
    expect(policy).toEqual({
      mode: 'enforce',
      mx: ['mail.example.com', '*.example.net', 'backupmx.example.com'],
      maxAgeSeconds: 604_800,
    })
    expect(printStsPolicy(policy!)).toBe(text)
  })

  test('with bare line ends, unknown fields and repeated ones', () => {
    const loose = 'version: STSv1\nmode:testing\nmode: none\nx-y: z\nmx: A.Example.\nmax_age: 99999999999\n'
    expect(parseStsPolicy(loose)).toBeUndefined()
    expect(parseStsPolicy(loose.replace('99999999999', '9999999999'))).toEqual({
      mode: 'testing',
      mx: ['a.example'],
      maxAgeSeconds: 31_557_600,
    })
  })

  test.each(['version', 'mode', 'mx', 'max_age'])('without %s is none', (field) => {
    const lines = text.split('\r\n').filter((line) => !line.startsWith(`${field}:`))
    expect(parseStsPolicy(lines.join('\r\n'))).toBeUndefined()
  })

  test('octet by octet: a cut or changed one never throws', () => {
    for (let at = 0; at < text.length; at++) {
      parseStsPolicy(text.slice(0, at))
      parseStsPolicy(`${text.slice(0, at)}\x00${text.slice(at + 1)}`)
    }
  })
})

test.each([
  ['mail.example.com', true],
  ['MAIL.example.com.', true],
  ['a.example.net', true],
  ['a.b.example.net', false],
  ['example.net', false],
  ['xmail.example.com', false],
])('%s: %s', (host, allowed) => {
  expect(allowsMx({ mx: ['mail.example.com', '*.example.net'] }, host)).toBe(allowed)
})

test('a line of white space was tried in every way to cut it', () => {
  const spaces = '\t'.repeat(2_000_000)
  const policy = parseStsPolicy(`version: STSv1\nmode: testing\nmx: a.example\nx:${spaces}\r-\nmax_age: 60\n`)
  expect(policy).toMatchObject({ mode: 'testing', maxAgeSeconds: 60 })
})
