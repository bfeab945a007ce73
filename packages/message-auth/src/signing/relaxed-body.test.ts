import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RelaxedBodyHash } from './relaxed-body.ts'

function hashInPieces(body: Buffer, sizes: readonly number[]): string {
  const hash = new RelaxedBodyHash()
  let from = 0
  for (let i = 0; from < body.length; i++) {
    const size = sizes[i % sizes.length]!
    hash.update(body.subarray(from, from + size))
    from += size
  }
  return hash.digest()
}

const sha256 = (text: string) => createHash('sha256').update(text, 'latin1').digest('base64')

/** RFC 6376 §3.4.4, said with whole lines. */
function relax(body: string): string {
  const lines = body.split('\r\n').map((line) => line.replaceAll(/[ \t]+/g, ' ').replace(/ $/, ''))
  while (lines.at(-1) === '') lines.pop()
  return lines.map((line) => `${line}\r\n`).join('')
}

test('the bodies of RFC 6376 §3.4.5 and of RFC 8463 appendix A', () => {
  expect(hashInPieces(Buffer.from(' C \r\nD \t E\r\n\r\n\r\n'), [100])).toBe(sha256(' C\r\nD E\r\n'))
  expect(hashInPieces(Buffer.from('Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n'), [100])).toBe(
    '2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=',
  )
})

test('a body of nothing but empty lines is empty', () => {
  const nothing = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
  expect(hashInPieces(Buffer.alloc(0), [1])).toBe(nothing)
  expect(hashInPieces(Buffer.from('\r\n \r\n\t\r\n'), [1])).toBe(nothing)
})

test('empty lines that turn out to be inside the body are hashed, however many', () => {
  const body = `a${'\r\n'.repeat(10_001)}b\r\n`
  for (const size of [1, 7, 5000, 100_000]) expect(hashInPieces(Buffer.from(body), [size])).toBe(sha256(body))
})

test('any body in any pieces is hashed as its lines are', () => {
  const piece = fc.constantFrom(' ', '  ', '\t', '\r\n', '\r\n\r\n', ' \r\n', '\r\n ', 'a', 'base64', '\xe9', '.')
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (parts, sizes) => {
        const body = parts.join('')
        expect(hashInPieces(Buffer.from(body, 'latin1'), sizes)).toBe(sha256(relax(body)))
        expect(hashInPieces(Buffer.from(body, 'latin1'), [1000])).toBe(sha256(relax(body)))
      },
    ),
    { numRuns: 500, seed: 6376 },
  )
})

test('a bare CR or LF is an octet like any other', () => {
  for (const size of [1, 2, 100]) {
    expect(hashInPieces(Buffer.from('a\rb \n\r'), [size])).toBe(sha256('a\rb \n\r\r\n'))
  }
})
