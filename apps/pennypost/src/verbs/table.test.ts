import { describe, expect, test } from 'vitest'
import { clean, formatDuration, formatSize, formatTable, formatTime, jsonOf, plural, were, width } from './table.ts'

describe('tables', () => {
  test('columns align, whatever script and however wide', () => {
    const rows = [
      { name: 'Bob', count: 1 },
      { name: '名前', count: 1000 },
      { name: 'Mu\u0308ller', count: 20 },
    ]
    const text = formatTable(
      rows,
      [
        { title: 'NAME', value: ({ name }) => name },
        { title: 'COUNT', value: ({ count }) => count, right: true },
      ],
      '-',
    )
    expect(text).toBe('NAME    COUNT\nBob         1\n名前     1000\nMu\u0308ller     20\n')
    expect(new Set(text.trimEnd().split('\n').map(width))).toEqual(new Set([13]))
  })

  test('as long as may be', () => {
    const text = formatTable(Array(200_000).fill('x'), [{ title: 'NAME', value: String }], '-')
    expect(text).toHaveLength('NAME\n'.length + 2 * 200_000)
  })

  test('no rows give their own sentence', () => {
    expect(formatTable([], [{ title: 'X', value: () => '' }], 'Nothing waits.')).toBe('Nothing waits.\n')
  })

  test('what others wrote never reaches the terminal as a control', () => {
    expect(clean('550 no\x1b[2J\r\nway')).toBe('550 no [2J way')
    expect(clean('invoice\u202efdp.exe')).toBe('invoice fdp.exe')
  })

  test('what others wrote reached the terminal as a control in JSON', () => {
    const value = { subject: '\x9b2J\x1b[31m\u202e' }
    expect(jsonOf(value, 0)).toBe('{"subject":"\\u009b2J\\u001b[31m\\u202e"}')
    expect(JSON.parse(jsonOf(value))).toEqual(value)
  })
})

test('sizes, times and durations are short', () => {
  expect([0, 999, 1024, 1536, 150 * 1024 ** 2, 3 * 1024 ** 4].map(formatSize)).toEqual([
    '0',
    '999 B',
    '1.0 KB',
    '1.5 KB',
    '150 MB',
    '3.0 TB',
  ])
  expect(formatTime(Date.UTC(2026, 0, 2, 3, 4, 5, 678))).toBe('2026-01-02 03:04:05Z')
  expect([0, 59_000, 3_600_000, 93_784_000].map(formatDuration)).toEqual(['0 s', '59 s', '1 h', '1 d 2 h'])
  expect([plural(1, 'entry', 'entries'), plural(2, 'message')]).toEqual(['1 entry', '2 messages'])
})

test('one message that is passed over "were" there', () => {
  expect([1, 2].map(were)).toEqual(['was', 'were'])
})
