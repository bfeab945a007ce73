import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { countKeys, type SearchQuery, searchNeeds } from '../search-query.ts'
import { matches, type SearchSubject, writtenDay } from './search-match.ts'

const row = {
  size: 1000,
  internalDate: { at: Date.UTC(2024, 0, 31, 23, 30), offsetMinutes: 60 },
  savedAt: Date.UTC(2024, 5, 1),
  sentDay: 20240131,
}
const subject: SearchSubject = {
  uid: 7,
  flags: 8 + 2 ** 40,
  modSeq: 100,
  row,
  headerText: () => 'subject: hello\nx-empty: \nx-two: subject: x\n',
  bodyTexts: () => ['first part', 'second part'],
}
const ask = (query: SearchQuery, message = subject): boolean => matches(query, message)
const day = (of: 'internal' | 'saved' | 'sent', relation: 'before' | 'on' | 'since', number: number): SearchQuery => ({
  key: 'day',
  of,
  relation,
  day: number,
})

describe('matches', () => {
  test('flags above bit 31 count, set and clear', () => {
    const flags = (set: number, clear: number): boolean => ask({ key: 'flags', set, clear })
    expect(flags(2 ** 40, 0)).toBe(true)
    expect(flags(2 ** 40 + 8, 2 ** 41)).toBe(true)
    expect(flags(2 ** 41, 0)).toBe(false)
    expect(flags(0, 2 ** 40)).toBe(false)
    expect(flags(0, 2 ** 40 + 2 ** 41)).toBe(false)
    expect(flags(2 ** 40 + 1, 0)).toBe(false)
  })

  test('flag keys say what the bits say', () => {
    const bits = fc.bigInt({ min: 0n, max: (1n << 52n) - 1n })
    fc.assert(
      fc.property(bits, bits, bits, (has, set, clear) => {
        const expected = (has & set) === set && (has & clear) === 0n
        const query: SearchQuery = { key: 'flags', set: Number(set), clear: Number(clear) }
        expect(ask(query, { ...subject, flags: Number(has) })).toBe(expected)
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  test('sizes are exclusive, ages inclusive', () => {
    expect([999, 1000].map((octets) => ask({ key: 'larger', octets }))).toEqual([true, false])
    expect([1000, 1001].map((octets) => ask({ key: 'smaller', octets }))).toEqual([false, true])
    const { at } = row.internalDate
    expect([at, at + 1].map((time) => ask({ key: 'younger', at: time }))).toEqual([true, false])
    expect([at - 1, at].map((time) => ask({ key: 'older', at: time }))).toEqual([false, true])
    expect([100, 101].map((atLeast) => ask({ key: 'modseq', atLeast }))).toEqual([true, false])
  })

  test('dates go by the day as written', () => {
    expect(ask(day('internal', 'on', 20240201))).toBe(true)
    expect(ask(day('internal', 'before', 20240201))).toBe(false)
    expect(ask(day('internal', 'since', 20240201))).toBe(true)
    expect(ask(day('saved', 'on', 20240601))).toBe(true)
    expect(ask(day('sent', 'before', 20240201))).toBe(true)
  })

  test('what is absent never matches', () => {
    const { row: _, headerText: __, bodyTexts: ___, ...bare } = subject
    const undated = { ...bare, row: { ...row, sentDay: null } }
    for (const relation of ['before', 'on', 'since'] as const)
      expect(ask(day('sent', relation, 20240131), undated)).toBe(false)
    expect(ask({ key: 'larger', octets: 0 }, bare)).toBe(false)
    expect(ask({ key: 'header', field: 'subject', text: '' }, bare)).toBe(false)
    expect(ask({ key: 'text', text: 'hello' }, bare)).toBe(false)
  })

  test('an empty header field is present and contains nothing', () => {
    expect(ask({ key: 'header', field: 'x-empty', text: '' })).toBe(true)
    expect(ask({ key: 'header', field: 'x-empty', text: 'a' })).toBe(false)
    expect(ask({ key: 'header', field: 'x-none', text: '' })).toBe(false)
  })

  test('a header field is looked for in its own line, and its name is none of its value', () => {
    expect(ask({ key: 'header', field: 'subject', text: 'hello' })).toBe(true)
    expect(ask({ key: 'header', field: 'subject', text: 'subject' })).toBe(false)
    expect(ask({ key: 'header', field: 'subject', text: 'x' })).toBe(false)
    expect(ask({ key: 'header', field: 'x-two', text: 'subject: x' })).toBe(true)
    expect(ask({ key: 'header', field: 'two', text: '' })).toBe(false)
  })

  test('text is looked for in the header and in each part, never across parts', () => {
    expect(ask({ key: 'text', text: 'hello' })).toBe(true)
    expect(ask({ key: 'body', text: 'hello' })).toBe(false)
    expect(ask({ key: 'body', text: 'second' })).toBe(true)
    expect(ask({ key: 'body', text: 'partsecond' })).toBe(false)
  })

  test('the body is not touched when no key needs it', () => {
    const untouchable = { ...subject, bodyTexts: (): never => expect.unreachable() }
    expect(
      ask(
        {
          key: 'and',
          queries: [
            { key: 'flags', set: 1, clear: 0 },
            { key: 'body', text: 'x' },
          ],
        },
        untouchable,
      ),
    ).toBe(false)
    expect(ask({ key: 'or', queries: [{ key: 'all' }, { key: 'body', text: 'x' }] }, untouchable)).toBe(true)
    expect(ask({ key: 'text', text: 'hello' }, untouchable)).toBe(true)
  })
})

test('writtenDay goes by the offset', () => {
  const midnight = Date.UTC(2024, 1, 29)
  expect(writtenDay(midnight, 0)).toBe(20240229)
  expect(writtenDay(midnight, -1)).toBe(20240228)
  expect(writtenDay(midnight - 60_000, 60)).toBe(20240229)
})

test('searchNeeds tells the dearest class of data', () => {
  const flags: SearchQuery = { key: 'flags', set: 1, clear: 0 }
  const needs: [SearchQuery, string][] = [
    [flags, 'flags'],
    [{ key: 'and', queries: [] }, 'flags'],
    [{ key: 'not', query: { key: 'larger', octets: 1 } }, 'row'],
    [{ key: 'or', queries: [flags, day('sent', 'on', 1)] }, 'row'],
    [
      { key: 'and', queries: [flags, { key: 'header', field: 'x', text: '' }, { key: 'smaller', octets: 1 }] },
      'header',
    ],
    [{ key: 'and', queries: [{ key: 'or', queries: [{ key: 'text', text: 'x' }] }, flags] }, 'body'],
  ]
  for (const [query, need] of needs) expect(searchNeeds(query)).toBe(need)
})

test('countKeys counts every key that a message may be held against', () => {
  const seen: SearchQuery = { key: 'flags', set: 1, clear: 0 }
  const either: SearchQuery = {
    key: 'or',
    queries: [seen, { key: 'not', query: { key: 'and', queries: [seen, seen] } }],
  }
  expect([seen, either].map(countKeys)).toEqual([1, 5])
})

test('writtenDay is what Date says, in any year', () => {
  const instant = fc.integer({ min: -60_000_000_000, max: 250_000_000_000 })
  fc.assert(
    fc.property(instant, (seconds) => {
      const date = new Date(seconds * 1000)
      const day = date.getUTCFullYear() * 10_000 + (date.getUTCMonth() + 1) * 100 + date.getUTCDate()
      expect(writtenDay(seconds * 1000, 0)).toBe(day)
    }),
    { seed: 5, numRuns: 2000 },
  )
})
