import { isAscii } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import { crlf, reencoded } from '../test/reencoded.ts'
import { parseHeader, valuesOf } from './fields.ts'
import { scan } from './scanner.ts'
import { toSevenBit } from './to-seven-bit.ts'

const converted = (source: Buffer) => reencoded(source, toSevenBit)

const encodingOf = (header: Buffer): string[] => valuesOf(parseHeader(header), 'content-transfer-encoding')

describe('one part', () => {
  test('text becomes quoted-printable and stays what it was', () => {
    const text =
      'MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGrüße = \n\ttab \nü'
    const { header, body, before, after } = converted(crlf(text))
    expect(isAscii(body)).toBe(true)
    expect(encodingOf(header)).toEqual(['quoted-printable'])
    expect(after).toEqual(before)
    expect(body.toString()).toBe('Gr=C3=BC=C3=9Fe =3D=20\r\n\ttab=20\r\n=C3=BC')
  })

  test('long lines are cut, none is longer than 76', () => {
    const { body, before, after } = converted(
      crlf(`Content-Type: text/plain\n\n${'ü'.repeat(200)} ${'x'.repeat(500)}\n`),
    )
    expect(after).toEqual(before)
    expect(
      Math.max(
        ...body
          .toString()
          .split('\r\n')
          .map(({ length }) => length),
      ),
    ).toBeLessThanOrEqual(76)
  })

  test('anything else becomes base64', () => {
    const { header, body, before, after } = converted(
      crlf('Content-Type: image/x\nContent-Transfer-Encoding: binary\n\n\u00fc\u0001\n'),
    )
    expect(encodingOf(header)).toEqual(['base64'])
    expect(isAscii(body)).toBe(true)
    expect(after).toEqual(before)
  })

  test('what is no MIME becomes MIME', () => {
    const { header } = converted(crlf('Subject: x\n\nGrüße\n'))
    expect(header.toString()).toBe(
      'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n',
    )
  })
})

test('of many parts only those are touched that need it, and composites say 7bit', () => {
  const inner = 'Subject: in\nContent-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\nü inside\n'
  const text = [
    'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: 8bit\n\npreämble\n',
    '--b\n\nplain\n',
    '--b\nContent-Type: text/html; name="ü"\nContent-Transfer-Encoding: 8bit\n\n<p>ü\n',
    '--b\nContent-Type: application/x\nContent-Transfer-Encoding: base64\n\nAAECAw==\n',
    `--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\n${inner}\n`,
    '--b--\nepilogue ü\n',
  ].join('')
  const { header, body, before, after } = converted(crlf(text))
  expect(isAscii(body)).toBe(true)
  expect(after).toEqual(before)
  expect(after).toHaveLength(4)
  expect(encodingOf(header)).toEqual(['7bit'])
  const shown = body.toString()
  expect(shown).toContain(
    "--b\r\n\r\nplain\r\n--b\r\nContent-Type: text/html; name*=utf-8''%C3%BC\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
  )
  expect(shown).toContain('Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\nSubject: in\r\n')
  expect(shown).toContain('AAECAw==\r\n')
})

describe('an embedded message lost the UTF-8 of its header section', () => {
  const letter = crlf('Subject: Grüße\nFrom: Zoë <zoë@two.test>\n\nü\n')
  const multipart = (type: string) =>
    Buffer.concat([
      crlf(`MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n${type}\n`),
      letter,
      crlf('\n--b--\n'),
    ])
  const base64 = (body: Buffer) =>
    Buffer.from(body.toString().split('\r\n\r\n')[1]?.split('\r\n--b')[0] ?? '', 'base64')

  test.each([
    'Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n',
    'Content-Type: message/global\nContent-Transfer-Encoding: 8bit\n',
  ])('%j', (type) => {
    const { header, body } = converted(multipart(type))
    expect(encodingOf(header)).toEqual(['7bit'])
    expect(body.toString()).toMatch(
      /^--b\r\nContent-Type: message\/global\r\nContent-Transfer-Encoding: base64\r\n\r\n/,
    )
    expect(isAscii(body)).toBe(true)
    expect(base64(body)).toEqual(letter)
  })

  test('which is all of the message, or a letter of a digest', () => {
    const head = 'MIME-Version: 1.0\nContent-Type: Message/RFC822; x=y\n\n'
    const { header, body } = converted(Buffer.concat([crlf(head), letter]))
    expect(header.toString()).toBe(
      'MIME-Version: 1.0\r\nContent-Type: Message/global; x=y\r\nContent-Transfer-Encoding: base64\r\n\r\n',
    )
    expect(Buffer.from(body.toString(), 'base64')).toEqual(letter)
    const digest = crlf(multipart('').toString().replaceAll('\r', '').replace('mixed', 'digest'))
    expect(converted(digest).body.toString()).toMatch(/^--b\r\nContent-Type: message\/global\r\nContent-Transfer-/)
  })

  test('but one in ASCII that holds such a one is opened', () => {
    const source = crlf(
      `Content-Type: message/rfc822\n\nSubject: out\nContent-Type: message/rfc822\n\n${letter.toString().replaceAll('\r', '')}`,
    )
    const { body } = converted(source)
    expect(body.toString()).toMatch(
      /^Subject: out\r\nContent-Type: message\/global\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64/,
    )
  })
})

test('octet by octet: a message cut anywhere has no octet above 127 left', () => {
  const whole = crlf(
    'Content-Type: multipart/mixed; boundary=b\n\nü\n--b\nContent-Type: text/x\nü: ü\n\nü\n--b\n\nü\n--b--\nü',
  )
  const split = whole.indexOf('\r\n\r\n') + 4
  const header = whole.subarray(0, split)
  for (let end = split; end <= whole.length; end++) {
    const source = whole.subarray(0, end)
    const made = toSevenBit(header, source.subarray(split), scan(source).index({ header }).parts)
    expect(isAscii(made.body)).toBe(true)
  }
})
