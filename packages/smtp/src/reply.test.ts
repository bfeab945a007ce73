import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { greetingReply, queuedReply, replies } from './replies.ts'
import { describeReply, isPermanent, isPositive, printReply, type Reply, reply, withText } from './reply.ts'
import { ReplyParser } from './reply-parser.ts'

function parse(
  text: string | Buffer,
  piece = Number.POSITIVE_INFINITY,
  parser = new ReplyParser(),
): (Reply | string)[] {
  const found: (Reply | string)[] = []
  const octets = Buffer.from(text)
  for (let at = 0; at < octets.length; at += piece) {
    const fault = parser.push(octets.subarray(at, at + piece), (reply) => found.push(reply) > 0)
    if (typeof fault === 'string') return [...found, fault]
  }
  return found
}

describe('reading replies', () => {
  test.each<[string, Reply[]]>([
    ['250 OK\r\n', [reply(250, null, 'OK')]],
    ['250\r\n', [reply(250, null)]],
    ['250 \r\n', [reply(250, null)]],
    ['250-\r\n250\r\n', [reply(250, null, '', '')]],
    ['250 ok\n354 go\n', [reply(250, null, 'ok'), reply(354, null, 'go')]],
    ['550 5.1.1 No such user\r\n', [reply(550, '5.1.1', 'No such user')]],
    ['550 5.1.1\r\n', [reply(550, '5.1.1', '')]],
    ['550-5.1.1 a\r\n550 5.1.1 b\r\n', [reply(550, '5.1.1', 'a', 'b')]],
    ['550-5.1.1 a\r\n550 b\r\n', [reply(550, '5.1.1', 'a', 'b')]],
    ['550 5.1.10 x\r\n', [reply(550, '5.1.10', 'x')]],
    ['550 4.1.1 wrong class\r\n', [reply(550, null, '4.1.1 wrong class')]],
    ['250 2.5 hours\r\n', [reply(250, null, '2.5 hours')]],
    ['250-one\r\n251 two\r\n', [reply(251, null, 'one', 'two')]],
    ['250-one.test\r\n250-SIZE 10\r\n250 DSN\r\n', [reply(250, null, 'one.test', 'SIZE 10', 'DSN')]],
    ['220 gr\u00fc\u00df dich\r\n', [reply(220, null, 'grüß dich')]],
  ])('%j', (text, expected) => {
    expect(parse(text)).toEqual(expected)
    expect(parse(text, 1)).toEqual(expected)
  })

  test.each([
    'hello\r\n',
    '25 x\r\n',
    '2500 x\r\n',
    '250x\r\n',
    '150 x\r\n',
    '600 x\r\n',
    '\r\n',
    ' 250 x\r\n',
    '25a ok\r\n',
  ])('%j is no reply', (text) => {
    expect(parse(text)).toEqual(['reply has no valid code'])
    expect(parse(text, 1)).toEqual(['reply has no valid code'])
  })

  test('lines and their count are limited, also without an end', () => {
    const limits = { lineOctets: 20, lines: 3, textOctets: 100 }
    expect(parse(`250 ${'x'.repeat(16)}\r\n`, 1, new ReplyParser(limits))).toHaveLength(1)
    expect(parse(`250 ${'x'.repeat(17)}\r\n`, 1, new ReplyParser(limits))).toEqual(['reply line is too long'])
    expect(parse('x'.repeat(50), 1, new ReplyParser(limits))).toEqual(['reply line is too long'])
    expect(parse('250-a\r\n250-b\r\n250 c\r\n', 9, new ReplyParser(limits))).toHaveLength(1)
    expect(parse('250-a\r\n250-b\r\n250-c\r\n', 9, new ReplyParser(limits))).toEqual(['reply has too many lines'])
  })

  test('of a long reply the first lines and the code are kept', () => {
    const limits = { lineOctets: 20, lines: 100, textOctets: 20 }
    const lines = ['550-5.1.1 a', '550-5.1.1 b', '550-c']
    const text = [...lines, '550 d', '250 ok', ''].join('\r\n')
    expect(parse(text, 3, new ReplyParser(limits))).toEqual([reply(550, '5.1.1', 'a'), reply(250, null, 'ok')])
  })

  test('a taker that stops learns how much was behind its reply', () => {
    expect(new ReplyParser().push(Buffer.from('220 go\r\n250 injected\r\n'), () => false)).toBe(14)
    expect(new ReplyParser().push(Buffer.from('220 go\r\n'), () => false)).toBe(0)
  })

  test('any octets in any pieces give the same', () => {
    const piece = fc.constantFrom('250', '550', '-', ' ', '\r\n', '\n', '\r', '5.1.1', 'x', '\0', 'ü')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.integer({ min: 1, max: 7 }), (pieces, size) => {
        expect(parse(pieces.join(''), size)).toEqual(parse(pieces.join('')))
      }),
      { numRuns: 1000, seed: 7 },
    )
  })
})

describe('printing replies', () => {
  test('the enhanced code stands on every line (RFC 2034 §4)', () => {
    expect(printReply(reply(550, '5.7.1', 'no', 'never'))).toBe('550-5.7.1 no\r\n550 5.7.1 never\r\n')
    expect(printReply(greetingReply('mx.one.test', 'ESMTP'))).toBe('220 mx.one.test ESMTP Pennypost\r\n')
    expect(printReply(queuedReply('0ABC'))).toBe('250 2.0.0 Ok: queued as 0ABC\r\n')
    expect(printReply(replies.noSuchUser)).toBe('550 5.1.1 No such user\r\n')
  })

  test('foreign text cannot break the dialogue', () => {
    expect(printReply(withText(replies.localError, 'a\r\n250 ok\0'))).toBe('451 4.3.0 a  250 ok \r\n')
    const long = printReply(withText(replies.localError, 'ü'.repeat(1000)))
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(512)
    expect(long).not.toContain('\ufffd')
    expect(describeReply(reply(550, '5.1.1', 'a', 'b\r\n'))).toBe('550 5.1.1 a b')
    expect(describeReply(reply(550, null, 'a\u009b31m'))).toBe('550 a 31m')
  })

  test('a challenge of a login was cut at 512 octets, and the client had half of a nonce', () => {
    const challenge = Buffer.alloc(600, 'x').toString('base64')
    expect(printReply(reply(334, null, challenge))).toBe(`334 ${challenge}\r\n`)
  })

  test('what is printed is read back', () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((text) => !/[\x00-\x1f\x7f]|^[245]\./.test(text))
    const value = fc.record({
      code: fc.integer({ min: 400, max: 499 }),
      enhanced: fc.constantFrom(null, '4.0.0', '4.7.24'),
      lines: fc.array(line, { minLength: 1, maxLength: 5 }),
    })
    fc.assert(
      fc.property(value, (value) => {
        expect(parse(printReply(value))).toEqual([value])
      }),
      { numRuns: 500, seed: 8 },
    )
  })
})

test('every named reply has an enhanced code of its own class', () => {
  for (const [name, { code, enhanced }] of Object.entries(replies)) {
    if (code === 354) continue
    expect(enhanced!.charAt(0), name).toBe(String(code).charAt(0))
  }
})

test('the class of a reply', () => {
  expect([250, 354, 451, 550].map((code) => isPositive(reply(code, null)))).toEqual([true, false, false, false])
  expect([250, 354, 451, 550].map((code) => isPermanent(reply(code, null)))).toEqual([false, false, false, true])
})
