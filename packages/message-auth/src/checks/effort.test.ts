import { describe, expect, test } from 'vitest'
import { Effort } from './effort.ts'

const bears = (...pieces: string[]): boolean => {
  const effort = new Effort()
  return pieces.map((piece) => effort.bears(Buffer.from(piece))).every(Boolean)
}

describe('what is borne', () => {
  test.each([
    ['twenty thousand recipients on a line each', `To: ${' a@one.test,\r\n'.repeat(20_000)}\r\n`],
    ['many short fields', `${'X-Trace: 1\r\n'.repeat(90_000)}\r\n`],
    ['indented lines of a body', `A: b\r\n\r\n${'    x = 1\r\n'.repeat(500_000)}`],
    ['white space beside a table', `A: b\r\n\r\n${`x${' '.repeat(900)}\r\n`.repeat(1000)}`],
  ])('%s', (_, text) => expect(bears(text)).toBe(true))
})

describe('what is not', () => {
  test.each([
    ['a field of empty lines', `A: b\r\n${' \r\n'.repeat(300_000)}c\r\n\r\n`],
    ['a field of short lines', `A: b\r\n${' x\r\n'.repeat(300_000)}\r\n`],
    ['a field of white space', `A: b${' '.repeat(100_000)}c\r\n\r\n`],
    ['a body of white space', `A: b\r\n\r\n${`x${' '.repeat(1000)}`.repeat(20_000)}`],
  ])('%s', (_, text) => expect(bears(text)).toBe(false))
})

test('pieces are one message', () => {
  const text = `A: b\r\n\r\n${`x${' '.repeat(1000)}`.repeat(20_000)}`
  expect(bears(...(text.match(/.{1,997}/gs) ?? []))).toBe(false)
  expect(bears('A: b\r', '\n', '\r', '\n', ' x\r\n'.repeat(100_000))).toBe(true)
})
