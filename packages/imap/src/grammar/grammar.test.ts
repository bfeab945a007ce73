import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Cursor } from '../wire/cursor.ts'
import { date, dateTime, printDateTime } from './date.ts'
import { storeFlags } from './flags.ts'
import { decodeMailbox, printMailbox } from './mailbox.ts'
import { partial, printSection, section } from './section.ts'
import { sequenceSet } from './sequence-set.ts'

const cursor = (line: string): Cursor => new Cursor({ lines: [line], literals: [] }, 10)

/** Reads one production and says where it stopped. */
function read<Value>(production: (cursor: Cursor) => Value, line: string): { value: Value; rest: string } {
  const at = cursor(line)
  const value = production(at)
  return { value, rest: at.rest() }
}

const star = Number.POSITIVE_INFINITY

describe('sequence-set', () => {
  const known: [string, unknown, string][] = [
    ['1 FLAGS', { saved: false, ranges: [[1, 1]] }, ' FLAGS'],
    [
      '1:3,5',
      {
        saved: false,
        ranges: [
          [1, 3],
          [5, 5],
        ],
      },
      '',
    ],
    ['5:2', { saved: false, ranges: [[2, 5]] }, ''],
    [
      '*:4,*',
      {
        saved: false,
        ranges: [
          [4, star],
          [star, star],
        ],
      },
      '',
    ],
    ['$)', { saved: true }, ')'],
    ['4294967295', { saved: false, ranges: [[4294967295, 4294967295]] }, ''],
  ]
  for (const [line, value, rest] of known) test(line, () => expect(read(sequenceSet, line)).toEqual({ value, rest }))
  for (const wrong of ['', '0', '1:', ',1', '1,', 'a', '1:0', '4294967296', '-1', '1::2']) {
    test(`not ${wrong}`, () => expect(() => read(sequenceSet, wrong)).toThrow())
  }
})

describe('date and date-time', () => {
  test('date', () => {
    expect(read(date, '1-Feb-2026')).toEqual({ value: 20260201, rest: '' })
    expect(read(date, '"29-feb-2024" x')).toEqual({ value: 20240229, rest: ' x' })
    for (const wrong of [
      '29-Feb-2026',
      '0-Jan-2026',
      '1-Foo-2026',
      '1-1-2026',
      '"1-Jan-2026',
      '1-Jan-26',
      '31-Apr-2026',
    ]) {
      expect(() => read(date, wrong)).toThrow()
    }
  })

  test('date-time keeps its offset', () => {
    const { value } = read(dateTime, '" 5-Feb-2026 10:11:12 +0530"')
    expect(value).toEqual({ at: Date.UTC(2026, 1, 5, 4, 41, 12), offsetMinutes: 330 })
    expect(printDateTime(value)).toBe(' 5-Feb-2026 10:11:12 +0530')
    for (const wrong of [
      '"  5-Feb-2026 10:11:12 +0000"',
      '"-Feb-2026 10:11:12 +0000"',
      '"05-Feb-2026 24:00:00 +0000"',
      '"05-Feb-2026 10:60:00 +0000"',
      '"05-Feb-2026 10:00:00 +2400"',
      '"30-Feb-2026 10:00:00 +0000"',
      '"05-Feb-2026 10:00:00 UTC"',
    ]) {
      expect(() => read(dateTime, wrong)).toThrow()
    }
  })

  test('date-time may come without the space before its day', () => {
    expect(read(dateTime, '"5-Feb-2026 10:11:12 +0000"')).toEqual(read(dateTime, '" 5-Feb-2026 10:11:12 +0000"'))
  })

  test('what is printed reads back', () => {
    const instant = fc.integer({ min: -30_000_000_000, max: 200_000_000_000 })
    fc.assert(
      fc.property(instant, fc.integer({ min: -1439, max: 1439 }), (seconds, offsetMinutes) => {
        const value = { at: seconds * 1000, offsetMinutes }
        expect(read(dateTime, `"${printDateTime(value)}"`).value).toEqual(value)
      }),
      { seed: 4, numRuns: 300 },
    )
  })
})

describe('flags', () => {
  test('lists and their spellings', () => {
    expect(read(storeFlags, '(\\seen Work $Forwarded)')).toEqual({ value: ['\\Seen', 'Work', '$Forwarded'], rest: '' })
    expect(read(storeFlags, '\\Deleted \\DRAFT')).toEqual({ value: ['\\Deleted', '\\Draft'], rest: '' })
    expect(read(storeFlags, '( $Forwarded kw )')).toEqual({ value: ['$Forwarded', 'kw'], rest: '' })
    for (const wrong of ['(\\Recent)', '(\\Foo)', '(a', '(a ', '(%)', '("a")', '(  a)', '(a  b)', '(a  )']) {
      expect(() => read(storeFlags, wrong)).toThrow()
    }
  })
})

describe('section', () => {
  const same = [
    '[]',
    '[TEXT]',
    '[HEADER]',
    '[1.2.MIME]',
    '[1.TEXT]',
    '[4.2.1]',
    '[HEADER.FIELDS (To Subject)]',
    '[2.HEADER.FIELDS.NOT (X-A)]',
  ]
  for (const text of same) {
    test(`${text} reads and prints`, () => {
      const { value, rest } = read((at) => section(at, 10), `${text}<`)
      expect(printSection(value)).toBe(text)
      expect(rest).toBe('<')
    })
  }
  for (const wrong of [
    '[',
    '[0]',
    '[1.0]',
    '[MIME]',
    '[1..2]',
    '[TEXT.1]',
    '[HEADER.FIELDS]',
    '[HEADER.FIELDS (a:b)]',
    '[1 ]',
    '[1.]',
  ]) {
    test(`not ${wrong}`, () => expect(() => read((at) => section(at, 10), wrong)).toThrow())
  }
  test('levels and fields are bounded', () => {
    expect(() => read((at) => section(at, 10), `[${'1.'.repeat(200)}1]`)).toThrow('levels')
    expect(() => read((at) => section(at, 2), '[HEADER.FIELDS (a b c)]')).toThrow('Too many')
  })
  test('partial', () => {
    expect(read(partial, '<0.10> x')).toEqual({ value: { start: 0, size: 10 }, rest: ' x' })
    expect(read(partial, ' x')).toEqual({ value: undefined, rest: ' x' })
    for (const wrong of ['<1>', '<1.0>', '<.1>', '<1.2']) expect(() => read(partial, wrong)).toThrow()
  })
})

describe('mailbox', () => {
  test('INBOX in any case, delimiters, both spellings', () => {
    expect(decodeMailbox('inBox', false)).toBe('INBOX')
    expect(decodeMailbox('inbox/a', false)).toBe('INBOX/a')
    expect(decodeMailbox('Entw&APw-rfe', false)).toBe('Entwürfe')
    expect(decodeMailbox('Entw\xc3\xbcrfe', true)).toBe('Entwürfe')
    expect(decodeMailbox('A&B', true)).toBe('A&B')
    expect(printMailbox('Entwürfe', false)).toBe('Entw&APw-rfe')
    expect(printMailbox('Entwürfe', true)).toBe('"Entwürfe"')
    expect(printMailbox('a b', false)).toBe('"a b"')
    expect(printMailbox('a"b\\', false)).toBe('"a\\"b\\\\"')
    expect(printMailbox('nil', false)).toBe('"nil"')
  })
  test('what no mailbox can be called', () => {
    for (const wrong of ['', '/a', 'a/', 'a//b', '..', 'a/../b', 'a*b', 'a%b', 'a\rb', '\x00', '\x7f', 'a&b']) {
      expect(() => decodeMailbox(wrong, false)).toThrow()
    }
  })
})
