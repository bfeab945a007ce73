import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createTransferDecoder } from './transfer-decoder.ts'
import { decodeTransfer } from './transfer-encoding.ts'

function decode(encoding: 'base64' | 'quoted-printable' | '8bit', chunks: readonly Buffer[]): Buffer {
  const decoder = createTransferDecoder(encoding)
  return Buffer.concat([...chunks.map((chunk) => decoder.push(chunk)), decoder.finish()])
}

function cut(octets: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  let at = 0
  for (const size of sizes) {
    chunks.push(octets.subarray(at, at + size))
    at += size
  }
  return [...chunks, octets.subarray(at)]
}

describe('transfer decoder', () => {
  test('known answers', () => {
    expect(decode('base64', [Buffer.from('SGVs'), Buffer.from('bG8=')]).toString()).toBe('Hello')
    expect(decode('quoted-printable', [Buffer.from('a=3'), Buffer.from('D=\r'), Buffer.from('\nb')]).toString()).toBe(
      'a=b',
    )
    expect(decode('8bit', [Buffer.from('a='), Buffer.from('3D')]).toString()).toBe('a=3D')
  })

  for (const encoding of ['base64', 'quoted-printable'] as const) {
    test(`${encoding}: however it is cut, as the whole`, () => {
      const unit = fc.constantFrom('A', 'b', '9', '=', '=3D', '\r\n', '=\r\n', ' ', '+', '!', '-', 'é')
      fc.assert(
        fc.property(fc.string({ unit, maxLength: 60 }), fc.array(fc.integer({ min: 1, max: 9 })), (text, sizes) => {
          const octets = Buffer.from(text)
          expect(decode(encoding, cut(octets, sizes))).toEqual(decodeTransfer(octets, encoding))
        }),
        { seed: 7, numRuns: 500 },
      )
    })
  }

  test('an endless line of quoted-printable is not kept whole', () => {
    const decoder = createTransferDecoder('quoted-printable')
    let size = 0
    for (let i = 0; i < 40; i++) size += decoder.push(Buffer.from('=41'.repeat(1000))).length
    expect(size).toBeGreaterThan(10_000)
    expect(size + decoder.finish().length).toBe(40_000)
  })

  test('what is no base64 is not kept, and looked at again with each chunk, for the sake of half a group', () => {
    const decoder = createTransferDecoder('base64')
    expect(decoder.push(Buffer.from(`SG${'!'.repeat(100_000)}`)).length).toBe(0)
    expect(decoder.held().toString()).toBe('SG')
    expect(createTransferDecoder('base64', decoder.held()).push(Buffer.from('!Vs')).toString()).toBe('Hel')
  })
})
