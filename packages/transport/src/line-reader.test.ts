import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LineReader, overlong } from './line-reader.ts'

type Line = string | typeof overlong

function read(chunks: readonly Buffer[], maxOctets: number): Line[] {
  const reader = new LineReader(maxOctets)
  const lines: Line[] = []
  for (const chunk of chunks) {
    reader.push(chunk)
    for (let line = reader.next(); line !== undefined; line = reader.next()) {
      lines.push(line === overlong ? line : line.toString('latin1'))
    }
  }
  return lines
}

const inOctets = (text: string): Buffer[] => [...Buffer.from(text, 'latin1')].map((octet) => Buffer.of(octet))
const whole = (text: string): Buffer[] => [Buffer.from(text, 'latin1')]

describe.each([
  ['whole', whole],
  ['octet by octet', inOctets],
])('%s', (_, cut) => {
  test.each<[string, number, Line[]]>([
    ['USER a\r\nPASS b\r\n', 64, ['USER a', 'PASS b']],
    ['\r\n\r\n', 64, ['', '']],
    ['NOOP\nQUIT\r\nrest', 64, ['NOOP', 'QUIT']],
    ['bare\rcr\r\n', 64, ['bare\rcr']],
    ['123456\r\n', 8, ['123456']],
    ['1234567\r\nnext\r\n', 8, [overlong, 'next']],
    ['12345678901234567890\r\nnext\r\n', 8, [overlong, 'next']],
    ['1234567890', 8, [overlong]],
  ])('%j', (text, maxOctets, lines) => {
    expect(read(cut(text), maxOctets)).toEqual(lines)
  })
})

test('clear drops lines, pieces and the memory of an over-long line', () => {
  const reader = new LineReader(8)
  reader.push(Buffer.from('1234567890'))
  expect(reader.next()).toBe(overlong)
  reader.push(Buffer.from('\r\nUSER injected\r\n'))
  reader.clear()
  reader.push(Buffer.from('ok\r\n'))
  expect(reader.next()?.toString()).toBe('ok')
  expect(reader.next()).toBeUndefined()
})

test('the cut into chunks never changes the lines', () => {
  const octet = fc.constantFrom(0x0d, 0x0a, 0x61, 0x00, 0xff)
  const chunks = fc.array(
    fc.array(octet, { maxLength: 12 }).map((octets) => Buffer.from(octets)),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(chunks, fc.integer({ min: 2, max: 20 }), (cut, maxOctets) => {
      expect(read(cut, maxOctets)).toEqual(read([Buffer.concat(cut)], maxOctets))
    }),
    { seed: 1939, numRuns: 500 },
  )
})
