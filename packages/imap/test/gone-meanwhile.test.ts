/**
 * A client that goes while its command waits for the store, or whose mailbox does: nothing is left of it, and nothing
 * begun for nobody.
 */
import { type MailStore, StoreError, UidSet } from '@pennypost/model'
import type { DuplexEnd } from '@pennypost/transport/duplex-pair'
import { afterEach, expect, test } from 'vitest'
import type { DialogueClient } from './dialogue/client.ts'
import { password, sampleMessage, TestServer } from './dialogue/server.ts'

let server: TestServer
let client: DialogueClient
let mail: MailStore
/** What the store waits for before it says where a mailbox is, or has staged a message. */
let found: Promise<unknown> | undefined
let finished: Promise<unknown> | undefined
let promised = 0
let discarded = 0
let searched: AbortSignal | undefined
let fetched: AbortSignal | undefined

/** What the service sees: it answers when it is let, and counts the room that is promised and the contents that were dropped. */
function slow(store: MailStore): MailStore {
  return {
    ...store,
    async mailboxByName(...args) {
      await found
      return store.mailboxByName(...args)
    },
    async mailboxes(...args) {
      await found
      return store.mailboxes(...args)
    },
    async search(...args) {
      searched = args[3]
      return store.search(...args)
    },
    async *fetch(...args) {
      fetched = args[3]
      await found
      yield* store.fetch(...args)
    },
    reserve() {
      promised++
      return { [Symbol.dispose]: () => void promised-- }
    },
    stage(room) {
      const stage = store.stage()
      const discard = async (): Promise<void> => {
        discarded++
        room?.[Symbol.dispose]()
        await stage.discard()
      }
      return {
        write: (chunk) => stage.write(chunk),
        async finish() {
          await finished
          return Object.create(await stage.finish(), { discard: { value: discard } })
        },
        discard,
      }
    },
  }
}

async function begin(): Promise<void> {
  promised = discarded = 0
  found = finished = searched = fetched = undefined
  server = await TestServer.start()
  mail = server.options.mail = slow(server.store.mail)
  client = await server.alice()
}

afterEach(() => server.stop())

test('while the mailbox of its APPEND is looked for: no room stays promised', async () => {
  await begin()
  const { promise, resolve } = Promise.withResolvers<void>()
  found = promise
  client.send(Buffer.from('a APPEND INBOX {9+}\r\nSubject: '))
  await new Promise((resolve) => setImmediate(resolve))
  ;(client.stream as DuplexEnd).resetAndDestroy()
  await expect.poll(() => server.service.sessions).toBe(0)
  resolve()
  await expect.poll(() => [discarded, promised]).toEqual([1, 0])
})

test('while the message of its APPEND is being staged: the staged content is dropped', async () => {
  await begin()
  const { promise, resolve } = Promise.withResolvers<void>()
  finished = promise
  client.send(Buffer.from('a APPEND INBOX {9+}\r\nSubject: \r\n'))
  await expect.poll(() => promised).toBe(1)
  ;(client.stream as DuplexEnd).resetAndDestroy()
  await expect.poll(() => server.service.sessions).toBe(0)
  resolve()
  await expect.poll(() => [discarded, promised]).toEqual([1, 0])
})

test('when its right on the selected mailbox was taken away, the message of its REPLACE stayed staged', async () => {
  await begin()
  const inbox = await server.mailbox('INBOX')
  const bob = await server.account('bob@one.test')
  const share = (rights: string) =>
    server.store.sharing.setAcl(inbox.id, { grantee: bob.id, negative: false, mode: 'replace', rights })
  await share('lrte')
  await server.deliver('INBOX', sampleMessage('simple'))
  const [first, second] = [server.connect(), server.connect()]
  for (const one of [first, second]) {
    one.send(Buffer.from(`x LOGIN bob ${password}\r\ny SELECT "Other Users/alice@one.test/INBOX"\r\n`))
    while (!(await one.response())?.startsWith('y OK'));
  }
  second.send(Buffer.from('z REPLACE 1 INBOX {9+}\r\nSubject: '))
  await expect.poll(() => promised).toBe(1)
  await share('')
  // What they share of the mailbox is known to be gone from here on.
  first.send(Buffer.from('z NOOP\r\n'))
  while ((await first.response()) !== undefined);
  second.send(Buffer.from('\r\n'))
  expect(await second.response()).toMatch(/^z NO \[NONEXISTENT\]/)
  expect([discarded, promised]).toEqual([1, 0])
})

test('while the mailboxes of its ESEARCH are looked for: the search is over as it begins', async () => {
  await begin()
  const { promise, resolve } = Promise.withResolvers<void>()
  found = promise
  client.send(Buffer.from('a ESEARCH IN (mailboxes INBOX) SUBJECT hello\r\n'))
  await new Promise((resolve) => setImmediate(resolve))
  ;(client.stream as DuplexEnd).resetAndDestroy()
  await expect.poll(() => server.service.sessions).toBe(0)
  resolve()
  await expect.poll(() => searched?.aborted).toBe(true)
})

async function selectInbox(): Promise<void> {
  await server.deliver('INBOX', sampleMessage('simple'), ['\\Deleted'])
  client.send(Buffer.from('x SELECT INBOX\r\n'))
  while (!(await client.response())?.startsWith('x OK'));
}

test('COPY by number said OK when another session expunged a message just before', async () => {
  await begin()
  await selectInbox()
  await server.deliver('INBOX', sampleMessage('simple'))
  mail.copy = async (from, ...args) => {
    await server.store.mail.expunge(from, UidSet.of(1), 'all')
    return server.store.mail.copy(from, ...args)
  }
  const said = await client.say('NOOP').then(() => client.say('COPY 1:2 Sent'))
  expect(said).toEqual(['* 1 EXPUNGE', '* 1 RECENT', expect.stringMatching(/^x NO \[EXPUNGEISSUED\] /)])
  expect((await server.mailbox('Sent')).messages).toBe(0)
  expect(await client.say('UID COPY 1:2 Sent')).toEqual([expect.stringMatching(/^x OK \[COPYUID \d+ 2 1\] /)])
})

test('MOVE by number said OK when another session expunged a message just before', async () => {
  await begin()
  await selectInbox()
  await server.deliver('INBOX', sampleMessage('simple'))
  mail.move = async (from, ...args) => {
    await server.store.mail.expunge(from, UidSet.of(1), 'all')
    return server.store.mail.move(from, ...args)
  }
  await client.say('NOOP')
  expect(await client.say('MOVE 1:2 Sent')).toEqual([
    expect.stringMatching(/^\* OK \[COPYUID \d+ 2 1\] /),
    '* 1 EXPUNGE',
    '* 1 EXPUNGE',
    '* 0 RECENT',
    expect.stringMatching(/^x NO \[EXPUNGEISSUED\] /),
  ])
  expect((await server.mailbox('Sent')).messages).toBe(1)
})

test('MOVE that failed when some had been moved told their EXPUNGE without COPYUID', async () => {
  await begin()
  await selectInbox()
  await server.deliver('INBOX', sampleMessage('simple'))
  mail.move = async (from, _, to) => ({
    ...(await server.store.mail.move(from, UidSet.of(1), to)),
    failure: new StoreError('over-quota', 'There is no room.'),
  })
  await client.say('NOOP')
  expect(await client.say('UID MOVE 1:2 Sent')).toEqual([
    expect.stringMatching(/^\* OK \[COPYUID \d+ 1 1\] /),
    '* 1 EXPUNGE',
    '* 1 RECENT',
    expect.stringMatching(/^x NO \[OVERQUOTA\] /),
  ])
})

/** The first message, of two whose bodies are read as large ones are, is expunged as a body is read for the nth time. */
async function expungedAtReading(nth: number): Promise<void> {
  await begin()
  await selectInbox()
  await server.deliver('INBOX', sampleMessage('simple'))
  await client.say('NOOP')
  const { fetch, readBody } = mail
  const { id } = await server.mailbox('INBOX')
  let readings = 0
  mail.fetch = async function* (...args) {
    for await (const page of fetch(...args)) yield page.map(({ body: _, ...row }) => row)
  }
  mail.readBody = async function* (...args) {
    if (++readings === nth) await server.store.mail.expunge(id, UidSet.of(1), 'all')
    yield* readBody(...args)
  }
}

const gone = 'x OK [EXPUNGEISSUED] Some of the messages are gone'
const bodyItems = ['BODY.PEEK[]', 'BODY.PEEK[TEXT]', 'BODY.PEEK[1]<0.5>', 'BINARY.PEEK[1]', 'BINARY.SIZE[1]']

test.each(bodyItems)(
  'FETCH %s said that the server had failed when the message was expunged before it was read',
  async (item) => {
    await expungedAtReading(1)
    const said = await client.say(`FETCH 1:2 (UID ${item})`)
    expect(said).toEqual([expect.stringMatching(/^\* 2 FETCH \(UID 2 B.*\)$/s), gone])
    expect(await client.say('NOOP')).toEqual(['* 1 EXPUNGE', '* 1 RECENT', 'x OK NOOP completed'])
  },
)

test.each([...bodyItems.map((item) => [item, 2] as const), ['BINARY.PEEK[1]', 3] as const])(
  'FETCH %s ended the connection when the message was expunged after it was found readable: reading %i',
  async (item, nth) => {
    await expungedAtReading(nth)
    const said = await client.say(`FETCH 1:2 (UID ${item} FLAGS)`)
    expect(said).toEqual([
      expect.stringMatching(/^\* 1 FETCH \(UID 1 B\S+ (?:NIL|0) FLAGS \([^)]*\)\)$/),
      expect.stringMatching(/^\* 2 FETCH \(UID 2 B.*\)$/s),
      gone,
    ])
    expect(await client.say('NOOP')).toEqual(['* 1 EXPUNGE', '* 1 RECENT', 'x OK NOOP completed'])
  },
)

test.each([
  ['URLFETCH "URL"', 1, ' NIL'],
  ['URLFETCH "URL"', 2, ' NIL'],
  ['URLFETCH ("URL" BODY)', 1, ' NIL'],
  ['URLFETCH ("URL" BODY)', 2, ' (BODY NIL)'],
  ['URLFETCH ("URL" BINARY)', 1, ' NIL'],
  ['URLFETCH ("URL" BINARY)', 2, ' (BINARY NIL)'],
])('%s ended the connection, or said that the server had failed: expunged at reading %i', async (command, nth, nil) => {
  await expungedAtReading(nth)
  const rump = 'imap://alice%40one.test@x/INBOX/;UID=1/;SECTION=TEXT;URLAUTH=authuser'
  const [, url = ''] = /"(.*)"/.exec((await client.say(`GENURLAUTH "${rump}" INTERNAL`)).join()) ?? []
  expect(await client.say(command.replace('URL"', `${url}"`))).toEqual([
    `* URLFETCH "${url}"${nil}`,
    '* 1 EXPUNGE',
    '* 1 RECENT',
    'x OK URLFETCH completed',
  ])
})

test('LIST and ESEARCH said NO when one of their mailboxes was deleted before it was looked into', async () => {
  await begin()
  await server.createMailbox('Gone')
  await server.deliver('Gone', sampleMessage('simple'), ['\\Deleted'])
  const { search } = server.store.mail
  mail.search = async (...args) => {
    await server.store.mail.deleteMailbox((await server.account()).id, 'Gone').catch(() => {})
    return search(...args)
  }
  expect(await client.say('LIST "" (Gone Sent) RETURN (STATUS (DELETED-STORAGE))')).toEqual([
    '* LIST (\\HasNoChildren) "/" Gone',
    '* LIST (\\HasNoChildren \\Sent) "/" Sent',
    '* STATUS Sent (DELETED-STORAGE 0)',
    'x OK LIST completed',
  ])
  await server.createMailbox('Gone')
  await server.deliver('Sent', sampleMessage('simple'))
  expect(await client.say('ESEARCH IN (mailboxes (Gone Sent)) ALL')).toEqual([
    expect.stringMatching(/^\* ESEARCH \(TAG "x" MAILBOX Sent UIDVALIDITY \d+\) UID ALL 1$/),
    'x OK ESEARCH completed',
  ])
})

test('while what bears an EMAILID is looked for: the rest is not read', async () => {
  await begin()
  await selectInbox()
  const { promise, resolve } = Promise.withResolvers<void>()
  found = promise
  client.send(Buffer.from('a SEARCH EMAILID M1-0\r\n'))
  await expect.poll(() => fetched?.aborted).toBe(false)
  ;(client.stream as DuplexEnd).resetAndDestroy()
  await expect.poll(() => fetched?.aborted).toBe(true)
  resolve()
})

test('while what DELETED-STORAGE would free is counted: the rest is not read', async () => {
  await begin()
  await selectInbox()
  client.send(Buffer.from('a STATUS INBOX (DELETED-STORAGE)\r\n'))
  await expect.poll(() => [searched, fetched]).toEqual([expect.any(AbortSignal), expect.any(AbortSignal)])
  ;(client.stream as DuplexEnd).resetAndDestroy()
  await expect.poll(() => [searched?.aborted, fetched?.aborted]).toEqual([true, true])
})

test('while its password is checked: no place of the account stays taken', async () => {
  server = await TestServer.start()
  server.sessionsPerAccount = 1
  const account = await server.account()
  const checked = Promise.withResolvers<void>()
  server.options.authenticator = {
    mechanisms: [],
    scramSalt: () => ({ salt: Buffer.alloc(0), iterations: 1 }),
    async authenticate() {
      await checked.promise
      return { ok: true, account, actor: account }
    },
  }
  client = server.connect()
  await client.response()
  client.send(Buffer.from(`x LOGIN alice ${password}\r\n`))
  await new Promise((resolve) => setImmediate(resolve))
  ;(client.stream as DuplexEnd).resetAndDestroy()
  await expect.poll(() => server.service.sessions).toBe(0)
  checked.resolve()
  await new Promise((resolve) => setImmediate(resolve))
  const next = server.connect()
  await next.response()
  next.send(Buffer.from(`x LOGIN alice ${password}\r\n`))
  expect(await next.response()).toMatch(/^x OK/)
})

test('while NOTIFY reads the mailboxes: nothing is watched for it any more', async () => {
  await begin()
  let watches = 0
  const watch = mail.watch.bind(mail)
  mail.watch = (account, onChange) => {
    watches++
    const watching = watch(account, onChange)
    return {
      [Symbol.dispose]() {
        watches--
        watching[Symbol.dispose]()
      },
    }
  }
  const { promise, resolve } = Promise.withResolvers<void>()
  found = promise
  client.send(Buffer.from('a NOTIFY SET (PERSONAL (MessageNew MessageExpunge))\r\n'))
  await expect.poll(() => watches).toBe(1)
  ;(client.stream as DuplexEnd).resetAndDestroy()
  await expect.poll(() => server.service.sessions).toBe(0)
  resolve()
  await expect.poll(() => watches).toBe(0)
})

test('while IDLE reads what has come: nothing waits for its DONE', async () => {
  await begin()
  await selectInbox()
  const changesSince = mail.changesSince.bind(mail)
  const read = Promise.withResolvers<void>()
  let asked = 0
  mail.changesSince = async (...args) => {
    asked++
    await read.promise
    return changesSince(...args)
  }
  await server.deliver('INBOX', sampleMessage('simple'))
  client.send(Buffer.from('a IDLE\r\n'))
  await expect.poll(() => asked).toBeGreaterThan(0)
  ;(client.stream as DuplexEnd).resetAndDestroy()
  await expect.poll(() => server.service.sessions).toBe(0)
  read.resolve()
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(server.time.nextTimerAt()).toBeUndefined()
})
