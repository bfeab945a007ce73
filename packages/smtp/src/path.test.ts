import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatAddressLiteral, parseAddressLiteral } from './domain.ts'
import { parseForwardPath, parseReversePath, toAsciiPath } from './path.ts'
import { printReply } from './reply.ts'

const ascii = { smtpUtf8: false }
const utf8 = { smtpUtf8: true }

describe('paths of RFC 5321 §4.1.2', () => {
  test.each([
    ['<alice@one.test>', 'alice', 'one.test'],
    ['<Joe.Blow+x@Foo.EXAMPLE>', 'Joe.Blow+x', 'Foo.EXAMPLE'],
    [`<!#$%&'*+-/=?^_\`{|}~@x>`, `!#$%&'*+-/=?^_\`{|}~`, 'x'],
    ['<"a b"@one.test>', 'a b', 'one.test'],
    ['<"a@b>c"@one.test>', 'a@b>c', 'one.test'],
    ['<"a\\"\\\\b"@one.test>', 'a"\\b', 'one.test'],
    ['<""@one.test>', '', 'one.test'],
    ['<a@xn--bcher-kva.example>', 'a', 'xn--bcher-kva.example'],
    ['<a@under_score.one.test>', 'a', 'under_score.one.test'],
    ['<a@[192.0.2.1]>', 'a', '[192.0.2.1]'],
    ['<a@[IPv6:2001:db8::1]>', 'a', '[IPv6:2001:db8::1]'],
    ['<a@[x-tag:any/thing]>', 'a', '[x-tag:any/thing]'],
    ['<@hosta.int,@jkl.org:userc@d.bar.org>', 'userc', 'd.bar.org'],
  ])('%s is accepted', (text, localPart, domain) => {
    const path = parseForwardPath(text, ascii)
    expect(path).toMatchObject({ ok: true, value: { localPart, domain } })
    if (path.ok) expect(path.value.text).toBe(text.slice(1, -1).replace(/^@[^:]*:/, ''))
    expect(parseReversePath(text, ascii).ok).toBe(true)
  })

  test.each([
    '',
    '<',
    '>',
    '<a>',
    '<@>',
    '<a@>',
    '<@b>',
    'a@b',
    '<a@b',
    'a@b>',
    '<a b@c>',
    '<a@b@c>',
    '<"a@b>',
    '<"a"b@c>',
    '<"a\\"@b>',
    '<a@-b>',
    '<a@b->',
    '<a@b..c>',
    '<a@.b>',
    '<a@b.>',
    '<a@b c>',
    '<a,b@c>',
    '<a:b@c>',
    '<a@[300.1.1.1]>',
    '<a@[IPv6:x]>',
    '<a@[IPv6:fe80::1%eth0]>',
    '<a@[]>',
    '<a@[1.2.3.4>',
    '<a@[x:]>',
    '<@a:>',
    '<@a,b:c@d>',
    '<a\x00@b>',
    '<a\r\nRCPT@b>',
    '<"a\nb"@c>',
    '<(x)a@b>',
    '<<a@b>>',
    '< a@b>',
    '<a@b >',
  ])('%j is refused with 501', (text) => {
    expect(parseForwardPath(text, utf8)).toMatchObject({ ok: false, reply: { code: 501, enhanced: '5.1.3' } })
    expect(parseReversePath(text, utf8)).toMatchObject({ ok: false, reply: { code: 501, enhanced: '5.1.7' } })
  })

  test('the null reverse-path and <postmaster> stand in their own place only', () => {
    expect(parseReversePath('<>', ascii)).toEqual({ ok: true, value: null })
    expect(parseForwardPath('<>', ascii).ok).toBe(false)
    expect(parseForwardPath('<PostMaster>', ascii)).toMatchObject({
      ok: true,
      value: { text: 'PostMaster', domain: '' },
    })
    expect(parseReversePath('<postmaster>', ascii).ok).toBe(false)
  })

  test('addresses beyond ASCII need SMTPUTF8 (RFC 6531 §3.5)', () => {
    for (const text of ['<用户@例え.test>', '<"用 户"@one.test>', '<a@bücher.example>']) {
      expect(parseForwardPath(text, utf8)).toMatchObject({ ok: true })
      expect(parseForwardPath(text, ascii)).toMatchObject({ ok: false, reply: { code: 553, enhanced: '5.6.7' } })
      expect(parseReversePath(text, ascii)).toMatchObject({ ok: false, reply: { code: 553, enhanced: '5.6.7' } })
    }
    expect(parseForwardPath('<a@１.2.3.4>', utf8).ok).toBe(false)
    expect(parseForwardPath('<a@b\u3002c>', utf8).ok).toBe(false)
    expect(parseForwardPath('<a\u0085b@c>', utf8).ok).toBe(false)
  })

  test('the sender of a forward, written by SRS, was too long for our own client', () => {
    const sender = `SRS0=ABCDEF=GH=bounces.far.test=${'b'.repeat(110)}@one.test`
    expect(parseReversePath(`<${sender}>`, ascii)).toMatchObject({ ok: true, value: { text: sender } })
  })

  test('limits count octets', () => {
    const parse = (text: string) => parseForwardPath(text, utf8).ok
    expect(parse(`<${'a'.repeat(252)}@b>`)).toBe(true)
    expect(parse(`<${'a'.repeat(253)}@b>`)).toBe(false)
    expect(parse(`<${'ä'.repeat(126)}@b>`)).toBe(true)
    expect(parse(`<${'ä'.repeat(127)}@b>`)).toBe(false)
    expect(parse(`<a@${'b'.repeat(63)}>`)).toBe(true)
    expect(parse(`<a@${'b'.repeat(64)}>`)).toBe(false)
    const long = `${`${'b'.repeat(49)}.`.repeat(5)}c`
    expect(parse(`<a@${long}c>`)).toBe(true)
    expect(parse(`<ab@${long}>`)).toBe(true)
    expect(parse(`<ab@${long}c>`)).toBe(false)
    expect(parse(`<abc@${long}>`)).toBe(false)
  })
})

test.each(['a.', '.a', 'a..b', '..', 'ü..b'])(
  'a local part with dots where none may stand was refused: %s',
  (localPart) => {
    const text = `"${localPart}"@docomo.test`
    expect(parseForwardPath(`<${localPart}@docomo.test>`, utf8)).toMatchObject({ ok: true, value: { text, localPart } })
    expect(parseReversePath(`<${localPart}@docomo.test>`, utf8)).toMatchObject({ ok: true, value: { text, localPart } })
  },
)

test('an address literal is read whatever the case of its tag', () => {
  expect(parseAddressLiteral('[ipv6:::1]')).toEqual({ kind: 'ipv6', address: '::1' })
  for (const address of ['192.0.2.1', '2001:db8::1'])
    expect(parseAddressLiteral(formatAddressLiteral(address))).toMatchObject({ address })
})

test('a domain beyond ASCII has an A-label form, a local part has none', () => {
  expect(toAsciiPath('a@bücher.example')).toBe('a@xn--bcher-kva.example')
  expect(toAsciiPath('ü@bücher.example')).toBeNull()
  expect(toAsciiPath('a@XN--bcher-kva.Example')).toBe('a@XN--bcher-kva.Example')
})

test('any local part that can be quoted is read without its quotes', () => {
  const local = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((text) => !/[\x00-\x1f\x7f-\x9f]/.test(text))
  fc.assert(
    fc.property(local, (localPart) => {
      const quoted = `"${localPart.replace(/["\\]/g, '\\$&')}"`
      const path = parseForwardPath(`<${quoted}@one.test>`, utf8)
      expect(path).toMatchObject({ ok: true, value: { localPart, domain: 'one.test' } })
    }),
    { numRuns: 500, seed: 1 },
  )
})

test('no text makes the parser throw, and what it accepts stays within a line of the dialogue', () => {
  const piece = fc.oneof(
    fc.constantFrom('<', '>', '@', '"', '\\', '.', ':', ',', '[', ']', 'IPv6:', 'a', ' ', '\r\n', '\0', 'ü', 'x.test'),
    fc.string({ maxLength: 4 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.boolean(), (pieces, smtpUtf8) => {
      for (const text of [pieces.join(''), `<${pieces.join('')}>`]) {
        const path = parseForwardPath(text, { smtpUtf8 })
        if (path.ok) expect(path.value.text).toMatch(/^[^\x00-\x1f\x7f]*$/)
        else expect(printReply(path.reply)).toMatch(/^5[^\r\n]*\r\n$/)
      }
    }),
    { numRuns: 2000, seed: 2 },
  )
})
