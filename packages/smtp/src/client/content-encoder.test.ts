import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ContentEncoder } from './content-encoder.ts'

function encode(text: string, dots = true, piece = Number.POSITIVE_INFINITY): string {
  const encoder = new ContentEncoder(dots)
  const octets = Buffer.from(text, 'latin1')
  const encoded: Buffer[] = []
  for (let at = 0; at < octets.length; at += piece) {
    encoder.push(octets.subarray(at, at + piece), (part) => encoded.push(part))
  }
  encoder.finish((part) => encoded.push(part))
  return Buffer.concat(encoded).toString('latin1')
}

/** The same by regular expressions over the whole. */
function model(text: string, dots: boolean): string {
  const lines = text.replace(/\r(?!\n)/g, ' ').replace(/\r?\n/g, '\r\n')
  const ended = lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`
  return dots ? ended.replace(/(^|\r\n)\./g, '$1..') : ended
}

test.each([
  ['', ''],
  ['a\r\n', 'a\r\n'],
  ['a', 'a\r\n'],
  ['.', '..\r\n'],
  ['.\r\n', '..\r\n'],
  ['.\r\n.\r\n', '..\r\n..\r\n'],
  ['a\r\n.b', 'a\r\n..b\r\n'],
  ['a.\r\n', 'a.\r\n'],
  ['a\n.\nb', 'a\r\n..\r\nb\r\n'],
  ['a\r.\r', 'a . \r\n'],
  ['a\r', 'a \r\n'],
  ['\r', ' \r\n'],
  ['\r\r\n', ' \r\n'],
  ['\n', '\r\n'],
  ['\r\n.\n.\r\n\r.\r\n', '\r\n..\r\n..\r\n .\r\n'],
])('%j is sent as %j, in any pieces', (text, expected) => {
  for (const piece of [1, 2, 3, 100]) expect(encode(text, true, piece)).toBe(expected)
})

test('clean content is passed on without a copy', () => {
  const content = Buffer.from('a\r\nb\r\n')
  const parts: Buffer[] = []
  new ContentEncoder(true).push(content, (part) => parts.push(part))
  expect(parts).toHaveLength(1)
  expect(parts[0]).toBe(content)
})

test('edits far apart and at the seams of long pieces', () => {
  for (const length of [509, 510, 511, 512, 513, 65533, 65534, 65535, 65536, 65537]) {
    for (const odd of ['\r', '\n', '\r\n.', '.', '\r\r\n']) {
      const text = `.${'x'.repeat(length)}${odd}${'y'.repeat(600)}\r\n${odd}z`
      expect(encode(text)).toBe(model(text, true))
    }
  }
})

test('any content in any pieces is what the model says, and never ends early', () => {
  const unit = fc.constantFrom('\r\n', '\r', '\n', '.', 'a', '.\r\n', '\r\n.\r\n', '\n.\r\n', '\xff', '\0')
  fc.assert(
    fc.property(
      fc.array(unit, { maxLength: 30 }),
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      (units, piece, dots) => {
        const text = units.join('')
        const encoded = encode(text, dots, piece)
        expect(encoded).toBe(model(text, dots))
        expect(encoded.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
        if (dots) expect(`\r\n${encoded}`).not.toContain('\r\n.\r\n')
      },
    ),
    { numRuns: 2000, seed: 10 },
  )
})
