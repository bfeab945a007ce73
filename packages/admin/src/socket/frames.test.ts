import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { callLimits, decodeLines, encodeLine, encodePieces, type Line } from './frames.ts'

async function* cut(octets: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size)
}

async function read(octets: Buffer, size = octets.length, limits = callLimits): Promise<Line[]> {
  const lines: Line[] = []
  for await (const line of decodeLines(cut(octets, Math.max(1, size)), limits)) lines.push(line)
  return lines
}

const samples: Line[] = [
  { head: { name: 'ä\n' } },
  { octets: Buffer.from('a\r\n{"b"\0') },
  { end: true },
  { result: null },
]

describe('frames', () => {
  test('come back as they were, however they are cut', async () => {
    const octets = Buffer.concat(samples.map(encodeLine))
    for (let size = 1; size <= octets.length; size++) expect(await read(octets, size)).toEqual(samples)
  })

  test('an answer in pieces is the same as at once', () => {
    const whole = (line: Line): string => Buffer.concat([...encodePieces(line)]).toString()
    const odd = { result: { a: undefined, at: new Date(0), empty: {}, none: [], list: [undefined, { b: [1, null] }] } }
    expect(whole(odd)).toBe(encodeLine(odd).toString())
    fc.assert(
      fc.property(fc.jsonValue(), (result) => {
        expect(whole({ result })).toBe(encodeLine({ result }).toString())
      }),
      { seed: 7, numRuns: 300 },
    )
  })

  test('a long list is not turned into text in one go', () => {
    const result = Array.from({ length: 20_000 }, (_, id) => ({ id, login: `user${id}@one.test` }))
    const pieces = [...encodePieces({ result: { result } })]
    expect(pieces.length).toBeGreaterThan(5)
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(70_000)
  })

  test('a piece of no octets says nothing', async () => {
    expect(await read(Buffer.concat([encodeLine({ octets: Buffer.alloc(0) }), encodeLine({ end: true })]))).toEqual([
      { end: true },
    ])
  })

  test('limits hold before anything is kept', async () => {
    const limits = { line: 20, piece: 4 }
    await expect(read(Buffer.from(`{"head":{"a":"${'x'.repeat(50)}"}}\n`), 7, limits)).rejects.toThrow(/longer than 20/)
    await expect(read(Buffer.from('{"octets":5}\nabcde'), 3, limits)).rejects.toThrow(/larger than 4/)
    await expect(read(Buffer.from('{"octets":1.5}\nab'), 3, limits)).rejects.toThrow(/larger than 4/)
  })

  test('a stream that breaks off is told from one that ends', async () => {
    await expect(read(Buffer.from('{"octets":5}\nabc'))).rejects.toThrow(/middle/)
    await expect(read(Buffer.from('{"head"'))).rejects.toThrow(/middle/)
    await expect(read(Buffer.from('{"octets":5}\n'))).rejects.toThrow(/middle/)
    expect(await read(Buffer.alloc(0))).toEqual([])
  })

  test('any octets either give lines or an error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 50 }), async (octets, size) => {
        await read(Buffer.from(octets), size).catch((error: Error) => expect(error).toBeInstanceOf(Error))
      }),
      { seed: 7, numRuns: 300 },
    )
  })
})
