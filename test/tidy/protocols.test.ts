/** PROTOCOLS.md is true as far as a program can tell: complete, well formed, and at one with what the code says of itself. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { files, isTest, lineOf, mustHold, place, read, root, sources } from './tree.ts'

const page = 'PROTOCOLS.md'

interface Row {
  rfc: number
  title: string
  status: string
  remark: string
  at: string
}

/** The rows of all tables whose first column is a number. */
function rowsIn(text: string): Row[] {
  return [...text.matchAll(/^\| (\d+) \| (.*?) \| (\S+) \|(.*)\|$/gm)].map((match) => {
    const [, rfc, title = '', status = '', remark = ''] = match
    return { rfc: Number(rfc), title, status, remark: remark.trim(), at: `${page}:${lineOf(text, match.index)}` }
  })
}

/** The RFCs that a text cites: `RFC 9051 §6.4`, `RFC 3461, 3464 and 6533`. */
function citedIn(text: string): { rfc: number; start: number }[] {
  return [...text.matchAll(/\bRFC (\d{3,5}(?:(?:, | and |, and )\d{3,5}\b(?! ?§))*)/g)].flatMap((match) =>
    [...match[1]!.matchAll(/\d+/g)].map(([number]) => ({ rfc: Number(number), start: match.index })),
  )
}

const rows = rowsIn(read(page))
const byNumber = new Map(rows.map((row) => [row.rfc, row]))

test('rows and citations are found', () => {
  const table =
    '| RFC | Title | Status | Where |\n| --- | --- | --- | --- |\n| 1 | One | yes | `a/b` |\n| 2 | Two | no | |\n'
  expect(rowsIn(table)).toMatchObject([
    { rfc: 1, title: 'One', status: 'yes', remark: '`a/b`', at: `${page}:3` },
    { rfc: 2, status: 'no', remark: '', at: `${page}:4` },
  ])
  expect(citedIn('RFC 9051 §6.4.8, RFC 3461, 3464 and 6533; in 2024').map(({ rfc }) => rfc)).toEqual([
    9051, 3461, 3464, 6533,
  ])
})

test('every RFC has one row', () => {
  expect(rows.length).toBeGreaterThan(100)
  const written = read(page).match(/^\| \d+ \|/gm)?.length
  expect(written, 'rows of four columns').toBe(rows.length)
  mustHold(
    'an RFC stands in one table of PROTOCOLS.md only',
    rows.filter((row) => byNumber.get(row.rfc) !== row).map(({ at, rfc }) => `${at} RFC ${rfc}`),
  )
})

test('every row says what it owes its reader', () => {
  const named = (remark: string) => /`(?:packages|apps|test)\//.test(remark)
  mustHold(
    'status is yes (with the place in the code), partly (with what is missing) or no',
    rows
      .filter(
        ({ status, remark }) =>
          !(status === 'no' || (status === 'partly' && remark !== '') || (status === 'yes' && named(remark))),
      )
      .map(({ at, rfc, status }) => `${at} RFC ${rfc}: ${status}`),
  )
})

test('places in the code exist', () => {
  const text = read(page)
  mustHold(
    'a path in PROTOCOLS.md names a file or folder',
    [...text.matchAll(/`((?:packages|apps|test|scripts|deploy)\/[^`]*)`/g)]
      .filter(([, path = '']) => !existsSync(join(root, path)))
      .map((match) => `${place(page, match.index)} ${match[1]}`),
  )
})

test('every RFC that the repository cites is in the tables', () => {
  const readable = files.filter((path) => /\.(ts|tsx|js|md|dialogue)$/.test(path) && path !== page)
  const citations = readable
    .filter((path) => !path.startsWith('test/tidy/'))
    .flatMap((path) => citedIn(read(path)).map((citation) => ({ ...citation, path })))
  mustHold(
    'an RFC that is cited has a row in PROTOCOLS.md',
    citations.filter(({ rfc }) => !byNumber.has(rfc)).map(({ rfc, path, start }) => `${place(path, start)} RFC ${rfc}`),
  )
})

test('what a command or an extension is made for is not denied', () => {
  mustHold(
    'the RFC that a command or extension names as its own is yes or partly in PROTOCOLS.md',
    sources
      .filter((path) => !isTest(path))
      .flatMap((path) =>
        [...read(path).matchAll(/\brfc: ?['"]RFC (\d+)/g)]
          .filter(([, rfc]) => byNumber.get(Number(rfc))?.status === 'no')
          .map((match) => `${place(path, match.index)} RFC ${match[1]}`),
      ),
  )
})
