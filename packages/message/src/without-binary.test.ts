import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crlf } from '../test/reencoded.ts'
import { allParts } from './parts.ts'
import { scan } from './scanner.ts'
import { decodeTransfer } from './transfer-encoding.ts'
import { withoutBinary } from './without-binary.ts'

/** The message encoded, its body given in chunks of so many octets. */
async function encoded(source: Buffer, chunkOctets = source.length): Promise<string> {
  const { header, headerSize, index } = scan(source)
  async function* body() {
    for (let at = headerSize; at < source.length; at += chunkOctets)
      yield source.subarray(at, Math.min(source.length, at + chunkOctets))
  }
  const pieces = await Array.fromAsync(withoutBinary(header, index().parts, body()))
  return Buffer.concat(pieces).toString('latin1')
}

function leaves(source: Buffer): (string | undefined)[] {
  const { headerSize, index } = scan(source)
  return allParts(index().parts)
    .filter(({ kind }) => kind === 'text' || kind === 'basic')
    .map(({ body: { start, end }, encoding }) =>
      decodeTransfer(source.subarray(headerSize + start, headerSize + end), encoding)?.toString('latin1'),
    )
}

const binary = (octets: string): string =>
  `Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n${octets}`
const multipart = (subtype: string, ...parts: string[]): string =>
  [
    `MIME-Version: 1.0\r\nContent-Type: multipart/${subtype}; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n`,
    ...parts.map((part) => `--b\r\n${part}\r\n`),
    '--b--\r\n',
  ].join('')
const text = 'Content-Type: text/plain\r\nContent-Transfer-Encoding: 8bit\r\n\r\nh\xe9llo\r\n'
const octets = (source: string): Buffer => Buffer.from(source, 'latin1')

describe('parts that are declared binary', () => {
  test('a message of one part is base64 in lines that end', async () => {
    const made = await encoded(octets(`MIME-Version: 1.0\r\nSubject: x\r\n${binary('\0'.repeat(58))}`))
    expect(made).toBe(
      `MIME-Version: 1.0\r\nSubject: x\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n${'A'.repeat(76)}\r\nAA==\r\n`,
    )
  })

  test('the line end before a delimiter stays the delimiter’s, the rest stays, the multipart says what is left in it', async () => {
    const made = await encoded(octets(multipart('mixed', text, binary('\0\n'))))
    expect(made).toBe(multipart('mixed', text, binary('AAo=').replace('binary', 'base64')).replace('binary', '8bit'))
  })

  test('they are found in a message within the message', async () => {
    const inner = multipart('mixed', binary('a\0b'), text)
    const attached = `Content-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\n${inner}`
    const source = octets(multipart('mixed', text, attached, binary('')))
    const made = octets(await encoded(source))
    expect(leaves(made)).toEqual(leaves(source))
    expect(made.toString('latin1')).not.toMatch(/\0|binary/)
  })

  test('what is signed stays as it is', async () => {
    const source = multipart(
      'mixed',
      multipart('signed', binary('\0'), text).replaceAll('--b', '--c').replace('=b', '=c'),
    )
    expect(await encoded(octets(source))).toBe(source.replace('binary', '8bit'))
  })

  test('a message without any stays as it is', async () => {
    const source = crlf('Subject: x\n\nbody\n--b\nmore').toString('latin1')
    expect(await encoded(octets(source))).toBe(source)
  })
})

test('however the body is cut, every part decodes to what it was', async () => {
  const content = fc.string({ unit: fc.constantFrom('\0', '\n', '\r', 'a', '\xff'), maxLength: 300 })
  await fc.assert(
    fc.asyncProperty(content, content, fc.integer({ min: 1, max: 400 }), async (first, second, size) => {
      const source = octets(multipart('mixed', binary(first), text, binary(second)))
      const made = await encoded(source, size)
      expect(made).toBe(await encoded(source))
      expect(leaves(octets(made))).toEqual(leaves(source))
    }),
    { seed: 3, numRuns: 200 },
  )
})
