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

test('a line of the body is looked at again with each chunk, and kept the worker for half a minute', () => {
  const effort = new Effort()
  expect(effort.bears(Buffer.from('A: b\r\n\r\n'))).toBe(true)
  const chunk = Buffer.alloc(64 * 1024, 'x')
  expect(Array.from({ length: 800 }, () => effort.bears(chunk)).at(-1)).toBe(false)
})

test('a body of odd white space is copied for each hash that is wanted of it, which kept the worker for half a minute', () => {
  const chunk = Buffer.from('a\t\r\n'.repeat(16_000))
  const bears = (bodies: number) => {
    const effort = new Effort()
    effort.bears(Buffer.from('A: b\r\n\r\n'))
    effort.bodies = bodies
    return Array.from({ length: 50 }, () => effort.bears(chunk)).at(-1)
  }
  expect([bears(1), bears(10)]).toEqual([true, false])
})

test('a large header is copied for each signature: twenty such messages kept the worker for all the time that there is', () => {
  const bears = (header: number, signatures: number) => {
    const effort = new Effort()
    effort.bears(Buffer.from(`A: ${'b'.repeat(header)}\r\n\r\n`))
    effort.signatures = signatures
    return effort.isBearable
  }
  expect([bears(1_000_000, 2), bears(100_000, 10), bears(1_000_000, 10)]).toEqual([true, true, false])
})

test('pieces are one message', () => {
  const text = `A: b\r\n\r\n${`x${' '.repeat(1000)}`.repeat(20_000)}`
  expect(bears(...(text.match(/.{1,997}/gs) ?? []))).toBe(false)
  expect(bears('A: b\r', '\n', '\r', '\n', ' x\r\n'.repeat(100_000))).toBe(true)
})
