import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AccountId, type MailboxId, silentLog, type Uid, UidSet } from '@pennypost/model'
import { lostWithPower, sampleMessage, virtualClock } from '@pennypost/model/testing'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { addAlice, openStore, temporaryDirectory } from '../test/temporary-store.ts'
import { openBackup, restoreStore, type SqliteStore } from './index.ts'

const all = UidSet.ofRanges([[1, 2 ** 32 - 1]])
const large = `Subject: large\n\n${'body\n'.repeat(100_000)}`

let root: string
let data: string
let backup: string

beforeEach(() => {
  root = temporaryDirectory()
  data = join(root, 'data')
  backup = join(root, 'backup')
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

async function append(store: SqliteStore, mailbox: MailboxId, text: string): Promise<Uid> {
  const message = await sampleMessage(store.mail, text)
  const { uids } = await store.mail.append(mailbox, [
    { message, flags: ['\\Seen'], internalDate: { at: 0, offsetMinutes: 0 } },
  ])
  return [...uids][0] as Uid
}

/** A store with two messages, one of them large, and one in the queue; and its backup. */
async function fill(): Promise<{ alice: AccountId; inbox: MailboxId }> {
  await using store = await openStore(data)
  const { alice, inbox } = await addAlice(store)
  await append(store, inbox, large)
  await append(store, inbox, 'Subject: small\n\ntext\n')
  const envelope = { reversePath: '', smtpUtf8: false, requireTls: false, autoSubmitted: false }
  const queue = [
    { destination: 'two.test', route: 'remote' as const, envelope, recipients: [{ forwardPath: 'b@two.test' }] },
  ]
  const message = await sampleMessage(store.mail, 'Subject: out\n\ntext\n')
  const journey = 'J0000000000000AB' as never
  await store.mail.accept([
    { journey, acceptedAt: 0, reversePath: '', message, filings: [], queue, memory: [], flow: [] },
  ])
  expect(await store.backup(backup, { verify: true })).toEqual([])
  return { alice, inbox }
}

interface Seen {
  uidls: string[]
  bodies: number[]
  uidValidities: number[]
}

async function look(store: SqliteStore, alice: AccountId): Promise<Seen> {
  const mailboxes = await store.mail.mailboxes(alice)
  const inbox = mailboxes[0]?.id as MailboxId
  const rows = (await Array.fromAsync(store.mail.fetch(inbox, all, { uidl: true }))).flat()
  const bodies: number[] = []
  for (const { message } of rows) {
    let octets = 0
    for await (const chunk of store.mail.readBody(message)) octets += chunk.length
    bodies.push(octets)
  }
  return {
    uidls: rows.map(({ uidl }) => uidl as string),
    bodies,
    uidValidities: mailboxes.map(({ uidValidity }) => uidValidity),
  }
}

const options = () => ({
  backup,
  directory: data,
  replace: false,
  beside: ['secrets'],
  asideName: 'aside',
  now: 7,
  log: silentLog,
})

describe('a whole backup', () => {
  test('comes back with its UIDLs, and with UIDVALIDITYs, ids and MODSEQs that nobody has seen', async () => {
    const { alice } = await fill()
    let before: Seen
    let lost: { id: MailboxId; uidValidity: number }
    let modSeq: number
    {
      await using store = await openStore(data)
      before = await look(store, alice)
      lost = await store.mail.createMailbox(alice, 'made after the backup')
      modSeq = lost.uidValidity && (await store.mail.mailbox(lost.id))!.highestModSeq
    }
    rmSync(data, { recursive: true })
    const done = await restoreStore(options())
    expect(done).toEqual({ mailboxes: 6, messages: 2, held: 1, aside: undefined, faults: [] })
    await using store = await openStore(data)
    const after = await look(store, alice)
    expect(after.uidls).toEqual(before.uidls)
    expect(after.bodies).toEqual(before.bodies)
    expect(Math.min(...after.uidValidities)).toBeGreaterThan(lost.uidValidity)
    expect(new Set(after.uidValidities).size).toBe(6)
    const later = await store.mail.createMailbox(alice, 'made later')
    expect(later.id).toBeGreaterThan(lost.id)
    expect(later.uidValidity).toBeGreaterThan(Math.max(...after.uidValidities))
    expect(later.highestModSeq).toBeGreaterThan(modSeq)
    expect(await Array.fromAsync(store.check())).toEqual([])
  })

  test('holds what waits in the queue until somebody has looked', async () => {
    await fill()
    rmSync(data, { recursive: true })
    await restoreStore(options())
    await using store = await openStore(data)
    const claim = () => store.queue.claim({ slots: 9, perDestination: 9, now: 0, leaseMs: 1000 })
    expect(await claim()).toEqual([])
    const entries = (await Array.fromAsync(store.queue.list({}))).flat()
    expect(entries).toMatchObject([{ held: true, destination: 'two.test' }])
    const [{ id: entry, journey }] = entries as [(typeof entries)[number]]
    const restored = { journey, at: 7, kind: 'operator', verb: 'restore', entry }
    expect((await store.flow.journey(journey))?.events.at(-1)).toEqual(restored)
    await store.queue.release(
      entries.map(({ id }) => id),
      0,
    )
    expect(await claim()).toHaveLength(1)
  })

  test('moves a store that is there aside, and deletes nothing of it', async () => {
    const { alice, inbox } = await fill()
    {
      await using store = await openStore(data)
      await append(store, inbox, `${large}later`)
    }
    mkdirSync(join(data, 'secrets'))
    writeFileSync(join(data, 'secrets', 'srs'), 'new')
    mkdirSync(join(backup, 'secrets'))
    writeFileSync(join(backup, 'secrets', 'srs'), 'old')
    await expect(restoreStore(options())).rejects.toThrow('--replace')
    const done = await restoreStore({ ...options(), replace: true })
    expect(done.aside).toBe(join(data, 'aside'))
    expect(readFileSync(join(data, 'secrets', 'srs'), 'utf8')).toBe('old')
    {
      await using store = await openStore(data)
      expect((await look(store, alice)).uidls).toHaveLength(2)
    }
    await using aside = await openStore(join(data, 'aside'))
    expect((await look(aside, alice)).uidls).toHaveLength(3)
    expect(readFileSync(join(data, 'aside', 'secrets', 'srs'), 'utf8')).toBe('new')
  })

  test('what a program had handed in while it came back went aside with the former store', async () => {
    await fill()
    mkdirSync(join(backup, 'spool'))
    const onProgress = () => {
      mkdirSync(join(data, 'spool'), { recursive: true })
      writeFileSync(join(data, 'spool', 'letter'), 'acknowledged')
    }
    await restoreStore({ ...options(), beside: ['spool', 'secrets'], staying: ['spool'], replace: true, onProgress })
    expect(readFileSync(join(data, 'spool', 'letter'), 'utf8')).toBe('acknowledged')
    await (await openStore(data)).close()
  })

  test('that had come back had empty secrets, or stood beside the log of another store, after a loss of power', async () => {
    await fill()
    mkdirSync(join(backup, 'secrets'))
    writeFileSync(join(backup, 'secrets', 'srs'), 'old')
    const lost = await lostWithPower(data, () => restoreStore({ ...options(), replace: true }))
    // Where all was made ready; it is empty by now.
    expect(lost.filter((path) => !/^restoring($|\/)/.test(path))).toEqual([])
  })

  test('goes nowhere where a server runs, and comes from nowhere but a whole backup', async () => {
    await fill()
    {
      await using _store = await openStore(data)
      await expect(restoreStore({ ...options(), replace: true })).rejects.toThrow('in use')
    }
    const nothing = { ...options(), backup: join(root, 'nothing') }
    await expect(restoreStore(nothing)).rejects.toThrow('no whole backup')
    await expect(restoreStore({ ...options(), backup: data })).rejects.toThrow('itself')
    expect(existsSync(join(data, 'mail.db'))).toBe(true)
  })

  test('that is damaged is restored as far as it goes, and said to be', async () => {
    await fill()
    rmSync(data, { recursive: true })
    rmSync(join(backup, 'content'), { recursive: true })
    mkdirSync(join(backup, 'content'))
    const { faults, messages } = await restoreStore(options())
    expect(faults).toMatchObject([{ fault: 'content-missing' }])
    expect(messages).toBe(2)
  })
})

test('whoever made a directory for the store or a backup that others may enter let them read all mail', async () => {
  const mask = process.umask(0o022)
  onTestFinished(() => void process.umask(mask))
  for (const directory of [data, backup]) mkdirSync(directory, { mode: 0o755 })
  await fill()
  await restoreStore({ ...options(), replace: true })
  const readable = () => [data, backup].flatMap((at) => readdirSync(at).filter((name) => isReadable(join(at, name))))
  expect(readable()).toEqual([])
  await using store = await openStore(data)
  const { id: alice } = (await store.directory.accountByLogin('alice@one.test'))!
  using _watch = store.mail.watch(alice, () => {})
  const { id: inbox } = (await store.mail.mailboxes(alice))[0]!
  await append(store, inbox, 'Subject: for the search index\n\ntext\n')
  await vi.waitUntil(() => existsSync(join(data, 'search.db-wal')), 60_000)
  expect(readable()).toEqual([])
})

const isReadable = (path: string): boolean => (statSync(path).mode & 0o077) !== 0

test('a backup can be read without being changed', async () => {
  const { alice } = await fill()
  using read = openBackup({ directory: backup, clock: virtualClock(), log: silentLog })
  const account = await read.directory.accountByLogin('alice@one.test')
  expect(account?.id).toBe(alice)
  const inbox = (await read.mail.mailboxes(alice))[0]?.id as MailboxId
  const rows = (await Array.fromAsync(read.mail.fetch(inbox, all, { header: true }))).flat()
  expect(rows.map(({ header }) => header?.toString().slice(0, 14))).toEqual(['Subject: large', 'Subject: small'])
  let octets = 0
  for await (const chunk of read.mail.readBody(rows[0]!.message)) octets += chunk.length
  expect(octets).toBe(600_000)
  expect(existsSync(join(backup, 'lock.db'))).toBe(false)
})

test('a backup that is there already is not written over', async () => {
  await fill()
  await using store = await openStore(data)
  await expect(store.backup(backup)).rejects.toMatchObject({ reason: 'exists' })
})
