import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LineEnds } from './crlf.ts'

function convert(chunks: readonly string[]): string {
  const lineEnds = new LineEnds()
  return chunks.map((chunk) => lineEnds.convert(Buffer.from(chunk)).toString()).join('')
}

describe('line ends of appended messages', () => {
  test('bare LF gets its CR, everything else stays', () => {
    expect(convert(['a\nb\r\nc\rd\n\n'])).toBe('a\r\nb\r\nc\rd\r\n\r\n')
    expect(convert(['a\r', '\nb', '\n'])).toBe('a\r\nb\r\n')
  })

  test('a chunk without bare LF is not copied', () => {
    const chunk = Buffer.from('a\r\nb\r\n')
    expect(new LineEnds().convert(chunk)).toBe(chunk)
  })

  test('however it is cut', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '\r', '\n') })
    fc.assert(
      fc.property(fc.array(text), (chunks) => {
        expect(convert(chunks)).toBe(chunks.join('').replace(/(?<!\r)\n/g, '\r\n'))
      }),
      { seed: 6, numRuns: 500 },
    )
  })
})
