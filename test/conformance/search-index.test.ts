/**
 * Whatever a mail holds, a search with the index says what the memory engine says, which has none and reads everything:
 * random mails in many charsets and encodings, and needles that were cut out of them or made up.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scan, searchText } from '@pennypost/message'
import {
  type AccountId,
  type MailboxId,
  type SearchQuery,
  type Store,
  silentLog,
  systemDeadline,
  UidSet,
} from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import { openSqliteStore, type SqliteLimits } from '@pennypost/storage-sqlite'
import iconv from 'iconv-lite'
import { expect, it } from 'vitest'

const random = seededRandom(11)
const below = (count: number): number => Math.floor(random.fraction() * count)
const oneOf = <Value>(values: readonly Value[]): Value => values[below(values.length)] as Value

const charsets = [
  ...['utf-8', 'iso-8859-1', 'iso-8859-2', 'iso-8859-7', 'windows-1251', 'koi8-r', 'windows-1255', 'iso-8859-15'],
  ...['shift_jis', 'euc-jp', 'gb18030', 'big5', 'euc-kr', 'utf-16le', 'utf-7', 'us-ascii', 'x-unknown', ''],
]
const words = [
  ...['needle', 'Straße', 'GRÜSSE', 'naïve', 'ﬁne', 'ΟΔΟΣ', 'οδός', 'Привет', 'МИР', 'שלום', 'żółw', 'Ångström'],
  ...[
    '日本語',
    'テスト',
    '한국어',
    '漢字',
    '繁體',
    'e\u0301te\u0301',
    '½',
    '①',
    'ẛ̣',
    'İstanbul',
    'ǆ',
    '😀',
    'a',
    'of',
    'the',
  ],
]

const prose = (count: number): string =>
  Array.from({ length: count }, () => oneOf(words)).join(oneOf([' ', '  ', '\r\n', '-']))

function encoded(text: string, charset: string): Buffer {
  return charset !== '' && iconv.encodingExists(charset) ? iconv.encode(text, charset) : Buffer.from(text)
}

const quoted = (octets: Buffer): string => octets.toString('hex').replace(/../g, (pair) => `=${pair.toUpperCase()}`)

/** An encoded word, raw UTF-8, or raw octets in no declared charset. */
function headerValue(): string {
  const charset = oneOf(charsets)
  const octets = encoded(prose(1 + below(4)).replaceAll('\r\n', ' '), charset)
  switch (below(4)) {
    case 0:
      return `=?${charset || 'utf-8'}?B?${octets.toString('base64')}?=`
    case 1:
      return `=?${charset || 'utf-8'}?q?${quoted(octets)}?= and =?iso-8859-1?q?=E9t=E9?=`
    case 2:
      return `${oneOf(words)}\r\n ${oneOf(words)}`
    default:
      return octets.toString('latin1').replace(/[\r\n\0]/g, '.')
  }
}

/** Latin-1 text of one part with its header. */
function part(depth: number): string {
  const kind = below(depth > 2 ? 4 : 6)
  if (kind === 4) return multipart(depth)
  if (kind === 5) return `Content-Type: message/rfc822\r\n\r\n${mail(depth + 1)}`
  const charset = oneOf(charsets)
  const text = prose(below(60))
  const html = `<html><title>${oneOf(words)}</title><p>${text.replaceAll(' ', '<b> </b>')}&eacute;&#1087;&amp;</p><!-- ${oneOf(words)} -->`
  const octets = kind === 3 ? random.bytes(below(300)) : encoded(kind === 1 ? html : text, charset)
  const type = kind === 1 ? 'text/html' : kind === 2 ? 'application/octet-stream' : 'text/plain'
  const name =
    below(3) === 0 ? `\r\nContent-Disposition: attachment; filename*=utf-8''${encodeURIComponent(oneOf(words))}` : ''
  const encoding = oneOf(['base64', 'quoted-printable', '8bit', 'x-odd'])
  const body =
    encoding === 'base64'
      ? octets.toString('base64').replace(/.{1,76}/g, '$&\r\n')
      : encoding === 'quoted-printable'
        ? quoted(octets).replace(/.{1,72}/g, '$&=\r\n')
        : octets.toString('latin1')
  return `Content-Type: ${type}; charset="${charset}"${name}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`
}

function multipart(depth: number): string {
  const boundary = `b${depth}${below(1000)}`
  const parts = Array.from({ length: below(4) }, () => `--${boundary}\r\n${part(depth + 1)}\r\n`)
  return `Content-Type: multipart/mixed; boundary=${boundary}\r\n\r\nnobody reads this\r\n${parts.join('')}--${boundary}--\r\n`
}

function mail(depth = 0): string {
  const fields = ['Subject', 'From', 'To', 'X-Note', 'Subject '].filter(() => below(3) > 0)
  const header = fields.map((name) => `${name}: ${headerValue()}\r\n`).join('')
  const body = depth === 0 && below(8) === 0 ? `\r\n${prose(30)}` : below(2) ? multipart(depth) : part(depth)
  return `${header}${below(9) === 0 ? 'no field at all\r\n' : ''}${body}`
}

async function fill(store: Store, mails: readonly Buffer[]): Promise<MailboxId> {
  await store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
  const { id } = await store.directory.addAccount({ login: 'alice@one.test', name: '', quota: 0, admin: false }, 0)
  const inbox = (await store.mail.mailboxes(id))[0]?.id as MailboxId
  for (const content of mails) {
    const scanned = scan(content)
    const stage = store.mail.stage()
    // Large ones change hands.
    await stage.write(Buffer.from(content))
    const message = {
      content: await stage.finish(),
      bodyStart: scanned.headerSize,
      index: scanned.index(),
      header: content.subarray(0, scanned.headerSize),
    }
    await store.mail.append(inbox, [{ message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } }])
  }
  return inbox
}

/** Cut out of what a mail says, or made up. */
function needle(texts: readonly string[]): string {
  if (below(4) === 0) return searchText.fold(oneOf(words))
  const text = oneOf(texts)
  const start = below(text.length)
  return text.slice(start, start + below(12)).toWellFormed()
}

function query(texts: readonly string[], depth = 0): SearchQuery {
  const text = needle(texts)
  switch (below(depth > 1 ? 4 : 8)) {
    case 0:
      return { key: 'body', text }
    case 1:
      return { key: 'header', field: oneOf(['SUBJECT', 'FROM', 'X-NOTE', 'TO']), text }
    case 4:
      return { key: 'not', query: query(texts, depth + 1) }
    case 5:
      return { key: 'or', queries: [query(texts, depth + 1), query(texts, depth + 1)] }
    case 6:
      return { key: 'and', queries: [query(texts, depth + 1), query(texts, depth + 1)] }
    default:
      return { key: 'text', text }
  }
}

const everything = UidSet.ofRanges([[1, 2 ** 32 - 1]])

/** Has both engines search mails; how many answers were neither nothing nor all. */
async function compare(mails: readonly Buffer[], queries: number, limits: Partial<SqliteLimits>): Promise<number> {
  const texts = mails
    .flatMap((content) => {
      const scanned = scan(content)
      const body = content.subarray(scanned.headerSize)
      return [
        searchText.headerText(content.subarray(0, scanned.headerSize)),
        ...Array.from(searchText.bodyTexts(scanned.index().parts, body), (pieces) => [...pieces].join('')),
      ]
    })
    .filter((text) => text !== '')
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-search-'))
  await using memory = createMemoryStore({ clock: virtualClock(), random: seededRandom(1), searchText })
  const sqlite = await openSqliteStore({
    directory,
    clock: virtualClock(),
    deadline: systemDeadline,
    random: seededRandom(1),
    log: silentLog,
    searchThread: new URL('../../apps/pennypost/src/serve/search-thread.ts', import.meta.url),
    limits: { searchIndexDelayMs: 0, ...limits },
  })
  try {
    const plain = await fill(memory, mails)
    const inbox = await fill(sqlite, mails)
    // Somebody opens it, so it is indexed.
    using _watch = sqlite.mail.watch((await sqlite.directory.accounts())[0]?.id as AccountId, () => {})
    await expect.poll(() => sqlite.stats().search.index).toBe('whole')
    let found = 0
    for (let n = 0; n < queries; n++) {
      const asked = query(texts)
      const expected = await memory.mail.search(plain, asked, everything)
      const answer = await sqlite.mail.search(inbox, asked, everything)
      expect(`${JSON.stringify(asked)} ${answer}`).toBe(`${JSON.stringify(asked)} ${expected}`)
      if (!expected.isEmpty && expected.size < mails.length) found++
    }
    return found
  } finally {
    await sqlite.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

it('finds with the index what is found without', async () => {
  const mails = Array.from({ length: 100 }, () => Buffer.from(mail(), 'latin1'))
  // The needles tell mails apart.
  expect(await compare(mails, 300, {})).toBeGreaterThan(100)
})

it('finds the same in letters that are too large to be kept, and read in pieces', async () => {
  const mails = ['plain', 'html', 'plain'].map((subtype, nth) => {
    const text = Array.from({ length: 60_000 }, () => `${oneOf(words)}${below(1_000_000)}`).join(' ')
    const body = Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\r\n')
    expect(body.length).toBeGreaterThan(1_000_000)
    const header = `Content-Type: text/${subtype}; charset=${nth ? 'utf-8' : ''}\r\nContent-Transfer-Encoding: base64`
    return Buffer.from(`Subject: ${nth}\r\n${header}\r\n\r\n${body}`)
  })
  expect(await compare(mails, 30, { cacheOctets: 1_000_000 })).toBeGreaterThan(5)
})
