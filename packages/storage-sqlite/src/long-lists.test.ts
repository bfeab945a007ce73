/** However much an account or the directory has, what is read or changed goes in pieces. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type AccountId, type MailboxId, type ModSeq, systemClock, UidSet } from '@pennypost/model'
import { sampleMessage } from '@pennypost/model/testing'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { addAlice, openStore, temporaryDirectory } from '../test/temporary-store.ts'
import { readChanges } from './reader/changes.ts'
import { readMailboxes } from './reader/mailboxes.ts'
import { Reader } from './reader/reader.ts'
import { WriterClient } from './writer-client.ts'

let directory: string

beforeEach(() => {
  directory = temporaryDirectory()
})

afterEach(() => {
  vi.restoreAllMocks()
  rmSync(directory, { recursive: true, force: true })
})

async function openWithAlice() {
  const store = await openStore(directory, { limits: { messagesPerJob: 10 } })
  return { store, ...(await addAlice(store)) }
}

/** Whether the event loop turns before the work is done. */
async function letsOthersWork(work: () => Promise<unknown>): Promise<boolean> {
  let turned = false
  setImmediate(() => {
    turned = true
  })
  await work()
  return turned
}

test('a long list of aliases, domains or mailboxes is read with turns of the event loop between', async () => {
  const { store, alice } = await openWithAlice()
  await using _ = store
  const { directory: who, mail } = store
  expect(await letsOthersWork(() => who.aliases())).toBe(false)
  const numbers = Array.from({ length: 600 }, (_, i) => i)
  await Promise.all([
    ...numbers.map((i) => who.putAlias({ address: `a${i}@one.test`, targets: ['alice@one.test'] })),
    ...numbers.map((i) => who.addDomain({ name: `d${i}.test`, kind: 'local', target: '', catchAll: '' })),
    ...numbers.map((i) => mail.createMailbox(alice, `box ${i}`)),
  ])
  for (const list of [() => who.aliases(), () => who.aliases('one.test'), () => who.domains()]) {
    expect(await letsOthersWork(list)).toBe(true)
  }
  expect(await letsOthersWork(() => mail.mailboxes(alice))).toBe(true)
  expect((await who.aliases('one.test')).map(({ address }) => address)).toEqual(
    numbers.map((i) => `a${i}@one.test`).sort(),
  )
  expect(new Set((await mail.mailboxes(alice)).map(({ name }) => name)).size).toBe(606)
})

test('a queue in which nothing fits, and a long list of orders, are read with turns between', async () => {
  const { store } = await openWithAlice()
  await store.close()
  const db = new Database(join(directory, 'mail.db'))
  const entry = db.prepare(`INSERT INTO queue (id, destination, retry, due_at, held, attempts, journey, message, route,
    accepted_at, size, message_id, envelope, recipients)
    VALUES (?, 'two.test', 0, 0, 1, 0, 'J', 1, 'remote', 7, 0, '', '{"reversePath":""}', '[]')`)
  const order = db.prepare(`INSERT INTO memory VALUES ('suppressed', ?, '', 1, 0, 0, ?)`)
  for (let i = 1; i <= 600; i++) {
    entry.run(i)
    order.run(`dead${i}@two.test`, Number.MAX_SAFE_INTEGER)
  }
  db.close()
  await using again = await openStore(directory)
  const { queue, memory } = again
  for (const filter of [{ destination: 'one.test' }, { forwardPath: 'bob@two.test' }, { held: false }]) {
    expect(await letsOthersWork(async () => expect(await Array.fromAsync(queue.list(filter))).toEqual([]))).toBe(true)
  }
  expect((await Array.fromAsync(queue.list({ destination: 'two.test' }))).flat()).toHaveLength(600)
  expect(await letsOthersWork(() => memory.list('suppressed', 0, { limit: 1000 }))).toBe(true)
  expect(await memory.list('suppressed', 0, { limit: 300, after: 'dead2' })).toHaveLength(300)
})

test('mailboxes that are renamed while they are listed are listed under one name', async () => {
  const { store, alice } = await openWithAlice()
  await Promise.all(Array.from({ length: 600 }, (_, i) => store.mail.createMailbox(alice, `old/${i}`)))
  await store.close()
  const reader = new Reader(join(directory, 'mail.db'), systemClock, 1024 * 1024)
  const listed = readMailboxes(reader, alice as AccountId)
  const db = new Database(join(directory, 'mail.db'))
  db.exec(`UPDATE mailboxes SET name = 'new' || substr(name, 4) WHERE name LIKE 'old/%'`)
  db.close()
  expect((await listed).filter(({ name }) => name.startsWith('old/'))).toHaveLength(600)
  expect((await readMailboxes(reader, alice)).filter(({ name }) => name.startsWith('new/'))).toHaveLength(600)
  reader.close()
})

test('an expunge of very many ranges sends each of them to the writer once', async () => {
  const { store, alice } = await openWithAlice()
  await using _ = store
  const { mail } = store
  const [inbox] = await mail.mailboxes(alice)
  const id = inbox?.id as MailboxId
  const internalDate = { at: 0, offsetMinutes: 0 }
  const messages = await Promise.all(
    Array.from({ length: 60 }, async () => ({ message: await sampleMessage(mail, 'x'), flags: [], internalDate })),
  )
  await mail.append(id, messages)
  let bounds = 0
  const run = vi.spyOn(WriterClient.prototype, 'run')
  const odd = UidSet.from(Array.from({ length: 3000 }, (_, i) => 2 * i + 1))
  const { uids } = await mail.expunge(id, odd, 'all')
  for (const [, args] of run.mock.calls) bounds += (args as unknown as { bounds: number[] }).bounds.length
  expect([...uids]).toEqual(Array.from({ length: 30 }, (_, i) => 2 * i + 1))
  expect(run.mock.calls.length).toBeGreaterThan(3)
  // Three steps for what is there, of at most 1000 ranges, and two for the rest.
  expect(bounds).toBeLessThanOrEqual(2 * 1000 * 5)
  const { steps } = await mail.updateFlags(id, { uids: odd, mode: 'add', flags: ['\\Seen'] })
  expect(steps).toHaveLength(3)
})

test('a log of very many expunges is read with turns between, and of one state', async () => {
  const { store, alice } = await openWithAlice()
  const [inbox] = await store.mail.mailboxes(alice)
  const id = inbox?.id as MailboxId
  await store.close()
  const reader = new Reader(join(directory, 'mail.db'), systemClock, 1024 * 1024)
  const db = new Database(join(directory, 'mail.db'))
  const log = db.prepare('INSERT INTO changes VALUES (?, 1, ?, ?, ?)')
  const settle = db.prepare(
    'UPDATE mailboxes SET highest_modseq = ?, uid_next = 100000, expunge_floor = ? WHERE id = ?',
  )
  db.transaction(() => {
    for (let i = 0; i < 20_000; i++) log.run(id, 100 + (i % 50), 2 * i + 1, 2 * i + 1)
    settle.run(200, 0, id)
  })()
  const since = 50 as ModSeq
  expect(await letsOthersWork(() => readChanges(reader, id, since))).toBe(true)
  expect((await readChanges(reader, id, since)).vanished.size).toBe(20_000)
  // What is read already may be forgotten meanwhile, and more may come.
  const late = readChanges(reader, id, since)
  db.prepare('DELETE FROM changes WHERE mailbox = ? AND modseq < 140').run(id)
  log.run(id, 300, 50_001, 50_001)
  settle.run(300, 139, id)
  const { vanished, modSeq } = await late
  expect(modSeq).toBe(300)
  expect([1, 39_999, 50_001].every((uid) => vanished.has(uid))).toBe(true)
  db.close()
  reader.close()
})

test('finds accounts by what is asked of them without a look at all', async () => {
  const { store } = await openWithAlice()
  await store.close()
  const db = new Database(join(directory, 'mail.db'))
  const plan = (sql: string): string =>
    (db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]).map(({ detail }) => detail).join('; ')
  const here = 'SELECT * FROM accounts WHERE removed_at IS NULL'
  expect(plan(`${here} AND admin = 1 ORDER BY id LIMIT 1`)).toBe('SCAN accounts USING INDEX accounts_admin')
  expect(plan(`SELECT * FROM accounts WHERE domain = 'a' AND login > '' ORDER BY login LIMIT 9`)).toMatch(
    /^SEARCH accounts USING INDEX accounts_domain \(domain=\? AND login>\?\)$/,
  )
  expect(plan('SELECT id FROM accounts WHERE removed_at < 1 ORDER BY removed_at, id LIMIT 1')).toMatch(
    /^SEARCH accounts USING COVERING INDEX accounts_removed/,
  )
  db.close()
})

test('envelopes of large headers were read 250 at once, however large', async () => {
  const { store, inbox } = await openWithAlice()
  await using _ = store
  const octets = 40_000
  for (let n = 0; n < 40; n++) {
    const message = await sampleMessage(store.mail, `Subject: ${'x'.repeat(n < 20 ? 1 : octets)}\n\nText.\n`)
    await store.mail.append(inbox, [{ message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } }])
  }
  const all = UidSet.ofRanges([[1, 2 ** 32 - 1]])
  const pages = await Array.fromAsync(store.mail.fetch(inbox, all, { index: ['envelope'] }))
  const sizes = pages.map((page) => page.reduce((sum, { index }) => sum + (index?.envelope?.length ?? 0), 0))
  expect(Math.max(...sizes)).toBeLessThan(256 * 1024 + 2 * octets)
  expect(pages.flat().map(({ uid }) => uid)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
})

test('a MOVE that failed behind its first step did not say what it had moved', async () => {
  const { store, inbox } = await openWithAlice()
  await using _ = store
  const { directory: who, mail } = store
  const messages = await Promise.all(Array.from({ length: 25 }, () => sampleMessage(mail, 'Subject: x\n\n')))
  const internalDate = { at: 0, offsetMinutes: 0 }
  await mail.append(
    inbox,
    messages.map((message) => ({ message, flags: [], internalDate })),
  )
  const bob = await who.addAccount({ login: 'bob@one.test', name: '', quota: 15 * 12, admin: false }, 0)
  const [target] = await mail.mailboxes(bob.id)
  const all = UidSet.ofRanges([[1, 25]])
  const moved = await mail.move(inbox, all, target!.id)
  expect([moved.source.size, moved.target.length]).toEqual([10, 10])
  expect(moved.failure).toMatchObject({ reason: 'over-quota' })
  await expect(mail.move(inbox, all, target!.id)).rejects.toMatchObject({ reason: 'over-quota' })
})

test('what a step of a STORE has changed is not too new for the next step', async () => {
  await using store = await openStore(directory, { limits: { flagsPerJob: 2 } })
  const { inbox } = await addAlice(store)
  const letter = async () => {
    const message = await sampleMessage(store.mail, 'Subject: x\n\n')
    return { message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } }
  }
  await store.mail.append(inbox, await Promise.all(Array.from({ length: 7 }, letter)))
  const { highestModSeq: unchangedSince } = (await store.mail.mailbox(inbox))!
  const uids = UidSet.ofRanges([[1, 7]])
  const { modified, steps } = await store.mail.updateFlags(inbox, {
    uids,
    mode: 'add',
    flags: ['\\Seen'],
    unchangedSince,
  })
  expect([modified.toString(), steps.length]).toEqual(['', 4])
})
