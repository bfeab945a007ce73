import { describe, expect, test } from 'vitest'
import { Effort } from './effort.ts'

const bears = (...pieces: string[]): boolean => {
  const effort = new Effort()
  return pieces.map((piece) => effort.bears(Buffer.from(piece))).every(Boolean)
}

describe('what is borne', () => {
  test.each([
    ['ten thousand recipients on a line each', `To: ${' a@one.test,\r\n'.repeat(10_000)}\r\n`],
    ['many short fields', `${'X-Trace: 1\r\n'.repeat(4_000)}\r\n`],
    ['indented lines of a body', `A: b\r\n\r\n${'    x = 1\r\n'.repeat(500_000)}`],
    ['fields with many colons', `${'X-Trace: 12:30:00 ::1\r\n'.repeat(4_000)}\r\n`],
    ['a body of long lines', `A: b\r\n\r\n${`${'x'.repeat(1_000_000)}\r\n`.repeat(50)}`],
    ['white space beside a table', `A: b\r\n\r\n${`x${' '.repeat(500)}\r\n`.repeat(1000)}`],
  ])('%s', (_, text) => expect(bears(text)).toBe(true))
})

describe('what is not', () => {
  test.each([
    ['a field of empty lines', `A: b\r\n${' \r\n'.repeat(300_000)}c\r\n\r\n`],
    ['a field of short lines', `A: b\r\n${' x\r\n'.repeat(300_000)}\r\n`],
    ['a field of lines that are none', `A: b\r\n${'x\r\n'.repeat(300_000)}\r\n`],
    ['a field of 130 KB that kept the worker for seven seconds', `A: b\r\n${'x\r\n'.repeat(44_000)}\r\n`],
    ['many fields of many lines, which took three', `${`a:\r\n${'x\r\n'.repeat(67)}`.repeat(4_900)}\r\n`],
    ['fields of which eight megabytes ended the worker for lack of memory', `${'a:\r\n'.repeat(250_000)}\r\n`],
    ['fields for each of many names that are signed', `A: b${':x'.repeat(400_000)}\r\n${'a:\r\n'.repeat(4_000)}\r\n`],
    ['a field of white space', `A: b${' '.repeat(100_000)}c\r\n\r\n`],
    ['a body of white space', `A: b\r\n\r\n${`x${' '.repeat(1000)}`.repeat(20_000)}`],
  ])('%s', (_, text) => expect(bears(text)).toBe(false))
})

/** A message with so many hashes of its body, of so many chunks. */
function bearsBody(bodies: number, count: number, chunk: Buffer): boolean | undefined {
  const effort = new Effort()
  effort.bears(Buffer.from('A: b\r\n\r\n'))
  effort.bodies = bodies
  return Array.from({ length: count }, () => effort.bears(chunk)).at(-1)
}

test.each([
  [
    'a line is looked at again with each chunk, which kept the worker for half a minute',
    Buffer.alloc(64 * 1024, 'x'),
    30,
  ],
  ['odd white space is copied line by line, which kept the worker as long', Buffer.from('a\t\r\n'.repeat(16_000)), 50],
  ['and octet by octet', Buffer.from(`${'word  '.repeat(160)}\r\n`.repeat(68)), 400],
  ['nothing odd took seconds under ten hashes', Buffer.from(`${'x'.repeat(76)}\r\n`.repeat(840)), 700],
])('a body in which %s', (_, chunk, count) => {
  expect([bearsBody(1, count, chunk), bearsBody(10, count, chunk)]).toEqual([true, false])
})

test('a line that goes on for six megabytes kept the worker for seconds under one hash', () => {
  expect(bearsBody(1, 96, Buffer.alloc(64 * 1024, 'x'))).toBe(false)
})

test('a large header is copied for each signature: twenty such messages kept the worker for all the time that there is', () => {
  const bears = (header: number, signatures: number) => {
    const effort = new Effort()
    effort.bears(Buffer.from(`A: ${'b'.repeat(header)}\r\n\r\n`))
    effort.signatures = signatures
    return effort.isBearable
  }
  expect([bears(1_000_000, 3), bears(400_000, 10), bears(1_000_000, 4)]).toEqual([true, true, false])
})

test('pieces are one message', () => {
  const text = `A: b\r\n\r\n${`x${' '.repeat(1000)}`.repeat(20_000)}`
  expect(bears(...(text.match(/.{1,997}/gs) ?? []))).toBe(false)
  expect(bears('A: b\r', '\n', '\r', '\n', ' x\r\n'.repeat(100_000))).toBe(true)
})
