import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-store.ts'
import { blockSize } from './block.ts'
import { SearchIndex, type StoreState } from './search-index.ts'
import { bitsOf } from './signature.ts'

let directory: string
let path: string
const inbox = 3
const store: StoreState = { lineage: 'one', newest: 100_000 }

beforeEach(() => {
  directory = temporaryDirectory()
  path = join(directory, 'search.db')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function fill(index: SearchIndex, first: number, last: number, word = 'THREAD'): void {
  const texts = Array.from({ length: last - first + 1 }, (_, at) => {
    const message = first + at
    return { message, texts: textsOf(message, word), keepsBody: true }
  })
  index.add(texts, inbox, () => last)
}

function textsOf(message: number, word = 'THREAD'): readonly [string, string] {
  return [`SUBJECT: ${message}\n`, message === 42 ? 'A NEEDLE' : `A ${word}`]
}

const open = (of = store) => SearchIndex.open(path, of, textsOf)
const having = (index: SearchIndex, needle: string, first = 0, last = 1e9) => index.having(bitsOf(needle), first, last)

test('what is in it is found again after it was closed, in full blocks and in the open one', () => {
  const first = open()
  fill(first, 1, 2500)
  expect(having(first, 'NEEDLE')).toEqual([42])
  expect(having(first, 'THREAD', 2400, 2410)).toEqual(Array.from({ length: 11 }, (_, at) => 2400 + at))
  expect(first.blocks(0, 1e9)).toBe(2)
  first.close()
  const second = open()
  expect(second.remade).toBeUndefined()
  expect(second.upTo(inbox)).toBe(2500)
  expect(having(second, 'NEEDLE')).toEqual([42])
  expect(having(second, 'THREAD')).toHaveLength(2499)
  expect(second.text(42)).toEqual(['SUBJECT: 42\n', 'A NEEDLE'])
  expect(second.head(42)).toBe('SUBJECT: 42\n')
  expect(second.faults()).toEqual([])
  second.close()
})

test('a text that is not kept may contain anything', () => {
  const index = open()
  index.add([{ message: 1, texts: undefined, keepsBody: false }], inbox, () => 1)
  expect(having(index, 'NEEDLE')).toEqual([1])
  expect([index.text(1), index.head(1)]).toEqual([undefined, undefined])
  index.close()
})

test('of a text whose body is not kept the signature stands, after it was opened again too', () => {
  const first = open()
  first.add([{ message: 42, texts: textsOf(42), keepsBody: false }], inbox, () => 42)
  const check = (index: SearchIndex) => {
    expect([having(index, 'NEEDLE'), having(index, 'THREAD')]).toEqual([[42], []])
    expect([index.text(42), index.head(42)]).toEqual([['SUBJECT: 42\n', undefined], 'SUBJECT: 42\n'])
    expect(index.faults()).toEqual([])
    index.close()
  }
  check(first)
  check(open())
})

test('what is forgotten is not found, and blocks of which little is left are joined', () => {
  const index = open()
  fill(index, 1, 3 * blockSize)
  fill(index, 3 * blockSize + 1, 3 * blockSize + 1)
  expect(index.blocks(0, 1e9)).toBe(3)
  const gone = Array.from({ length: 2 * blockSize }, (_, at) => at + 1).filter((id) => id % 10 !== 0 && id !== 42)
  index.forget([...gone, 77_777])
  expect(index.text(1)).toBeUndefined()
  expect(index.faults()).toEqual([])
  expect(index.tidy(() => true)).toBe(true)
  expect(index.blocks(0, 1e9)).toBe(2)
  expect(index.tidy(() => true)).toBe(false)
  expect(having(index, 'NEEDLE')).toEqual([42])
  expect(having(index, 'THREAD', 1, 2 * blockSize)).toEqual(Array.from({ length: 200 }, (_, at) => (at + 1) * 10))
  expect(index.faults()).toEqual([])
  index.forget(Array.from({ length: 2 * blockSize }, (_, at) => at + 1))
  expect(index.blocks(0, 1e9)).toBe(1)
  index.close()
})

test('after an end without close it looks for what went meanwhile, and through all mailboxes anew', () => {
  const first = open()
  fill(first, 1, 50)
  first.abandon()
  const second = open()
  // Filings whose UIDs it had seen may be lost, and others have these UIDs.
  expect(second.upTo(inbox)).toBe(0)
  expect(second.has(50)).toBe(true)
  while (second.tidy((message) => message > 10)) {}
  expect([10, 11].map((message) => second.text(message) !== undefined)).toEqual([false, true])
  second.close()
  const third = open()
  expect(third.tidy(() => false)).toBe(false)
  third.close()
})

test('it forgets how far it came in mailboxes that are gone', () => {
  const index = open()
  index.add([], 1, () => 11)
  index.add([], 2, () => 22)
  index.keepMailboxes((mailbox) => mailbox === 2)
  expect([index.upTo(1), index.upTo(2)]).toEqual([0, 22])
  index.close()
})

test('messages of blocks whose ranges overlap are found, forgotten and joined', () => {
  const index = open()
  const own = (message: number) => [{ message, texts: textsOf(message), keepsBody: true }]
  // Two mailboxes took turns when this mail came; one was indexed long after the other.
  for (const odd of [1, 0]) for (let at = 0; at < blockSize; at++) index.add(own(2 * at + odd), 7 + odd, () => at)
  index.add(own(9999), 7, () => blockSize)
  expect(index.blocks(10, 20)).toBe(2)
  expect(having(index, 'NEEDLE')).toEqual([42])
  expect(having(index, 'THREAD', 10, 15).sort((a, b) => a - b)).toEqual([10, 11, 12, 13, 14, 15])
  index.forget(
    Array.from({ length: 2 * blockSize }, (_, message) => message).filter((id) => id % 100 !== 42 && id % 100 !== 43),
  )
  expect(index.faults()).toEqual([])
  expect(index.tidy(() => true)).toBe(true)
  expect(index.blocks(10, 2000)).toBe(1)
  expect(having(index, 'NEEDLE')).toEqual([42])
  index.close()
  const again = open()
  expect(having(again, 'THREAD', 0, 243).sort((a, b) => a - b)).toEqual([43, 142, 143, 242, 243])
  expect(again.faults()).toEqual([])
  again.close()
})

test('a file that is damaged, no database, of another version or another store is made anew', () => {
  const spoil: [string, () => void][] = [
    ['not a database', () => writeFileSync(path, 'nonsense'.repeat(4000))],
    ['of another version', () => pragma('user_version = 99')],
    ['not a search index', () => pragma('application_id = 5')],
  ]
  for (const [why, damage] of spoil) {
    const index = open()
    if (index.upTo(inbox) === 0) fill(index, 1, 10)
    index.close()
    damage()
    const again = open()
    expect(again.remade).toContain(why)
    expect(again.upTo(inbox)).toBe(0)
    again.close()
  }
  open().close()
  const other = open({ lineage: 'two', newest: 100_000 })
  expect(other.remade).toBe('of another store')
  fill(other, 1, 10)
  other.close()
  const older = open({ lineage: 'two', newest: 9 })
  expect(older.remade).toBe('newer than the store')
  older.close()
})

test('a file whose pages were overwritten is made anew', () => {
  const index = open()
  fill(index, 1, 2500)
  index.close()
  const octets = readFileSync(path)
  octets.fill(0xaa, 2 * 8192)
  writeFileSync(path, octets)
  const again = open()
  expect(again.remade).toMatch(/malformed/)
  expect(again.upTo(inbox)).toBe(0)
  again.close()
})

function pragma(text: string): void {
  const db = new Database(path)
  db.pragma(text)
  db.close()
}
