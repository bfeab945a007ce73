import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAccounts, parseCsv } from './account-csv.ts'

describe('CSV', () => {
  test('quotes, commas, line ends and empty lines are those of spreadsheets', () => {
    expect(parseCsv('a,"b, ""c""\nd",e\r\n\r\nf,,\n').map(({ fields }) => fields)).toEqual([
      ['a', 'b, "c"\nd', 'e'],
      ['f', '', ''],
    ])
    expect(parseCsv('a,b').map(({ fields }) => fields)).toEqual([['a', 'b']])
    expect(parseCsv('a,\nx').map(({ fields }) => fields)).toEqual([['a', ''], ['x']])
    expect(parseCsv('"a\nb"\nx').map(({ line }) => line)).toEqual([1, 3])
    expect(parseCsv('')).toEqual([])
  })

  test('anything that is written comes back', () => {
    const field = fc.string({ maxLength: 8 })
    const row = fc.array(field, { minLength: 2, maxLength: 4 })
    fc.assert(
      fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
        const text = rows
          .map((fields) => fields.map((each) => `"${each.replaceAll('"', '""')}"`).join(','))
          .join('\r\n')
        expect(parseCsv(text).map(({ fields }) => fields)).toEqual(rows)
      }),
      { seed: 3, numRuns: 200 },
    )
  })

  test('any text gives rows or a fault with its line', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', 'a') }), (text) => {
        try {
          parseCsv(text)
        } catch (error) {
          expect((error as Error).message).toMatch(/^Line \d+: a quote/)
        }
      }),
      { seed: 4, numRuns: 300 },
    )
  })
})

describe('accounts', () => {
  test('come from two plain columns, or from titled ones in any order', () => {
    expect(parseAccounts('alice@one.test,secret\nbob@one.test,$2y$10$abc')).toEqual([
      { login: 'alice@one.test', line: 1, password: 'secret' },
      { login: 'bob@one.test', line: 2, hash: '$2y$10$abc' },
    ])
    expect(parseAccounts('\ufeffName,Email,quota,hash\nBob,b@one.test,2GB,\n')).toEqual([
      { login: 'b@one.test', line: 2, name: 'Bob', quota: 2 * 1024 ** 3 },
    ])
  })

  test('faults name the line and never what may be a password', () => {
    const fault = (text: string): string => {
      try {
        parseAccounts(text)
      } catch (error) {
        return (error as Error).message
      }
      return ''
    }
    expect(fault('')).toMatch(/no accounts/)
    expect(fault('address,colour\na@one.test,red')).toMatch(/"colour" is none of/)
    expect(fault('address,password,quota\na@one.test,geheim,many')).toBe(
      'Line 2: the quota is no size such as 500MB or 2GB.',
    )
    expect(fault('address,password\n')).toBe('The file holds no accounts.')
    expect(fault('address,password\n,geheim')).toBe('Line 2 has no address.')
    expect(fault('address,password\na@one.test,x\ncarol,geheim')).toBe(
      'Line 3: "carol" is no address: a whole address, name and domain, such as alice@one.example, is expected.',
    )
    expect(fault('geheim,a@one.test')).toMatch(/^Line 1: in the column of the address a whole address.* order is/)
    expect(fault('geheim,a@one.test')).not.toContain('geheim')
    expect(fault('a@one.test,geheim,b,c,d')).toBe('Line 1 has more than 4 columns.')
  })
})

test.each(['address;password\nalice@one.test;geheim', 'alice@one.test\tgeheim'])(
  'a spreadsheet with other separators was said to have no address, with the password beside it',
  (text) => {
    expect(() => parseAccounts(text)).toThrow(
      /^Line 1: columns are separated by commas here, not by semicolons or tabs\.$/,
    )
  },
)

test('of several faults in a file only the first was told', () => {
  const rows = (count: number) => Array.from({ length: count }, () => ',geheim').join('\n')
  expect(() => parseAccounts('carol,geheim\na@one.test,x\n,geheim')).toThrow(
    /^Line 1: "carol".*\nLine 3 has no address\.$/,
  )
  expect(() => parseAccounts(rows(20))).toThrow(/^(Line \d+ has no address\.\n?){20}$/)
  expect(() => parseAccounts(rows(23))).toThrow(/\nLine 20 has no address\.\nAnd 3 more\.$/)
})
