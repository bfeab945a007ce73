import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { highestUid, type MailboxId, type NewMessage, silentLog, type Uid, UidSet } from '@pennypost/model'
import { sampleMessage, virtualClock } from '@pennypost/model/testing'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { addAlice, openStore, type TestOptions, temporaryDirectory } from '../test/temporary-store.ts'
import { refuseNetwork } from './data-directory.ts'
import { findFaults } from './keeper/check.ts'
import type { SqliteStore } from './open-sqlite-store.ts'
import { WriterClient } from './writer-client.ts'

let directory: string
let stores: SqliteStore[]

beforeEach(() => {
  directory = temporaryDirectory()
  stores = []
})

afterEach(async () => {
  for (const store of stores) await store.close()
  rmSync(directory, { recursive: true, force: true })
})

async function open(options: TestOptions = {}): Promise<SqliteStore> {
  const store = await openStore(directory, options)
  stores.push(store)
  return store
}

const all = UidSet.ofRanges([[1, 2 ** 32 - 1]])
const large = `Subject: large\r\n\r\n${'0123456789abcde\n'.repeat(40_000)}`

async function append(store: SqliteStore, mailbox: MailboxId, ...messages: NewMessage[]): Promise<void> {
  const internalDate = { at: 0, offsetMinutes: 0 }
  await store.mail.append(
    mailbox,
    messages.map((message) => ({ message, flags: [], internalDate })),
  )
}

async function bodyOf(store: SqliteStore, mailbox: MailboxId, uid: number): Promise<Buffer> {
  const [page] = await Array.fromAsync(store.mail.fetch(mailbox, UidSet.of(uid), { body: true }))
  const [row] = page ?? []
  if (!row) throw new Error('no such row')
  return row.body ?? Buffer.concat(await Array.fromAsync(store.mail.readBody(row.message)))
}

function contentFiles(): string[] {
  return readdirSync(join(directory, 'content'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.includes('/'),
  )
}

describe('the data directory', () => {
  test('belongs to one store at a time', async () => {
    const store = await open()
    await expect(openStore(directory)).rejects.toThrow('is in use by another process')
    await store.close()
    await open()
  })

  test('is not taken from another program', async () => {
    mkdirSync(directory, { recursive: true })
    const db = new Database(join(directory, 'mail.db'))
    db.exec('PRAGMA user_version = 7; CREATE TABLE mine (a)')
    db.close()
    await expect(openStore(directory)).rejects.toThrow('not a Pennypost database')
  })

  test('is not taken from a newer program', async () => {
    await (await open()).close()
    const db = new Database(join(directory, 'mail.db'))
    db.exec('PRAGMA user_version = 999')
    db.close()
    await expect(openStore(directory)).rejects.toThrow('use the newer program')
  })

  test('where nothing can be opened, as on a disk without inodes, says which file and what to look at', async () => {
    mkdirSync(join(directory, 'mail.db'), { recursive: true })
    await expect(openStore(directory)).rejects.toThrow(/mail\.db, or a file beside it, cannot be opened; .* inodes/)
  })

  test('that cannot be opened to the end is closed again', async () => {
    await (await open()).close()
    mkdirSync(join(directory, 'content', '000001'))
    mkdirSync(join(directory, 'content', '000001', 'lost'))
    // Its sweep meets a directory where only files should be.
    await expect(openStore(directory)).rejects.toThrow('lost')
    expect(readdirSync(directory).filter((name) => /-wal$|-shm$/.test(name))).toEqual([])
    rmSync(join(directory, 'content', '000001'), { recursive: true })
    await open()
  })

  test.each([
    ['NFS', 0x6969],
    ['CIFS', -0xacb2be],
    ['9P', 0x01021997],
  ])('is refused on %s', (name, type) => {
    expect(() => refuseNetwork('/mail', silentLog, type)).toThrow(name)
    expect(() => refuseNetwork('/mail', silentLog, 0xef53)).not.toThrow()
  })
})

test('a STORE of many messages is made in steps, whose MODSEQs it tells', async () => {
  const store = await open({ limits: { flagsPerJob: 2 } })
  const { inbox } = await addAlice(store)
  for (let i = 0; i < 5; i++) await append(store, inbox, await sampleMessage(store.mail, 'Subject: one'))
  const { mailbox } = await store.mail.snapshot(inbox)
  const done = await store.mail.updateFlags(inbox, { uids: all, mode: 'add', flags: ['\\Seen'] })
  expect(done.since).toBe(mailbox.highestModSeq)
  expect(done.steps.map(({ last }) => last)).toEqual([2, 4, highestUid])
  const { modSeqs, mailbox: after } = await store.mail.snapshot(inbox)
  const [first, second, third] = done.steps.map(({ modSeq }) => modSeq)
  expect([...modSeqs]).toEqual([first, first, second, second, third])
  expect(after.highestModSeq).toBe(third)
})

describe('large content', () => {
  test('is a file while somebody needs it', async () => {
    const store = await open()
    const { inbox } = await addAlice(store)
    await append(store, inbox, await sampleMessage(store.mail, large), await sampleMessage(store.mail, large))
    expect(contentFiles()).toHaveLength(2)
    expect((await bodyOf(store, inbox, 2)).toString()).toBe(large.replace(/\r?\n/g, '\r\n').slice(18))
    await store.mail.copy(inbox, UidSet.of(1), inbox)
    await store.mail.expunge(inbox, UidSet.of(1, 2), 'all')
    expect(contentFiles()).toHaveLength(1)
    await store.mail.expunge(inbox, UidSet.of(3), 'all')
    expect(contentFiles()).toEqual([])
  })

  test('goes when the job is refused', async () => {
    const store = await open()
    const message = await sampleMessage(store.mail, large)
    expect(contentFiles()).toHaveLength(1)
    await expect(append(store, 99 as MailboxId, message)).rejects.toMatchObject({ reason: 'no-such-mailbox' })
    expect(contentFiles()).toEqual([])
  })

  test('that nothing refers to is swept at the next start, and nothing else', async () => {
    const store = await open()
    const { inbox } = await addAlice(store)
    await append(store, inbox, await sampleMessage(store.mail, large))
    await sampleMessage(store.mail, large)
    expect(contentFiles()).toHaveLength(2)
    writeFileSync(join(directory, 'content', 'a note.txt'), '')
    await store.close()
    const again = await open()
    expect(contentFiles()).toHaveLength(1)
    expect((await bodyOf(again, inbox, 1)).length).toBeGreaterThan(600_000)
    expect(await Array.fromAsync(again.check())).toEqual([])
  })

  test('that a pin keeps is not taken for what an earlier process left behind', async () => {
    const store = await open()
    const { inbox } = await addAlice(store)
    await append(store, inbox, await sampleMessage(store.mail, large), await sampleMessage(store.mail, large))
    store.mail.pin(inbox)
    await store.mail.expunge(inbox, UidSet.of(1), 'all')
    await store.close()
    const again = await open()
    using _pin = again.mail.pin(inbox)
    await again.mail.expunge(inbox, UidSet.of(2), 'all')
    await append(again, inbox, await sampleMessage(again.mail, 'Subject: one'))
    const pages = await Array.fromAsync(again.mail.fetch(inbox, all, {}))
    expect(pages.flat().map(({ uid }) => uid)).toEqual([2, 3])
    expect(contentFiles()).toHaveLength(1)
  })

  test('goes when the pin that kept it ends while it is being expunged', async () => {
    const store = await open()
    const { inbox } = await addAlice(store)
    await append(store, inbox, await sampleMessage(store.mail, large))
    const pin = store.mail.pin(inbox)
    const expunging = store.mail.expunge(inbox, UidSet.of(1), 'all')
    pin[Symbol.dispose]()
    await expunging
    await append(store, inbox, await sampleMessage(store.mail, 'Subject: one'))
    expect(contentFiles()).toEqual([])
  })

  test('is read to its end though it be expunged meanwhile', async () => {
    const store = await open()
    const { inbox } = await addAlice(store)
    await append(store, inbox, await sampleMessage(store.mail, large))
    const [page] = await Array.fromAsync(store.mail.fetch(inbox, all, {}))
    let octets = 0
    for await (const chunk of store.mail.readBody(page?.[0]?.message as never)) {
      if (octets === 0) await store.mail.expunge(inbox, all, 'all')
      octets += chunk.length
    }
    expect(octets).toBe((page?.[0]?.size as number) - 18)
  })
})

describe('large mailboxes', () => {
  test('are read and changed in slices, one way while the other goes on', async () => {
    const store = await open()
    const { inbox } = await addAlice(store)
    for (let n = 0; n < 9; n++) {
      const message = () => sampleMessage(store.mail, 'Subject: x\n\n')
      await append(store, inbox, ...(await Promise.all(Array.from({ length: 1000 }, message))))
    }
    const reading = store.mail.snapshot(inbox)
    const changing = [
      store.mail.updateFlags(inbox, { uids: UidSet.of(5, 8500), mode: 'add', flags: ['\\Seen'] }),
      store.mail.expunge(inbox, UidSet.of(7, 8999), 'all'),
    ]
    const { mailbox, uids, flags } = await reading
    const seen = [...flags].filter((bits) => bits & 8).length
    expect(uids).toHaveLength(mailbox.messages)
    expect(seen).toBe(mailbox.messages - mailbox.unseen)
    await Promise.all(changing)
    const later = await store.mail.snapshot(inbox)
    expect([later.uids.length, later.mailbox.unseen]).toEqual([8998, 8996])
    const changes = await store.mail.changesSince(inbox, mailbox.highestModSeq)
    expect(uids.length - changes.vanished.size).toBe(8998)
    await store.mail.updateFlags(inbox, { uids: all, mode: 'add', flags: ['\\Flagged'] })
    expect((await store.mail.changesSince(inbox, later.mailbox.highestModSeq)).uids).toHaveLength(8998)
    await store.mail.move(inbox, all, (await store.mail.mailboxes(mailbox.account))[1]?.id as MailboxId)
    expect((await store.mail.mailbox(inbox))?.messages).toBe(0)
    expect(await Array.fromAsync(store.check())).toEqual([])
  })

  test('from below the expunge floor all is looked at in slices, and the answer is of one state', async () => {
    const store = await open({ limits: { expungesPerMailbox: 2 } })
    const { inbox } = await addAlice(store)
    for (let n = 0; n < 9; n++) {
      const message = () => sampleMessage(store.mail, 'Subject: x\n\n')
      await append(store, inbox, ...(await Promise.all(Array.from({ length: 1000 }, message))))
    }
    const { mailbox } = await store.mail.snapshot(inbox)
    for (const uid of [1, 20, 21, 8500]) await store.mail.expunge(inbox, UidSet.of(uid), 'all')
    let turned = false
    setImmediate(() => {
      turned = true
    })
    const reading = store.mail.changesSince(inbox, mailbox.highestModSeq)
    const changing = [
      store.mail.updateFlags(inbox, { uids: UidSet.of(5, 8600), mode: 'add', flags: ['\\Seen'] }),
      store.mail.expunge(inbox, UidSet.of(7), 'all'),
      store.mail.expunge(inbox, UidSet.of(8999), 'all'),
      append(store, inbox, await sampleMessage(store.mail, 'Subject: new\n\n')),
    ]
    const first = await reading
    expect(turned).toBe(true)
    await Promise.all(changing)
    const second = await store.mail.changesSince(inbox, first.modSeq)
    expect(first.vanished.union(second.vanished).toString()).toBe('1,7,20:21,8500,8999')
    expect(new Set([...first.uids, ...second.uids])).toEqual(new Set([5, 8600, 9001]))
    expect((await store.mail.changesSince(inbox, mailbox.highestModSeq)).vanished.size).toBe(6)
  })
})

describe('room', () => {
  test('down to the reserve is refused when content comes that nobody announced, and left to what else there is', async () => {
    const clock = virtualClock()
    const space = { free: 10_000_000, total: 10_000_000 }
    const store = await open({ clock, space: () => space, limits: { ballastOctets: 0 } })
    const { inbox } = await addAlice(store)
    await append(store, inbox, await sampleMessage(store.mail, 'a'))
    const late = await sampleMessage(store.mail, large)
    space.free = 499_000
    await clock.advance(1000)
    await expect(append(store, inbox, late)).rejects.toMatchObject({ reason: 'no-room' })
    expect(contentFiles()).toEqual([])
    await expect(store.mail.copy(inbox, all, inbox)).rejects.toMatchObject({ reason: 'no-room' })
    expect((await store.mail.expunge(inbox, all, 'all')).uids.toString()).toBe('1')
  })

  test('that was promised is held until the content is stored or gone', async () => {
    const total = 10_000_000
    const store = await open({ space: () => ({ free: total, total }), limits: { ballastOctets: 0 } })
    const { inbox } = await addAlice(store)
    const promised = store.mail.reserve(9_000_000)
    expect(store.mail.reserve(1_000_000)).toBeUndefined()
    const content = store.mail.stage(promised)
    await content.write(Buffer.alloc(400_000))
    await content.discard()
    const again = store.mail.stage(store.mail.reserve(9_000_000))
    await again.write(Buffer.from('a'))
    const { content: _, ...rest } = await sampleMessage(store.mail, 'a')
    await append(store, inbox, { ...rest, content: await again.finish() })
    expect(store.mail.reserve(9_000_000)).toBeDefined()
  })

  test('for content of another size than announced is looked for as it comes', async () => {
    const total = 10_000_000
    const space = { free: total, total }
    const store = await open({ space: () => space, limits: { ballastOctets: 0 } })
    const content = store.mail.stage(store.mail.reserve(0))
    await content.write(Buffer.alloc(9_000_000))
    space.free -= 9_000_000
    await content.write(Buffer.alloc(1_000_000))
    await expect(content.finish()).rejects.toMatchObject({ reason: 'no-room' })
    await content.discard()
    // Content without any promise goes into the reserve, for a DSN; it can not be new mail.
    const notice = store.mail.stage()
    await notice.write(Buffer.alloc(9_900_000))
    await notice.discard()
    expect(contentFiles()).toEqual([])
  })

  test('a full disk refuses new mail and lets expunges through on the ballast', async () => {
    const full = { at: 'job', code: 'SQLITE_FULL', rollback: true } as const
    const store = await open({
      faults: [
        { ...full, verb: 'append', nth: 2 },
        { ...full, verb: 'expunge', nth: 1 },
      ],
    })
    writeFileSync(join(directory, 'ballast'), 'room')
    const { inbox } = await addAlice(store)
    await append(store, inbox, await sampleMessage(store.mail, 'a'))
    const refused = append(store, inbox, await sampleMessage(store.mail, 'b'))
    await expect(refused).rejects.toMatchObject({ reason: 'no-room' })
    expect((await store.mail.expunge(inbox, all, 'all')).uids.toString()).toBe('1')
    expect(existsSync(join(directory, 'ballast'))).toBe(true)
  })
})

describe('failure', () => {
  test('a commit that fails stops the store', async () => {
    const errors: Error[] = []
    const store = await open({
      faults: [{ at: 'commit', nth: 3, code: 'SQLITE_IOERR_FSYNC' }],
      onFatal: (error) => errors.push(error),
    })
    const { inbox } = await addAlice(store)
    const refused = append(store, inbox, await sampleMessage(store.mail, large))
    await expect(refused).rejects.toMatchObject({ reason: 'unavailable' })
    expect(errors).toHaveLength(1)
    await expect(store.flow.record([])).resolves.toBeUndefined()
    await expect(store.directory.removeDomain('x')).rejects.toMatchObject({ reason: 'unavailable' })
    // Whether the commit is in the log after all is known at the next start: until then its file stays.
    expect(contentFiles()).toHaveLength(1)
    await store.close()
    const again = await open()
    expect((await again.mail.mailbox(inbox))?.messages).toBe(0)
    expect(contentFiles()).toEqual([])
  })

  test('too many waiting jobs are refused', async () => {
    const store = await open({ limits: { jobsWaiting: 2, jobsInFlight: 1 } })
    const forget = () => store.memory.forget('rate', 'k')
    const results = await Promise.allSettled([forget(), forget(), forget()])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  })
})

test('a backup is a data directory of that moment', async () => {
  const store = await open()
  const { inbox } = await addAlice(store)
  await append(store, inbox, await sampleMessage(store.mail, large))
  const target = join(directory, 'backup')
  await store.backup(target)
  await store.mail.expunge(inbox, all, 'all')
  const copy = await openStore(target)
  try {
    expect(await Array.fromAsync(copy.check())).toEqual([])
    expect((await bodyOf(copy, inbox, 1)).length).toBeGreaterThan(600_000)
    expect((await copy.mail.snapshot(inbox)).uids[0]).toBe(1 as Uid)
  } finally {
    await copy.close()
  }
})

test('content files stay until the last of two backups that overlap is done, and no longer when one can not begin', async () => {
  const store = await open()
  const posted = vi.spyOn(WriterClient.prototype, 'post')
  const kept = () => posted.mock.calls.flatMap(([message]) => (message.kind === 'keepFiles' ? [message.keep] : []))
  await Promise.all(['one', 'two'].map((name) => store.backup(join(directory, name))))
  expect(kept()).toEqual([true, false])
  const run = vi.spyOn(WriterClient.prototype, 'run').mockRejectedValueOnce(new Error('too many jobs'))
  await expect(store.backup(join(directory, 'three'))).rejects.toThrow('too many jobs')
  expect(kept()).toEqual([true, false, true, false])
  posted.mockRestore()
  run.mockRestore()
})

test('a check between two backups told of files that are kept for them', async () => {
  const first = await open()
  const { inbox } = await addAlice(first)
  await append(first, inbox, await sampleMessage(first.mail, large))
  await first.close()
  const store = await open()
  const backups = [store.backup(join(directory, 'one')), store.mail.expunge(inbox, all, 'all')]
  const check = Array.fromAsync(store.check())
  backups.push(store.backup(join(directory, 'two')))
  expect(await check).toEqual([])
  await Promise.all(backups)
})

test('a check told of a file whose message was expunged while it ran', async () => {
  const store = await open()
  const { inbox } = await addAlice(store)
  await append(store, inbox, await sampleMessage(store.mail, large))
  await store.close()
  const db = new Database(join(directory, 'mail.db'))
  db.exec('UPDATE mailboxes SET unseen = 9 WHERE id = 1')
  const check = findFaults(db, join(directory, 'content'))
  expect(check.next().value).toMatchObject([{ fault: 'counter-wrong' }])
  // As it is between the commit and the removal of the file.
  db.exec('DELETE FROM contents')
  expect([...check].flat().map(({ fault }) => fault)).not.toContain('content-unneeded')
  db.close()
})

test('a check finds what is wrong', async () => {
  const store = await open()
  const { inbox } = await addAlice(store)
  await append(store, inbox, await sampleMessage(store.mail, large), await sampleMessage(store.mail, 'small'))
  await store.close()
  const db = new Database(join(directory, 'mail.db'))
  db.exec('UPDATE mailboxes SET unseen = 9 WHERE id = 1; DELETE FROM contents WHERE file IS NULL')
  db.close()
  rmSync(join(directory, 'content', contentFiles()[0] as string))
  const again = await open()
  const faults = await Array.fromAsync(again.check())
  expect(faults.map(({ fault, where }) => `${fault}: ${where}`)).toEqual([
    'counter-wrong: mailbox 1',
    'content-missing: message 2',
    expect.stringContaining('content-missing: file '),
  ])
})

/** What is done to a store, and what a check says of it. */
const damages: readonly [damage: string, fault: string][] = [
  ['UPDATE messages SET refs = 7', 'counter-wrong: message 1'],
  ['UPDATE counters SET reserved = 1 WHERE owner = 0', 'counter-wrong: ids of messages'],
  ['UPDATE counters SET reserved = 1 WHERE owner = -2', 'counter-wrong: UIDVALIDITY'],
  ['UPDATE counters SET reserved = 1 WHERE owner = 1', 'counter-wrong: modseq of account 1'],
  ['UPDATE usage SET octets = 1', 'counter-wrong: account 1'],
  ['UPDATE mailboxes SET expunges = 5 WHERE id = 1', 'counter-wrong: mailbox 1, log'],
  ['UPDATE mailboxes SET uid_validity = 1', 'uidvalidity-twice: mailbox 6'],
  ['UPDATE contents SET header = zeroblob(1)', 'size-wrong: mailbox 1, UID 1'],
  ['UPDATE messages SET body_size = 1', 'size-wrong: message 1'],
  ['DELETE FROM marks', 'filing-without-mark: mailbox 1, UID 1'],
  ['DELETE FROM filings', 'mark-without-filing: mailbox 1, UID 1'],
  ['DELETE FROM messages', 'content-unneeded: message 1'],
  [
    'INSERT INTO contents SELECT 99, file, body_start, body_size, header, body FROM contents',
    'content-unneeded: message 99',
  ],
  [
    'INSERT INTO contents SELECT 99, file, body_start, body_size, header, body FROM contents',
    'content-shared: file 000001/0',
  ],
  ['DELETE FROM mailboxes WHERE id = 1', 'mailbox-missing: mailbox 1'],
  ['DELETE FROM accounts', 'account-missing: usage of account 1'],
  [`INSERT INTO alias_targets VALUES ('a@one.test', 'b@one.test')`, 'alias-wrong: alias b@one.test'],
  [`UPDATE mailboxes SET keywords = '[' WHERE id = 1`, 'row-unreadable: mailbox 1'],
]

test.each(damages)('a check finds what became of %s', async (damage, fault) => {
  const store = await open()
  const { inbox } = await addAlice(store)
  await append(store, inbox, await sampleMessage(store.mail, large))
  await store.close()
  const db = new Database(join(directory, 'mail.db'), { readonly: false })
  db.exec(damage)
  const contents = join(directory, 'content')
  const faults = [...findFaults(db, contents)].flat()
  db.close()
  expect(faults.map(({ fault, where }) => `${fault}: ${where}`)).toContain(fault)
})

test('a check of a damaged database tells that, and all that it can find beside it', async () => {
  const store = await open()
  const { inbox } = await addAlice(store)
  await append(store, inbox, await sampleMessage(store.mail, large))
  await store.close()
  const path = join(directory, 'mail.db')
  const db = new Database(path)
  db.exec('UPDATE mailboxes SET unseen = 9 WHERE id = 1')
  const page = db.prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'queue'`).pluck().get() as number
  db.close()
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, (page - 1) * 4096)
  closeSync(file)
  const damaged = new Database(path, { readonly: true })
  const faults = [...findFaults(damaged, join(directory, 'content'))].flat().map(({ fault }) => fault)
  damaged.close()
  expect(faults).toContain('index-damaged')
  expect(faults).toContain('counter-wrong')
})

test('a check finds content files of earlier processes that nothing refers to, not what is on its way in', async () => {
  const store = await open()
  const { inbox } = await addAlice(store)
  await append(store, inbox, await sampleMessage(store.mail, large))
  await store.close()
  const again = await open()
  const coming = await sampleMessage(again.mail, large)
  writeFileSync(join(directory, 'content', '000001', '77'), 'x')
  expect(await Array.fromAsync(again.check())).toMatchObject([{ fault: 'content-unneeded', where: 'file 000001/77' }])
  await coming.content.discard()
})
