import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ContentFilter } from './content-filter.ts'

/** Content, the rest behind the end (undefined: no end found) and the facts. */
function run(chunks: readonly Buffer[], dots = true) {
  const pieces: Buffer[] = []
  const filter = new ContentFilter((piece) => pieces.push(Buffer.from(piece)), dots)
  for (const [index, chunk] of chunks.entries()) {
    const end = filter.push(chunk)
    if (end >= 0) {
      const rest = Buffer.concat([chunk.subarray(end), ...chunks.slice(index + 1)]).toString('latin1')
      return { content: Buffer.concat(pieces).toString('latin1'), rest, facts: filter.facts }
    }
  }
  if (!dots) filter.end()
  return { content: Buffer.concat(pieces).toString('latin1'), rest: undefined, facts: filter.facts }
}

const whole = (text: string) => run([Buffer.from(text, 'latin1')])
const octets = (text: string) => [...Buffer.from(text, 'latin1')].map((octet) => Buffer.from([octet]))

const known: [name: string, input: string, content: string, rest: string | undefined][] = [
  ['a plain message', 'a\r\nb\r\n.\r\nQUIT\r\n', 'a\r\nb\r\n', 'QUIT\r\n'],
  ['an empty message', '.\r\n', '', ''],
  ['a stuffed dot', '..\r\n.\r\n', '.\r\n', ''],
  ['a leading dot that was not stuffed', '.a\r\n.\r\n', 'a\r\n', ''],
  ['dots within a line', 'a.b..\r\n.\r\n', 'a.b..\r\n', ''],
  ['LF dot LF stays content', 'a\n.\nMAIL\r\n.\r\n', 'a\r\n.\r\nMAIL\r\n', ''],
  ['CRLF dot LF stays content', 'a\r\n.\nMAIL\r\n.\r\n', 'a\r\n\r\nMAIL\r\n', ''],
  ['LF dot CRLF stays content', 'a\n.\r\nMAIL\r\n.\r\n', 'a\r\n.\r\nMAIL\r\n', ''],
  ['CR dot CR stays content', 'a\r.\rMAIL\r\n.\r\n', 'a . MAIL\r\n', ''],
  ['CR dot CRLF stays content', 'a\r.\r\nMAIL\r\n.\r\n', 'a .\r\nMAIL\r\n', ''],
  ['CRLF dot CR stays content', 'a\r\n.\rMAIL\r\n.\r\n', 'a\r\n MAIL\r\n', ''],
  ['CRLF NUL dot CRLF stays content', 'a\r\n\0.\r\nMAIL\r\n.\r\n', 'a\r\n\0.\r\nMAIL\r\n', ''],
  ['CR CR LF', 'a\r\r\n.\r\n', 'a \r\n', ''],
  ['CR CR LF at line start', '\r\r\nb\r\n.\r\n', ' \r\nb\r\n', ''],
  ['dot CR CR LF', '.\r\r\n.\r\n', ' \r\n', ''],
  ['no end', 'a\r\n.', 'a\r\n', undefined],
]

describe('content filter', () => {
  it.each(known)('%s', (_, input, content, rest) => {
    expect(whole(input)).toMatchObject({ content, rest })
  })

  it.each(known)('%s, octet by octet', (_, input, content, rest) => {
    expect(run(octets(input))).toMatchObject({ content, rest })
  })

  it('counts what policy may object to', () => {
    expect(whole('a\nb\rc\0\r\n12345\r\n.\r\n').facts).toEqual({
      size: 16,
      bareLineFeeds: 1,
      bareCarriageReturns: 1,
      nuls: 1,
      longestLine: 5,
    })
  })

  it('gives the same content and facts however the octets are cut', () => {
    const text = fc.array(fc.constantFrom('.', '\r', '\n', 'a', '\0', '\r\n', '.\r\n', '\r\n.'), { maxLength: 40 })
    fc.assert(
      fc.property(text, fc.array(fc.nat(60), { maxLength: 6 }), (parts, cuts) => {
        const input = Buffer.from(`${parts.join('')}\r\n.\r\nrest`, 'latin1')
        const at = [0, ...cuts.map((cut) => cut % input.length).sort((a, b) => a - b), input.length]
        const chunks = at.slice(1).map((end, index) => input.subarray(at[index], end))
        expect(run(chunks)).toEqual(run([input]))
      }),
      { seed: 7, numRuns: 2000 },
    )
  })

  it('never lets a bare CR or LF through', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (input, dots) => {
        const { content } = run([Buffer.from(input.map((octet) => (octet < 128 ? octet % 16 : octet)))], dots)
        expect(content.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
      }),
      { seed: 7, numRuns: 2000 },
    )
  })

  it.each(['\n', '\r', '\r\n..', 'a\n', '\r\n.a'])('gives out few pieces for a flood of %j', (junk) => {
    const chunk = Buffer.from(junk.repeat(Math.ceil(65_536 / junk.length)), 'latin1')
    let pieces = 0
    const filter = new ContentFilter(() => pieces++, true)
    for (let at = 0; at < 16; at++) filter.push(chunk)
    expect(pieces).toBeLessThan(16 * 10)
    expect(filter.facts.size).toBeGreaterThan(500_000)
  })

  it('finds the end wherever the chunk lies in memory', () => {
    const content = `${'x'.repeat(50)}\r\n\r\n y\r\n..z\r\n`
    for (let skew = 0; skew < 9; skew++) {
      const memory = Buffer.from(`${'.'.repeat(skew)}${content}.\r\nQUIT`, 'latin1')
      const result = run([memory.subarray(skew)])
      expect(result).toMatchObject({ content: content.replace('..', '.'), rest: 'QUIT' })
      expect(result.facts.longestLine).toBe(50)
    }
  })

  it('leaves dots alone in BDAT chunks and takes a held CR at the end for a bare one', () => {
    expect(run([Buffer.from('.\r\n..\r'), Buffer.from('\n.\r')], false).content).toBe('.\r\n..\r\n. ')
  })
})
