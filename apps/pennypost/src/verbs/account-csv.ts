import { lookupAddress } from '@pennypost/model'
import { parseSize } from '../config/quantity.ts'
import { UsageError } from './usage-error.ts'

/**
 * Accounts out of a CSV file, as spreadsheets write it: `address,password` on each line, or columns named in a first line: address
 * (or email, login), password, hash, name, quota. A password that is a bcrypt hash is taken for one.
 */
export interface AccountRow {
  login: string
  /** In the file, from 1. */
  line: number
  name?: string
  quota?: number
  password?: string
  hash?: string
}

const columnNames: Readonly<Record<string, Exclude<keyof AccountRow, 'line'>>> = {
  address: 'login',
  email: 'login',
  login: 'login',
  user: 'login',
  username: 'login',
  name: 'name',
  quota: 'quota',
  password: 'password',
  hash: 'hash',
}

const faultsShown = 20

/** Throws `UsageError` with all that is wrong, each with its line; never with what may be a password. */
export function parseAccounts(text: string): AccountRow[] {
  const lines = parseCsv(text.replace(/^\ufeff/, ''))
  const [first] = lines
  if (!first) throw new UsageError('The file holds no accounts.')
  // Spreadsheets write so where a comma is the sign of decimals. No word of the line: it may hold a password.
  if (first.fields.length === 1 && /[;\t]/.test(first.fields[0] ?? '')) {
    throw new UsageError(`Line ${first.line}: columns are separated by commas here, not by semicolons or tabs.`)
  }
  const titles = first.fields.map((title) => title.trim().toLowerCase())
  const hasTitles = titles.some((title) => columnNames[title] === 'login')
  const columns = hasTitles ? titles : ['address', 'password', 'name', 'quota']
  const unknown = hasTitles && titles.find((title) => columnNames[title] === undefined)
  if (unknown) throw new UsageError(`Column "${unknown}" is none of ${Object.keys(columnNames).join(', ')}.`)
  const faults: string[] = []
  const rows = lines.slice(hasTitles ? 1 : 0).flatMap(({ fields, line }) => {
    try {
      return [accountOf(fields, columns, line)]
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      faults.push(error.message)
      return []
    }
  })
  if (rows.length + faults.length === 0) throw new UsageError('The file holds no accounts.')
  if (faults.length === 0) return rows
  const more = faults.length - faultsShown
  throw new UsageError([...faults.slice(0, faultsShown), ...(more > 0 ? [`And ${more} more.`] : [])].join('\n'))
}

function accountOf(fields: readonly string[], columns: readonly string[], line: number): AccountRow {
  if (fields.length > columns.length) throw new UsageError(`Line ${line} has more than ${columns.length} columns.`)
  const row: AccountRow = { login: '', line }
  for (const [index, value] of fields.entries()) {
    const key = columnNames[columns[index] as string] as Exclude<keyof AccountRow, 'line'>
    if (value === '') continue
    if (key === 'quota') {
      const octets = parseSize(value)
      if (octets === undefined) throw new UsageError(`Line ${line}: the quota is no size such as 500MB or 2GB.`)
      row.quota = octets
    } else if (key === 'password' && /^(\{(BLF-CRYPT|CRYPT)\})?\$2[aby]\$\d\d\$/i.test(value)) row.hash = value
    else row[key] = value
  }
  if (row.login === '') throw new UsageError(`Line ${line} has no address.`)
  if (lookupAddress(row.login.trim()) === undefined) throw new UsageError(noAddress(fields, row.login, line))
  return row
}

function noAddress(fields: readonly string[], value: string, line: number): string {
  const expected = 'a whole address, name and domain, such as alice@one.example, is expected'
  // With its columns in another order, what stands in the place of the address may be the password.
  const hasOther = fields.some((field) => lookupAddress(field.trim()) !== undefined)
  return hasOther
    ? `Line ${line}: in the column of the address ${expected}. Name the columns in the first line if their order is another.`
    : `Line ${line}: "${value}" is no address: ${expected}.`
}

interface CsvLine {
  fields: string[]
  /** In the file, from 1. */
  line: number
}

/** Empty lines are left out. Throws `UsageError` where a quote is not closed. */
export function parseCsv(text: string): CsvLine[] {
  const lines: CsvLine[] = []
  const field = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/y
  let fields: string[] = []
  let line = 1
  let startedAt = 1
  while (field.lastIndex < text.length || fields.length > 0) {
    const match = field.exec(text)
    if (!match) throw new UsageError(`Line ${line}: a quote is not closed, or stands inside a field.`)
    const [all, value, end] = match as unknown as [string, string, string]
    fields.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value)
    line += all.split('\n').length - 1
    if (end === ',') continue
    if (fields.length > 1 || fields[0] !== '') lines.push({ fields, line: startedAt })
    fields = []
    startedAt = line
    if (end === '') break
  }
  return lines
}
