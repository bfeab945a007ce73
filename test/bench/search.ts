import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { scan } from '@pennypost/message'
import {
  type MailboxId,
  type SearchQuery,
  silentLog,
  systemClock,
  systemDeadline,
  systemRandom,
  UidSet,
} from '@pennypost/model'
import { seededRandom } from '@pennypost/model/testing'
import { openSqliteStore } from '@pennypost/storage-sqlite'

/**
 * What searching costs by the size of the mailbox, and what the index costs: `node test/bench/search.ts [--sizes
 * 2000,20000] [--directory DIR]`. Time and CPU of all threads; how late others were meanwhile. Each hundredth message
 * has the word that is looked for, in its subject and in its text.
 */
const { values } = parseArgs({
  options: { sizes: { type: 'string', default: '2000,20000,200000' }, directory: { type: 'string' } },
})
const everything = UidSet.ofRanges([[1, 2 ** 32 - 1]])
const random = seededRandom(7)
const below = (count: number): number => random.bytes(4).readUInt32LE() % count

const syllables = [
  'be',
  'con',
  'der',
  'es',
  'for',
  'gra',
  'hin',
  'in',
  'ker',
  'lo',
  'men',
  'no',
  'per',
  'ra',
  'ti',
  'un',
]
const words = Array.from({ length: 5000 }, () =>
  Array.from({ length: 1 + below(4) }, () => syllables[below(16)]).join(''),
)

function prose(octets: number): string {
  let text = ''
  for (let line = ''; text.length < octets; ) {
    // Few words are frequent, as in any language.
    line += ` ${words[Math.min(below(5000), below(5000), below(5000))]}`
    if (line.length < 70) continue
    text += `${line.trimStart()}\r\n`
    line = ''
  }
  return text
}

function letter(number: number): Buffer {
  const kind = below(10)
  const word = number % 100 === 42 ? 'needle' : 'thread'
  const header = `Received: from client.three.test by mail.one.test; Mon, 1 Jan 2026 10:00:00 +0000\r\nFrom: "Sender ${below(50)}" <sender${below(50)}@three.test>\r\nTo: <alice@one.test>\r\nSubject: topic ${number} ${word}\r\nDate: Mon, ${1 + (number % 28)} Jan 2026 10:00:00 +0000\r\nMessage-ID: <m${number}@three.test>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n`
  return Buffer.from(`${header}${prose(kind < 6 ? 1500 : kind < 9 ? 7500 : 30_000)}It ends with a ${word}.\r\n`)
}

interface Cost {
  ms: number
  cpu: number
  late: number
}

const tickMs = 2
const pause = (ms: number) => new Promise<void>((resolve) => systemDeadline.after(ms, resolve))

/** Runs it, and says how long an event loop that ticks had to wait. */
async function cost(work: () => Promise<unknown>): Promise<Cost> {
  let over = false
  let late = 0
  const ticking = (async () => {
    for (let last = systemClock.elapsed(); !over; last = systemClock.elapsed()) {
      await pause(tickMs)
      late = Math.max(late, systemClock.elapsed() - last - tickMs)
    }
  })()
  const idle = process.cpuUsage()
  const begun = systemClock.elapsed()
  await work()
  const ms = systemClock.elapsed() - begun
  over = true
  await ticking
  const { user, system } = process.cpuUsage(idle)
  return { ms, cpu: (user + system) / 1000, late }
}

function say(what: string, { ms, cpu, late }: Cost, times: number, note = ''): void {
  const number = (value: number) => value.toFixed(2).padStart(10)
  console.log(`${what.padEnd(44)}${number(ms / times)} ms${number(cpu / times)} ms CPU${number(late)} ms late  ${note}`)
}

async function measure(size: number): Promise<void> {
  const directory = mkdtempSync(join(values.directory ?? tmpdir(), 'pennypost-bench-'))
  const open = (searchIndexOctets: number) =>
    openSqliteStore({
      directory,
      clock: systemClock,
      deadline: systemDeadline,
      random: systemRandom,
      log: silentLog,
      searchThread: new URL('../../apps/pennypost/src/serve/search-thread.ts', import.meta.url),
      limits: { searchIndexOctets, searchIndexDelayMs: 0 },
    })
  console.log(`\n${size} messages`)
  let store = await open(0)
  await store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
  const { id } = await store.directory.addAccount({ login: 'alice@one.test', name: '', quota: 0, admin: false }, 1)
  const inbox = (await store.mail.mailboxes(id))[0]?.id as MailboxId
  let octets = 0
  for (let done = 0; done < size; done += 500) {
    const messages = await Promise.all(
      Array.from({ length: Math.min(500, size - done) }, async (_, at) => {
        const content = letter(done + at)
        octets += content.length
        const scanned = scan(content)
        const stage = store.mail.stage()
        await stage.write(content)
        const header = content.subarray(0, scanned.headerSize)
        const message = { content: await stage.finish(), bodyStart: scanned.headerSize, header, index: scanned.index() }
        return { message, flags: [], internalDate: { at: Date.UTC(2026, 0, 1 + (at % 28)), offsetMinutes: 0 } }
      }),
    )
    await store.mail.append(inbox, messages)
  }
  const search = (query: SearchQuery) => store.mail.search(inbox, query, everything)
  const time = async (what: string, query: SearchQuery, times: number): Promise<void> => {
    let found = 0
    const once = async () => {
      found = (await search(query)).size
    }
    say(what, await cost(once), 1, `${found} found, first`)
    const all = await cost(async () => {
      for (let n = 0; n < times; n++) await once()
    })
    say(what, all, times)
  }
  const text = (needle: string): SearchQuery => ({ key: 'text', text: needle })
  const subject: SearchQuery = { key: 'header', field: 'SUBJECT', text: 'NEEDLE' }
  await time('without index: SUBJECT needle', subject, 1)
  await time('without index: TEXT needle', text('NEEDLE'), 1)
  await store.close()

  store = await open(Number.MAX_SAFE_INTEGER)
  using _watch = store.mail.watch(id, () => {})
  const indexing = await cost(async () => {
    while (store.stats().search.index !== 'whole') await pause(5)
  })
  say('indexing', indexing, 1)
  say('indexing, per message', indexing, size, `${Math.round(store.stats().search.octets / size)} octets`)
  console.log(
    `  letters of ${Math.round(octets / size)} octets, index of ${(store.stats().search.octets / octets).toFixed(2)} of that`,
  )
  await time('SUBJECT needle (1 %)', subject, 50)
  await time('TEXT needle (1 %)', text('NEEDLE'), 50)
  await time('TEXT of one letter', text('TOPIC 142 '), 50)
  await time('TEXT that nobody wrote', text('NOWHERE'), 50)
  await time('TEXT of two characters', text('ZZ'), 3)
  await time('TEXT that stands in all', text('IT ENDS WITH'), 3)
  await time('NOT TEXT', { key: 'not', query: text('NEEDLE') }, 3)
  await time('SINCE', { key: 'day', of: 'internal', relation: 'since', day: 20260110 }, 20)
  await time('SENTSINCE', { key: 'day', of: 'sent', relation: 'since', day: 20260110 }, 20)
  await time('LARGER', { key: 'larger', octets: 8000 }, 20)
  await time('UNSEEN', { key: 'flags', set: 0, clear: 8 }, 20)
  await store.close()
  rmSync(directory, { recursive: true })
}

for (const size of values.sizes.split(',').map(Number)) await measure(size)
