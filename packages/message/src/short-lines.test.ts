import { describe, expect, test } from 'vitest'
import { crlf, reencoded } from '../test/reencoded.ts'
import { parseHeader, valuesOf } from './fields.ts'
import { scan } from './scanner.ts'
import { longestLine, shortLines } from './short-lines.ts'

const long = 'x'.repeat(longestLine + 1)
const longest = 'y'.repeat(longestLine)
function shortened(text: string) {
  const source = crlf(text)
  const made = reencoded(source, shortLines)
  return {
    ...made,
    source: source.toString('latin1'),
    whole: Buffer.concat([made.header, made.body]).toString('latin1'),
  }
}

const longLines = (text: string): number => text.split('\r\n').filter(({ length }) => length > longestLine).length

describe('one part', () => {
  test('text becomes quoted-printable and stays what it was', () => {
    const { header, whole, before, after } = shortened(`Subject: x\n\n${longest}\n${long} \ntab\t\n`)
    expect(longLines(whole)).toBe(0)
    expect(after).toEqual(before)
    expect(header.toString()).toBe(
      'Subject: x\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n',
    )
  })

  test('8-bit text keeps its charset', () => {
    const { header, before, after, whole } = shortened(
      `MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n${'ü'.repeat(600)}\n`,
    )
    expect(longLines(whole)).toBe(0)
    expect(after).toEqual(before)
    expect(valuesOf(parseHeader(header), 'content-transfer-encoding')).toEqual(['quoted-printable'])
    expect(valuesOf(parseHeader(header), 'content-type')).toEqual(['text/html; charset=utf-8'])
  })

  test.for(['', 'Subject: x\r\n'])('text without an empty line before it became header: %j', (header) => {
    const body = `Dear all\r\n${long}\r\n\r\nThe end\r\n`
    const made = shortLines(Buffer.from(header), Buffer.from(body), scan(Buffer.from(header + body)).index().parts)
    const again = scan(Buffer.concat([made.header, made.body]))
    expect(again.headerSize).toBe(made.header.length)
    expect(again.index().parts).toContain('quoted-printable')
  })

  test('base64 in one line gets lines', () => {
    const { whole, before, after } = shortened(
      `Content-Type: image/png\nContent-Transfer-Encoding: base64\n\n${Buffer.alloc(3000, 'png').toString('base64')}\n`,
    )
    expect(longLines(whole)).toBe(0)
    expect(after).toEqual(before)
  })

  test.for([
    ['all lines are short enough', `Subject: x\n\n${longest}\n`],
    ['there is no line end after the longest', `Subject: x\n\n${longest}`],
    ['its encoding is not known', `MIME-Version: 1.0\nContent-Transfer-Encoding: x-own\n\n${long}\n`],
    ['it is empty', 'Subject: x\n\n'],
  ])('it stays where %s', ([, text]) => {
    const { whole, source } = shortened(text as string)
    expect(whole).toBe(source)
  })
})

describe('several parts', () => {
  const parts = (subtype: string) =>
    `Content-Type: multipart/${subtype}; boundary=b\n\nPreamble\n--b\nContent-Type: text/plain\n\nshort\n--b\nContent-Type: text/html\n\n<p>${long}</p>\n--b\nContent-Type: message/rfc822\n\nSubject: inner\n\n${long}\n--b--\n`

  test('those with long lines are encoded, those of a message inside too', () => {
    const { whole, before, after } = shortened(parts('mixed'))
    expect(longLines(whole)).toBe(0)
    expect(after).toEqual(before)
    expect(whole).toContain('--b\r\nContent-Type: text/plain\r\n\r\nshort\r\n')
    expect(whole).toContain(
      'Subject: inner\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n',
    )
  })

  test('what is signed stays', () => {
    const { whole, source } = shortened(parts('signed'))
    expect(whole).toBe(source)
  })
})
