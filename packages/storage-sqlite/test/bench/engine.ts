import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type Acceptance,
  type AccountId,
  createJourneyId,
  type MailboxId,
  type MessageIndex,
  type NewQueueEntry,
  silentLog,
  systemClock,
  systemDeadline,
  systemRandom,
  UidSet,
} from '@pennypost/model'
import { openSqliteStore, type SqliteStore } from '../../src/index.ts'

/**
 * What the engine does alone, without protocols: `node packages/storage-sqlite/test/bench/engine.ts [--only NAME]`.
 * Rates and CPU (all threads of the process) per operation. Never part of a test: the machine may be busy.
 */
const { values } = parseArgs({ options: { only: { type: 'string' }, directory: { type: 'string' } } })
const directory = mkdtempSync(join(values.directory ?? tmpdir(), 'pennypost-bench-'))
const store = await openSqliteStore({
  directory,
  clock: systemClock,
  deadline: systemDeadline,
  random: systemRandom,
  log: silentLog,
  searchThread: new URL('../search-thread.ts', import.meta.url),
})

const everything = UidSet.ofRanges([[1, 2 ** 32 - 1]])
const header = Buffer.from(
  `Received: from client\r\nSubject: a letter\r\nMessage-ID: <id@one.test>\r\n${'X-Y: z\r\n'.repeat(40)}\r\n`,
)
const envelope = `("Mon, 1 Jan 2026 10:00:00 +0000" "a letter" (("Carol" NIL "carol" "three.test")) NIL NIL
  (("Alice" NIL "alice" "one.test")) NIL NIL NIL "<id@one.test>")`

function indexOf(bodySize: number): MessageIndex {
  return {
    envelope,
    structure: `("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "7BIT" ${bodySize} 30)`,
    parts: '[0,0]',
    bodySize,
    utf8Header: false,
    eightBitBody: false,
    openEnd: false,
    baseSubject: 'a letter',
    replyOrForward: false,
    sortFrom: 'carol',
    sortTo: 'alice',
    sortCc: '',
    displayFrom: 'carol',
    displayTo: 'alice',
    sentAt: 1,
    sentDay: 20260101,
    messageIdHeader: 'id@one.test',
    references: ['a@b', 'c@d'],
    preview: 'a line of text that shows what the letter is about, cut somewhere',
  }
}

async function message(octets: number) {
  const stage = store.mail.stage()
  const body = Buffer.alloc(octets - header.length, 'x')
  await stage.write(Buffer.concat([header, body]))
  return { content: await stage.finish(), bodyStart: header.length, header, index: indexOf(body.length) }
}

async function letterTo(account: AccountId, octets = 2048): Promise<Acceptance> {
  const now = systemClock.now()
  const journey = createJourneyId(now, systemRandom)
  return {
    journey,
    acceptedAt: now,
    reversePath: 'carol@three.test',
    message: await message(octets),
    filings: [
      {
        account,
        mailbox: 'INBOX',
        delivery: Buffer.from('Return-Path: <carol@three.test>\r\nDelivered-To: alice@one.test\r\n'),
        flags: [],
        forwardPaths: ['alice@one.test'],
      },
    ],
    queue: [],
    memory: [],
    flow: [
      {
        journey,
        at: now,
        kind: 'received',
        service: 'smtp',
        session: 'S1',
        peer: '192.0.2.1',
        helo: 'client',
        reversePath: 'carol@three.test',
        forwardPaths: ['alice@one.test'],
        size: octets,
        messageId: 'id@one.test',
      },
      { journey, at: now, kind: 'verdict', verdict: 'accept', reason: 'ok' },
    ],
    fingerprint: systemRandom.bytes(16).toString('hex'),
  }
}

/** Runs `operation` `count` times over `concurrency` loops and prints what one costs. */
async function measure(
  name: string,
  count: number,
  concurrency: number,
  operation: (n: number) => Promise<unknown>,
  per = 1,
): Promise<void> {
  if (values.only && !name.includes(values.only)) return
  const latencies: number[] = []
  let next = 0
  const cpu = process.cpuUsage()
  const begun = systemClock.elapsed()
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < count) {
        const at = systemClock.elapsed()
        await operation(next++)
        latencies.push(systemClock.elapsed() - at)
      }
    }),
  )
  const elapsed = systemClock.elapsed() - begun
  const { user, system } = process.cpuUsage(cpu)
  latencies.sort((a, b) => a - b)
  const quantile = (part: number) => (latencies[Math.floor(latencies.length * part)] ?? 0).toFixed(2)
  const rate = ((count * per * 1000) / elapsed).toFixed(0)
  const each = ((user + system) / 1000 / count / per).toFixed(4)
  console.log(
    `${name.padEnd(44)} ${rate.padStart(9)} /s  p50 ${quantile(0.5)}  p99 ${quantile(0.99)} ms  cpu ${each} ms`,
  )
}

async function account(login: string): Promise<{ id: AccountId; inbox: MailboxId }> {
  const { id } = await store.directory.addAccount({ login, name: '', quota: 0, admin: false }, 1)
  const [inbox] = await store.mail.mailboxes(id)
  if (!inbox) throw new Error('no INBOX')
  return { id, inbox: inbox.id }
}

async function fill(mailbox: MailboxId, count: number): Promise<void> {
  for (let done = 0; done < count; done += 500) {
    const messages = await Promise.all(
      Array.from({ length: Math.min(500, count - done) }, async () => ({
        message: await message(1024),
        flags: [],
        internalDate: { at: 1, offsetMinutes: 60 },
      })),
    )
    await store.mail.append(mailbox, messages)
  }
}

async function fetchAll(mailbox: MailboxId, need: Parameters<SqliteStore['mail']['fetch']>[2]): Promise<number> {
  let rows = 0
  for await (const page of store.mail.fetch(mailbox, everything, need)) rows += page.length
  return rows
}

await store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
const people = await Promise.all(Array.from({ length: 20 }, (_, n) => account(`user${n}@one.test`)))
const to = (n: number) => people[n % people.length]?.id as AccountId
const accept = async (n: number, octets?: number) => store.mail.accept([await letterTo(to(n), octets)])

await measure('warm-up: accept', 2000, 20, (n) => accept(n))
await measure('accept 2 KB, 1 at a time', 4000, 1, (n) => accept(n))
await measure('accept 2 KB, 20 at a time', 30_000, 20, (n) => accept(n))
await measure('accept 2 KB, 100 at a time', 30_000, 100, (n) => accept(n))
await measure('accept 20 KB, 20 at a time', 6000, 20, (n) => accept(n, 20_480))
await measure('accept 100 KB, 10 at a time', 2000, 10, (n) => accept(n, 102_400))
await measure('accept 1 MB, 4 at a time', 200, 4, (n) => accept(n, 1_048_576))
await measure(
  'accept 2 KB to 20 accounts (per copy)',
  1000,
  5,
  async () => {
    const letter = await letterTo(to(0))
    const [filing] = letter.filings
    if (!filing) return
    await store.mail.accept([{ ...letter, filings: people.map(({ id }) => ({ ...filing, account: id })) }])
  },
  20,
)

const reader = await account('reader@one.test')
await fill(reader.inbox, 2000)
let flip = 0
const storeAll = () => {
  const mode = flip++ % 2 === 0 ? 'add' : 'remove'
  return store.mail.updateFlags(reader.inbox, { uids: everything, mode, flags: ['\\Flagged'] })
}
await measure('STORE 1:* of 2 000', 300, 1, storeAll)
await measure('STORE 1:* of 2 000, 4 at a time', 300, 4, storeAll)
await measure('STORE one flag, 4 at a time', 20_000, 4, (n) =>
  store.mail.updateFlags(reader.inbox, {
    uids: UidSet.of((n % 2000) + 1),
    mode: n % 4000 < 2000 ? 'add' : 'remove',
    flags: ['\\Answered'],
  }),
)
await measure(
  'fetch envelopes of 2 000 (per message)',
  200,
  1,
  () => fetchAll(reader.inbox, { index: ['envelope'] }),
  2000,
)
await measure('fetch headers of 2 000 (per message)', 100, 1, () => fetchAll(reader.inbox, { header: true }), 2000)
await measure('fetch bodies of 2 000 (per message)', 100, 1, () => fetchAll(reader.inbox, { body: true }), 2000)
await measure('fetch one body', 20_000, 1, (n) =>
  Array.fromAsync(store.mail.fetch(reader.inbox, UidSet.of((n % 2000) + 1), { header: true, body: true })),
)
await measure('append 1 KB, 4 at a time', 4000, 4, async () =>
  store.mail.append(reader.inbox, [
    { message: await message(1024), flags: [], internalDate: { at: 1, offsetMinutes: 0 } },
  ]),
)
await measure('changesSince, one message new', 20_000, 1, async () => {
  const { highestModSeq } = (await store.mail.mailbox(reader.inbox)) ?? {}
  return store.mail.changesSince(reader.inbox, ((highestModSeq ?? 1) - 1) as never)
})
await measure(
  'copy 500 (per message)',
  10,
  1,
  () => store.mail.copy(reader.inbox, UidSet.ofRanges([[1, 500]]), people[0]?.inbox as MailboxId),
  500,
)
await measure(
  'expunge of 2 000 (per message)',
  1,
  1,
  () => store.mail.expunge(reader.inbox, UidSet.ofRanges([[1, 2000]]), 'all'),
  2000,
)

if (!values.only || 'snapshot fetch 200'.includes(values.only)) {
  const large = await account('large@one.test')
  await fill(large.inbox, 200_000)
  await measure('snapshot of 200 000', 10, 1, () => store.mail.snapshot(large.inbox))
  await measure(
    'fetch envelopes of 200 000 (per message)',
    1,
    1,
    () => fetchAll(large.inbox, { index: ['envelope'] }),
    200_000,
  )
  await measure('search flags in 200 000', 3, 1, () =>
    store.mail.search(large.inbox, { key: 'flags', set: 2, clear: 0 }, everything),
  )
  await measure('STORE 1:* of 200 000', 2, 1, (n) =>
    store.mail.updateFlags(large.inbox, { uids: everything, mode: n ? 'remove' : 'add', flags: ['\\Seen'] }),
  )
}

if (!values.only || 'accept claim 100 000 queue'.includes(values.only)) {
  const entry = (destination: string): NewQueueEntry => ({
    destination,
    route: 'remote',
    envelope: { reversePath: 'user0@one.test', smtpUtf8: false, requireTls: false, autoSubmitted: false },
    recipients: [{ forwardPath: `dave@${destination}` }],
  })
  const enqueue = async (n: number) => {
    const letter = await letterTo(to(0), 1024)
    // Half of all entries are for one destination that is down, the rest for 2 000 others.
    return store.mail.accept([{ ...letter, filings: [], queue: [entry(n % 2 ? 'down.test' : `d${n % 4000}.test`)] }])
  }
  await measure('accept 100 000 to the queue, 100 at a time', 100_000, 100, enqueue)
  const request = { slots: 100, perDestination: 5, leaseMs: 600_000 }
  const claim = () => store.queue.claim({ ...request, now: systemClock.now() })
  await measure('claim of 100 among 100 000', 20, 1, claim)
  await measure('claim of 1 among 100 000', 500, 1, () =>
    store.queue.claim({ ...request, slots: 1, now: systemClock.now() }),
  )
  const leased = await claim()
  await measure('settle', leased.length, 20, (n) => {
    const { id, lease, dueAt } = leased[n] as (typeof leased)[number]
    return store.queue.settle({
      entry: id,
      lease,
      dueAt,
      nextAttemptAt: systemClock.now() + 900_000,
      attempted: true,
      delayNotified: [],
      outcomes: [{ index: 0, outcome: 'deferred', reply: '451 4.3.0 later' }],
      accept: [],
      flow: [],
    })
  })
  await measure('counts of 100 000', 20, 1, () => store.queue.counts(systemClock.now()))
  await measure('list of 100 000', 1, 1, () => Array.fromAsync(store.queue.list({})))
  await measure('nextDueAt', 1000, 1, () => store.queue.nextDueAt())
}
console.log(store.stats(), `rss ${(process.memoryUsage().rss / 1048576).toFixed(0)} MB`)
const begun = systemClock.elapsed()
await store.close()
console.log(`close ${(systemClock.elapsed() - begun).toFixed(0)} ms`)
rmSync(directory, { recursive: true })
