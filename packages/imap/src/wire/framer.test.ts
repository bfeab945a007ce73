import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Frame, Framer } from './framer.ts'

/** Everything that comes out when the input arrives in the given pieces; literals are taken whole. */
function frames(pieces: readonly Buffer[], limit = 100): string[] {
  const framer = new Framer(() => limit)
  const out: string[] = []
  let literal = ''
  const note = (frame: Frame): void => {
    if (frame.kind === 'line') out.push(`line ${frame.text.toString('latin1')}`)
    else if (frame.kind === 'too-long') {
      const { head, offer } = frame
      out.push(`too-long ${head.toString('latin1', 0, limit)}${offer ? `|${offer.size}` : ''}`)
      if (offer && !offer.sync) framer.take(offer.size)
    } else if (frame.kind === 'octets') {
      literal += frame.octets.toString('latin1')
      if (frame.left > 0) return
      out.push(`literal ${literal}`)
      literal = ''
    } else {
      const { size, sync, binary } = frame.offer
      out.push(`offer ${frame.text.toString('latin1')}|${size}${sync ? '' : '+'}${binary ? '~' : ''}`)
      framer.take(size)
    }
  }
  for (const piece of pieces) {
    framer.push(piece)
    for (let frame = framer.next(); frame; frame = framer.next()) note(frame)
  }
  return out
}

const whole = (text: string): string[] => frames([Buffer.from(text, 'latin1')])
const octetByOctet = (text: string, limit?: number): string[] =>
  frames(
    [...Buffer.from(text, 'latin1')].map((octet) => Buffer.from([octet])),
    limit,
  )

describe('framer', () => {
  const known: [string, string[]][] = [
    ['a NOOP\r\nb NOOP\r\n', ['line a NOOP', 'line b NOOP']],
    ['a NOOP\n', ['line a NOOP']],
    ['\r\n', ['line ']],
    ['a X {3}\r\nabc d\r\n', ['offer a X |3', 'literal abc', 'line  d']],
    ['a X {3+}\r\na\r\n {0}\r\n\r\n', ['offer a X |3+', 'literal a\r\n', 'offer  |0', 'line ']],
    ['a X ~{2+}\r\n\0\x01\r\n', ['offer a X |2+~', 'literal \0\x01', 'line ']],
    ['a X {3-}\r\n', ['line a X {3-}']],
    ['a X "{3}"\r\n', ['line a X "{3}"']],
    ['a X {}\r\n', ['line a X {}']],
    ['a X {99999999999999999999}\r\n', [`offer a X |${2 ** 53}`]],
    ['a X {123456789012345678901}\r\n', ['line a X {123456789012345678901}']],
  ]
  for (const [text, expected] of known) {
    test(JSON.stringify(text), () => {
      expect(whole(text)).toEqual(expected)
      expect(octetByOctet(text)).toEqual(expected)
    })
  }

  test('a line beyond the limit is thrown away to its end', () => {
    const long = `tag ${'x'.repeat(300)}`
    expect(octetByOctet(`${long}\r\na NOOP\r\n`)).toEqual([`too-long ${long.slice(0, 100)}`, 'line a NOOP'])
    expect(whole(`${long}\r\na NOOP\r\n`)).toEqual([`too-long ${long.slice(0, 100)}`, 'line a NOOP'])
    expect(octetByOctet(`${'x'.repeat(100)}\r\n`)).toEqual([`line ${'x'.repeat(100)}`])
  })

  test('the literal of a line beyond the limit is no command', () => {
    const long = `tag ${'x'.repeat(300)}`
    for (const announced of ['{10+}', '~{10+}', '{00000000000000000010+}', '~{00000000000000000010+}']) {
      const expected = [`too-long ${long.slice(0, 100)}|10`, 'literal b LOGOUT\r\n', 'line ', 'line a NOOP']
      const text = `${long} ${announced}\r\nb LOGOUT\r\n\r\na NOOP\r\n`
      expect(octetByOctet(text)).toEqual(expected)
      expect(whole(text)).toEqual(expected)
    }
  })

  test('the head of a line that is too long had octets that never came', () => {
    const framer = new Framer(() => 5)
    for (const piece of ['a NO', 'OP x', ' y\r\n']) {
      framer.push(Buffer.from(piece))
      const frame = framer.next()
      if (frame) expect(frame).toMatchObject({ kind: 'too-long', head: Buffer.from('a NOOP x') })
    }
    expect(framer.size).toBe(0)
  })

  test('raw lines know no literals', () => {
    const framer = new Framer(() => 100)
    framer.push(Buffer.from('abc{3}\r\nDONE\r\n'))
    expect(framer.nextRaw()).toMatchObject({ kind: 'line', text: Buffer.from('abc{3}') })
    expect(framer.next()).toMatchObject({ kind: 'line', text: Buffer.from('DONE') })
  })

  test('what was sent in clear can be forgotten', () => {
    const framer = new Framer(() => 100)
    framer.push(Buffer.from('a STARTTLS\r\nb LOGIN x y\r\nc'))
    framer.next()
    framer.clear()
    expect(framer.size).toBe(0)
    expect(framer.next()).toBeUndefined()
  })

  test('however the octets are cut, the frames are the same', () => {
    const piece = fc.constantFrom('a', ' ', '\r\n', '\n', '\r', '{3}\r\n', '{2+}\r\n', '~{1}\r\n', '{', '}', 'xyz', '"')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.array(fc.nat(7), { maxLength: 60 }), (text, cuts) => {
        const octets = Buffer.from(text.join(''))
        const pieces: Buffer[] = []
        let at = 0
        for (const cut of cuts) {
          pieces.push(octets.subarray(at, at + cut))
          at += cut
        }
        pieces.push(octets.subarray(at))
        expect(frames(pieces, 20)).toEqual(frames([octets], 20))
      }),
      { seed: 1, numRuns: 300 },
    )
  })
})
