/** Clients that do not read what they are told, clients that do not wait for it, and changes that fall in between. */
import { setImmediate } from 'node:timers/promises'
import { type Log, type MailboxId, silentLog, UidSet } from '@pennypost/model'
import type { DuplexEnd } from '@pennypost/transport/duplex-pair'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DialogueClient } from './dialogue/client.ts'
import { sampleMessage, TestServer } from './dialogue/server.ts'

const everything = UidSet.ofRanges([[1, 2 ** 32 - 1]])
const everyUid = Array.from({ length: 50 }, (_, index) => index + 1)
let server: TestServer
let client: DialogueClient

beforeEach(async () => {
  server = await TestServer.start()
})

afterEach(() => server.stop())

async function select(): Promise<void> {
  client = await server.alice('SELECT INBOX')
}

/** As many small messages in INBOX as that power of two. */
async function fill(count: number): Promise<MailboxId> {
  await server.deliver('INBOX', sampleMessage('simple'))
  const { id } = await server.mailbox('INBOX')
  for (let copied = 1; copied < count; copied *= 2) await server.store.mail.copy(id, everything, id)
  return id
}

/** Until nothing happens any more. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await setImmediate()
}

/** How many turns of the event loop it takes. */
async function turnsUntil(isSo: () => boolean): Promise<number> {
  let turns = 0
  for (; !isSo(); turns++) await setImmediate()
  return turns
}

const isDone = (): boolean => client.unread.includes('x OK')

/** From now on everything takes a millisecond or more. */
function slowClock(): void {
  let reads = 0
  server.time.elapsed = () => reads++
}

/** The connection has ended before the answer was whole. */
async function expectCutOff(): Promise<void> {
  client.stream.resume()
  for (;;) {
    const response = await client.response()
    if (response === undefined) return
    expect(response).not.toMatch(/^x OK/)
  }
}

test('a client that reads nothing of a long answer loses its connection after a while, not before', async () => {
  for (let count = 0; count < 4; count++) await server.deliver('INBOX', sampleMessage('large'))
  await select()
  client.stream.pause()
  client.send(Buffer.from('x FETCH 1:* BODY.PEEK[]\r\n'))
  await quiet()
  await server.time.advance(4 * 60_000)
  expect(client.closed).toBe(false)
  await server.time.advance(2 * 60_000)
  await quiet()
  await expectCutOff()
})

test.each([
  ['at once', 'x CAPABILITY\r\n'],
  ['by the store', 'x STATUS INBOX (MESSAGES)\r\nx LIST "" *\r\n'],
])('commands that are answered %s wait while nothing is read of the answers to those before', async (_, commands) => {
  await select()
  client.stream.pause()
  const flood = Buffer.from(commands.repeat(1000))
  for (let count = 0; count < 20; count++) {
    client.send(flood)
    await quiet()
  }
  await server.time.advance(5 * 60_000)
  let told = 0
  client.stream.on('data', (chunk: Buffer) => {
    told += chunk.length
  })
  client.stream.resume()
  await quiet()
  expect(client.closed).toBe(true)
  expect(told).toBeLessThan(256 * 1024)
})

test.each(['CAPABILITY', 'LIST "" *', 'CREATE INBOX', 'NONSENSE'])(
  'thousands of commands sent at once held up another session: %s',
  async (command) => {
    slowClock()
    await select()
    client.send(Buffer.from(`y ${command}\r\n`.repeat(1000)))
    // In each turn the other session is heard.
    expect(await turnsUntil(() => client.unread.split('\r\ny ').length >= 1000)).toBeGreaterThan(150)
  },
)

test.each(['UNSEEN', 'LARGER 1'])('one SEARCH of very many keys held up another session: %s', async (key) => {
  await fill(512)
  await select()
  client.send(Buffer.from(`x UID SEARCH RETURN (COUNT)${` ${key}`.repeat(999)}\r\n`))
  const turns = await turnsUntil(isDone)
  expect(client.unread).toContain('COUNT 512')
  // Twenty messages of a turn at most.
  expect(turns).toBeGreaterThanOrEqual(25)
})

test('one FETCH of very many items of one message held up another session', async () => {
  await fill(1)
  await select()
  slowClock()
  const items = Array.from({ length: 190 }, (_, index) => `BODY.PEEK[HEADER.FIELDS (X-${index})]`)
  client.send(Buffer.from(`x FETCH 1 (${items.join(' ')})\r\n`))
  const turns = await turnsUntil(isDone)
  expect(client.unread).toContain(`${items[189]?.replace('.PEEK', '')} {2}`)
  expect(turns).toBeGreaterThan(30)
})

test('one FETCH of many items of very many messages held up another session', async () => {
  slowClock()
  await fill(512)
  await select()
  client.send(Buffer.from(`x FETCH 1:* (${'ENVELOPE RFC822.SIZE '.repeat(50)}UID)\r\n`))
  expect(await turnsUntil(isDone)).toBeGreaterThan(100)
})

/** So many URLs of one message. */
async function urls(count: number): Promise<string> {
  const rump = 'imap://alice%40one.test@x/INBOX/;UID=1;URLAUTH=authuser'
  const [, url] = /("imap.*")/.exec((await client.say(`GENURLAUTH "${rump}" INTERNAL`)).join()) ?? []
  return Array.from({ length: count }, () => url).join(' ')
}

test('one URLFETCH of very many URLs held up another session', async () => {
  await fill(1)
  await select()
  const many = await urls(90)
  slowClock()
  client.send(Buffer.from(`x URLFETCH ${many}\r\n`))
  expect(await turnsUntil(isDone)).toBeGreaterThan(15)
})

test('one URLFETCH of very many URLs held all that they name in memory', async () => {
  await server.deliver('INBOX', sampleMessage('large'))
  await select()
  const many = await urls(90)
  const { mail } = server.store
  const fetch = mail.fetch.bind(mail)
  let fetched = 0
  mail.fetch = (...args) => {
    fetched++
    return fetch(...args)
  }
  client.stream.pause()
  client.send(Buffer.from(`x URLFETCH ${many}\r\n`))
  await quiet()
  expect(fetched).toBe(1)
  client.stream.destroy()
  await quiet()
  expect(fetched).toBe(1)
})

test('of what is sent ahead of a running command no more is taken in for each one that ends', async () => {
  await select()
  const { mail } = server.store
  const list = mail.mailboxes.bind(mail)
  let ended = 0
  const never = new Promise<never>(() => {})
  mail.mailboxes = async (account) => {
    await setImmediate()
    return ++ended > 100 ? never : list(account)
  }
  const flood = Buffer.from('x LIST "" *\r\n'.repeat(5000))
  for (let count = 0; count < 50; count++) client.send(flood)
  for (let count = 0; count < 20; count++) await quiet()
  expect(ended).toBe(101)
  // 3 MB were offered: what is not read ahead waits on the client's side.
  expect(client.stream.writableLength).toBeGreaterThan(2_500_000)
})

test('nothing more is read for a client that leaves in the midst of a long answer', async () => {
  for (let count = 0; count < 20; count++) await server.deliver('INBOX', sampleMessage('large'))
  const { mail } = server.store
  const readBody = mail.readBody.bind(mail)
  let read = 0
  mail.readBody = (...range) => {
    read++
    return readBody(...range)
  }
  await select()
  client.stream.pause()
  client.send(Buffer.from('x FETCH 1:* BODY.PEEK[]\r\ny FETCH 1:* BODY.PEEK[]\r\n'))
  await quiet()
  const before = read
  expect(before).toBeGreaterThan(0)
  client.stream.destroy()
  await quiet()
  expect(read - before).toBeLessThan(2)
})

test('a client that left in the midst of STORE was an error in the log', async () => {
  const errors: unknown[] = []
  const log: Log = { ...silentLog, error: (facts) => void errors.push(facts), child: () => log }
  server.options.log = log
  await server.deliver('INBOX', sampleMessage('simple'))
  const { mail } = server.store
  const updateFlags = mail.updateFlags.bind(mail)
  let stored = false
  mail.updateFlags = async (...change) => {
    ;(client.stream as DuplexEnd).resetAndDestroy()
    await quiet()
    const done = await updateFlags(...change)
    stored = true
    return done
  }
  await select()
  client.send(Buffer.from('x STORE 1 +FLAGS (\\Seen)\r\n'))
  await quiet()
  await quiet()
  expect([stored, errors]).toEqual([true, []])
})

test('a client that takes its time gets all of a long answer', async () => {
  for (let count = 0; count < 4; count++) await server.deliver('INBOX', sampleMessage('large'))
  await select()
  client.stream.pause()
  client.send(Buffer.from('x FETCH 1:* BODY.PEEK[]\r\n'))
  await quiet()
  await server.time.advance(4 * 60_000)
  client.stream.resume()
  for (let seq = 1; seq <= 4; seq++) expect(await client.response()).toMatch(`* ${seq} FETCH`)
  expect(await client.response()).toBe('x OK FETCH completed')
})

test('a client that idles and does not read is dropped once too much waits for it', async () => {
  server.options.limits = { outputBacklog: 1000 }
  for (let count = 0; count < 50; count++) await server.deliver('INBOX', sampleMessage('simple'))
  await select()
  client.send(Buffer.from('x IDLE\r\n'))
  expect(await client.response()).toBe('+ idling')
  client.stream.pause()
  const { mail } = server.store
  const { id } = await server.mailbox('INBOX')
  // Some 9 KB each time: more than fits between the two ends.
  for (let turn = 0; turn < 60; turn++) {
    const mode = turn % 2 === 0 ? 'add' : 'remove'
    await mail.updateFlags(id, {
      uids: UidSet.ofSorted(everyUid),
      mode,
      flags: ['k'.repeat(100), '\\Flagged'],
    })
    await quiet()
  }
  await expectCutOff()
})

test('a change that is committed while IDLE begins is told', async () => {
  const { mail } = server.store
  const id = await fill(1)
  await select()
  client.send(Buffer.from('x IDLE\r\n'))
  expect(await client.response()).toBe('+ idling')
  await mail.updateFlags(id, { uids: everything, mode: 'add', flags: ['\\Seen'] })
  await quiet()
  expect(client.unread).toBe('* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent))\r\n')
})

test.each(['NOOP', 'NOTIFY SET (SELECTED (MessageNew MessageExpunge FlagChange))'])(
  'a change that was committed just as the telling of another ended was not told a client that idles, after %s',
  async (before) => {
    const { mail } = server.store
    const id = await fill(1)
    await select()
    await client.say(before)
    for (let hops = 0; hops < 60; hops++) {
      client.send(Buffer.from('x IDLE\r\n'))
      expect(await client.response()).toBe('+ idling')
      for (let hop = 0; hop < hops; hop++) await undefined
      const mode = hops % 2 === 0 ? 'add' : 'remove'
      await mail.updateFlags(id, { uids: everything, mode, flags: ['\\Seen'] })
      await quiet()
      expect(client.unread, `${hops}`).toContain('* 1 FETCH (')
      client.send(Buffer.from('DONE\r\n'))
      while (!(await client.response())?.startsWith('x OK'));
    }
  },
)

test('a change of very many messages is told a client that idles in pages, and what follows it behind them', async () => {
  server.options.limits = { outputBacklog: 150_000 }
  const { mail } = server.store
  const id = await fill(4096)
  await select()
  client.send(Buffer.from('x IDLE\r\n'))
  expect(await client.response()).toBe('+ idling')
  client.stream.pause()
  await mail.updateFlags(id, { uids: everything, mode: 'add', flags: ['\\Flagged'] })
  await quiet()
  await mail.expunge(id, UidSet.of(4000), 'all')
  await mail.updateFlags(id, { uids: UidSet.of(4001), mode: 'add', flags: ['$new'] })
  await quiet()
  expect(client.closed).toBe(false)
  client.send(Buffer.from('DONE\r\n'))
  client.stream.resume()
  const responses: string[] = []
  for (let last = ''; !last.startsWith('x '); responses.push(last)) last = (await client.response()) ?? 'x closed'
  // The one that has gone is not told of; the one behind it with what it has by then, under the number that it had.
  const told = responses.filter((response) => response.includes(' FETCH '))
  expect(told.slice(3998, 4000)).toEqual([
    '* 3999 FETCH (UID 3999 FLAGS (\\Flagged \\Recent))',
    '* 4001 FETCH (UID 4001 FLAGS (\\Flagged $new \\Recent))',
  ])
  const named = responses.findIndex((response) => /^\* FLAGS .*\$new/.test(response))
  expect(named).toBeLessThan(responses.indexOf(told[3999] as string))
  expect(responses.slice(-5)).toEqual([
    '* 4096 FETCH (UID 4096 FLAGS (\\Flagged \\Recent))',
    '* 4000 EXPUNGE',
    '* 4095 RECENT',
    '* 4000 FETCH (UID 4001 FLAGS (\\Flagged $new \\Recent))',
    'x OK IDLE completed',
  ])
})

test('what is sent ahead of a running command is read when that is done, and answered in order', async () => {
  server.options.limits = { inputBacklog: 1000 }
  for (let count = 0; count < 4; count++) await server.deliver('INBOX', sampleMessage('large'))
  await select()
  client.stream.pause()
  client.send(Buffer.from('x FETCH 1:* BODY.PEEK[]\r\n'))
  for (let count = 0; count < 500; count++) client.send(Buffer.from(`n${count} NOOP\r\n`))
  await quiet()
  client.stream.resume()
  for (let seq = 1; seq <= 4; seq++) expect(await client.response()).toMatch(`* ${seq} FETCH`)
  expect(await client.response()).toBe('x OK FETCH completed')
  for (let count = 0; count < 500; count++) expect(await client.response()).toBe(`n${count} OK NOOP completed`)
})

test('what came into a mailbox in which hundreds idle was told to all of them in one turn', async () => {
  const idling: DialogueClient[] = []
  for (let count = 0; count < 200; count++) {
    const one = await server.alice('SELECT INBOX')
    one.send(Buffer.from('i IDLE\r\n'))
    expect(await one.response()).toMatch(/^\+/)
    idling.push(one)
  }
  slowClock()
  await server.deliver('INBOX', sampleMessage('simple'))
  const isTold = (one: DialogueClient): boolean => one.unread.includes('EXISTS')
  expect(await turnsUntil(() => idling.every(isTold))).toBeGreaterThan(30)
})
