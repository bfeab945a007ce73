import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cases } from '../test/messages.ts'
import { allParts, createScanner, partAt, scan, structureFor } from './index.ts'

const crlf = (text: string): Buffer => Buffer.from(text.replace(/\n/g, '\r\n'))

/** Everything a scan says, for comparison. */
const told = ({ index, ...facts }: ReturnType<typeof scan>) => ({ ...facts, root: undefined, index: index() })

function scanInPieces(content: Buffer, cuts: readonly number[]) {
  const scanner = createScanner()
  let from = 0
  for (const cut of [...cuts, content.length]) {
    scanner.push(content.subarray(from, cut))
    from = cut
  }
  return told(scanner.finish())
}

describe('messages that are hard to read', () => {
  test.each(cases)('$title', ({ message, body }) => {
    expect(structureFor(scan(crlf(message)).index().structure, 'BODY')).toBe(body)
  })

  test.each(cases)('octet by octet: $title', ({ message }) => {
    const content = crlf(message)
    expect(scanInPieces(content, [...content.keys()])).toEqual(told(scan(content)))
  })

  test.each(cases)('with bare LF the parts are the same: $title', ({ message }) => {
    const text = (content: Buffer) => {
      const { headerSize, index } = scan(content)
      const parts = allParts(index().parts)
      const of = ({ start, end }: { start: number; end: number }) =>
        content.toString('utf8', headerSize + start, headerSize + end).replace(/\r\n/g, '\n')
      return parts.map(({ path, body, mime }) => [path, of(body), mime && of(mime)])
    }
    expect(text(Buffer.from(message))).toEqual(text(crlf(message)))
  })
})

test.each([
  ['; filename=a.pdf', '("attachment" ("filename" "a.pdf"))'],
  ['', 'NIL'],
])('Content-Disposition:%s', (value, shown) => {
  const { structure } = scan(crlf(`Content-Type: a/b\nContent-Disposition:${value}\n\nx\n`)).index()
  expect(structureFor(structure, 'BODYSTRUCTURE')).toBe(`("a" "b" NIL NIL NIL "7bit" 3 NIL ${shown} NIL NIL)`)
})

test('cutting a message anywhere changes nothing', () => {
  const lines = [
    '--b\r\n',
    '--b--\r\n',
    '--bb\r\n',
    '--bb--\r\n',
    '\r\n',
    '\n',
    '\r',
    '-',
    '--',
    'text\r\n',
    'é',
    'a: b\r\n',
  ]
  const fields = [
    'Content-Type: multipart/mixed; boundary=b\r\n',
    'Content-Type: multipart/digest; boundary=bb\r\n',
    'Content-Type: message/rfc822\r\n',
    'Content-Type: text/html\r\n',
  ]
  const message = fc
    .array(fc.constantFrom(...lines, ...fields), { maxLength: 40 })
    .map((pieces) => Buffer.from(pieces.join('')))
  fc.assert(
    fc.property(message, fc.array(fc.nat(400)), (content, cuts) => {
      const places = cuts.map((cut) => cut % (content.length + 1)).sort((a, b) => a - b)
      expect(scanInPieces(content, places)).toEqual(told(scan(content)))
    }),
    { seed: 1, numRuns: 400 },
  )
})

test.each([
  ['all body: a line of text', 'the door is open\n', 0],
  ['all body: lines of text without an empty one', 'one\ntwo\n', 0],
  ['all body: text and an empty line', 'one\n\ntwo\n', 0],
  ['all body: a first line that begins with white space', ' From: a@one.test\nSubject: x\n\nbody\n', 0],
  ['an empty line first', '\nbody\n', 2],
  ['junk, then fields', 'junk\nFrom: a@one.test\n\nbody\n', 26],
  ['the line of an mbox, then fields', 'From a@one.test Mon\nTo: b\n\nbody\n', 30],
  ['text behind fields, without an empty line', 'From: a@one.test\nTo: b\nthe door\nis: open\n', 25],
  ['the line of an mbox and text, without an empty line', 'From a@one.test Mon\nTo: b\nthe door', 28],
  ['all body: lines of text before what looks like a field, without an empty line', 'one\ntwo\nTo: b\n', 0],
  ['fields alone', 'From: a@one.test\n', 18],
  ['nothing', '', 0],
])('where the header section ends: %s', (_, message, headerSize) => {
  const content = crlf(message)
  const scanned = scan(content)
  expect(scanned.headerSize).toBe(headerSize)
  expect(scanned.header).toEqual(content.subarray(0, headerSize))
  expect(scanInPieces(content, [...content.keys()])).toEqual(told(scanned))
})

test('text without a field is all body, however long it is', () => {
  const scanned = scan(crlf('no field\n'.repeat(1000)), { headerSize: 100 })
  expect(scanned).toMatchObject({ headerSize: 0, headerTooLarge: false })
})

test('any octets at all give a structure', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (octets) => {
      const content = Buffer.from(octets)
      const scanned = scan(content)
      expect(scanned.headerSize + scanned.bodySize).toBe(content.length)
      expect(scanned.header).toEqual(content.subarray(0, scanned.headerSize))
      expect(scanned.index().structure).toMatch(/^\(.*\)$/s)
    }),
    { seed: 2, numRuns: 300 },
  )
})

describe('limits', () => {
  const nested = (levels: number) =>
    Array.from(
      { length: levels },
      (_, level) => `Content-Type: multipart/mixed; boundary=b${level}x\n\n--b${level}x\n`,
    ).join('')

  test('what is nested deeper than `depth` is one opaque part', () => {
    const scanned = scan(crlf(nested(10)), { depth: 3 })
    expect(scanned.structureCut).toBe(true)
    expect(allParts(scanned.index().parts).map(({ path, subtype }) => [path, subtype])).toEqual([
      ['1', 'mixed'],
      ['1.1', 'octet-stream'],
    ])
  })

  test('a thousand levels and a thousand messages in each other end at the limit', () => {
    expect(scan(crlf(nested(1000))).structureCut).toBe(true)
    expect(scan(crlf('Content-Type: message/rfc822\n\n'.repeat(1000))).structureCut).toBe(true)
  })

  test('the last part within `parts` takes what is left', () => {
    for (const part of ['\nx\n', '']) {
      const content = crlf(`Content-Type: multipart/mixed; boundary=b\n\n${`--b\n${part}`.repeat(20)}--b--\n`)
      const scanned = scan(content, { parts: 5 })
      const found = allParts(scanned.index().parts)
      expect(found).toHaveLength(4)
      expect(found.at(-1)?.body.end).toBe(scanned.bodySize)
    }
  })

  test('a header section beyond its limit ends with the last whole line, and nothing is lost', () => {
    const content = crlf(`Subject: x\n${'To: alice@one.test\n'.repeat(100)}\nbody\n`)
    const scanned = scan(content, { headerSize: 100 })
    expect(scanned.headerTooLarge).toBe(true)
    expect(scanned.headerSize).toBe(92)
    expect(scanned.headerSize + scanned.bodySize).toBe(content.length)
    const line = scan(Buffer.alloc(5000, 120), { headerSize: 100 })
    expect([line.headerTooLarge, line.headerSize, line.bodySize]).toEqual([true, 0, 5000])
  })

  test('an envelope made to explode does not', () => {
    const from = `From: ${'a,'.repeat(400_000)}\n`
    expect(scan(crlf(`${from}${from}\n`)).index().envelope.length).toBeLessThan(1_000_000)
    const part = `--b\nContent-Type: message/rfc822\n\nFrom: ${'a,'.repeat(2000)}\n\n`
    const content = crlf(`Content-Type: multipart/mixed; boundary=b\n\n${part.repeat(200)}`)
    expect(scan(content).index().structure.length).toBeLessThan(1_500_000)
  })

  test('headers of parts beyond their limit open no more parts', () => {
    const part = `--b\n${'X: y\n'.repeat(50)}\ntext\n`
    const content = crlf(`Content-Type: multipart/mixed; boundary=b\n\n${part.repeat(10)}--b--\n`)
    const scanned = scan(content, { partHeaderSize: 1000 })
    expect(scanned.structureCut).toBe(true)
    expect(allParts(scanned.index().parts)).toHaveLength(4)
  })

  test('the header of one part was collected in memory up to the limit of all', () => {
    const content = crlf(`Content-Type: multipart/mixed; boundary=b\n\n--b\n${'X: y\n'.repeat(500)}\ntext\n--b--\n`)
    expect(scan(content, { headerSize: 1000 }).structureCut).toBe(true)
    expect(scan(content, { headerSize: 4000 }).structureCut).toBe(false)
  })

  test('the memory of a large header section was held until the end of the body', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const octets = (): number => {
      collectGarbage()
      return process.memoryUsage().arrayBuffers
    }
    const piece = Buffer.from('X: y\r\n'.repeat(10_000))
    const before = octets()
    const scanners = Array.from({ length: 10 }, () => {
      const scanner = createScanner()
      for (let pieces = 0; pieces < 17; pieces++) scanner.push(piece)
      scanner.push(Buffer.from('\r\nbody\r\n'))
      return scanner
    })
    // The header section itself is kept.
    await expect.poll(() => (octets() - before) / scanners.length).toBeLessThan(1.5 * piece.length * 17)
    expect(scanners.map((scanner) => scanner.finish().headerSize)).toEqual(Array(10).fill(piece.length * 17 + 2))
  })
})

describe('section part specifiers', () => {
  const content = crlf(
    'Content-Type: multipart/mixed; boundary=o\n\n--o\n\none\n--o\nContent-Type: message/rfc822\n\nSubject: inner\nContent-Type: multipart/alternative; boundary=i\n\n--i\n\ntwo\n--i\nContent-Type: text/html\n\nthree\n--i--\n\n--o\nContent-Type: message/rfc822\n\nSubject: single\n\nfour\n--o--\n',
  )
  const { headerSize, index } = scan(content)
  const { parts } = index()
  const of = (range?: { start: number; end: number }) =>
    range && content.toString('latin1', headerSize + range.start, headerSize + range.end).replace(/\r\n/g, '\n')

  test('BODY[n], BODY[n.MIME], BODY[n.HEADER], BODY[n.TEXT]', () => {
    expect(of(partAt(parts, '1')?.body)).toBe('one')
    expect(of(partAt(parts, '1')?.mime)).toBe('\n')
    expect(of(partAt(parts, '2')?.header)).toBe('Subject: inner\nContent-Type: multipart/alternative; boundary=i\n\n')
    expect(of(partAt(parts, '2')?.text)).toBe('--i\n\ntwo\n--i\nContent-Type: text/html\n\nthree\n--i--\n')
    expect(of(partAt(parts, '2.2')?.mime)).toBe('Content-Type: text/html\n\n')
    expect(of(partAt(parts, '2.2')?.body)).toBe('three')
    expect(of(partAt(parts, '3')?.mime)).toBe('Content-Type: message/rfc822\n\n')
    expect(of(partAt(parts, '3.1')?.body)).toBe('four')
    expect(of(partAt(parts, '3.1')?.mime)).toBe('Subject: single\n\n')
  })

  test('there is nothing where there is no part', () => {
    for (const path of ['0', '4', '1.1', '2.3', '3.2', '3.1.1', '', '1.', '01', '-1', '1.0']) {
      expect(partAt(parts, path)).toBeUndefined()
    }
  })

  test('every part has a specifier, and it finds the part', () => {
    expect(allParts(parts).map(({ path }) => path)).toEqual(['1', '2', '2.1', '2.2', '3', '3.1'])
    for (const part of allParts(parts)) expect(partAt(parts, part.path)).toEqual(part)
  })

  test('a message of one part has part 1, whose MIME header is its own', () => {
    const single = scan(crlf('Subject: x\n\ntext\n')).index().parts
    expect(partAt(single, '1')).toMatchObject({ body: { start: 0, end: 6 }, mime: undefined })
    expect(partAt(single, '1.1')).toBeUndefined()
  })
})

test.each([
  ['Subject: a\r\n\r\nbody', true],
  ['Subject: a\r\n\r\nbody\r', true],
  ['Subject: a\r\n\r\nbody\n', true],
  ['Subject: a\r\n\r\nbody\r\n', false],
  ['Subject: a\r\n\r\n', false],
  ['Subject: a', true],
  ['', false],
])('a message has an open end when it does not end in CRLF: %j', (content, openEnd) => {
  expect(scan(Buffer.from(content)).index().openEnd).toBe(openEnd)
  const scanner = createScanner()
  for (const octet of Buffer.from(content)) scanner.push(Buffer.from([octet]))
  expect(scanner.finish().index().openEnd).toBe(openEnd)
  const header = Buffer.from('Subject: b\r\n\r\n')
  expect(scan(Buffer.from('Subject: a')).index({ header }).openEnd).toBe(false)
})
