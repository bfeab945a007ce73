import { setImmediate } from 'node:timers/promises'
import { type Uid, UidSet } from '@pennypost/model'
import { expect, test } from 'vitest'
import { password, sampleMessage, TestServer } from './dialogue/server.ts'

test('commands are answered though events never end', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  let wake = (): void => {}
  let looks = 0
  server.options.mail = {
    ...mail,
    watch(_, onWake) {
      wake = () => onWake(undefined)
      return { [Symbol.dispose]: () => {} }
    },
    async mailboxes(account) {
      looks++
      await setImmediate()
      wake()
      return mail.mailboxes(account)
    },
  }
  const client = server.connect()
  await client.response()
  client.send(
    Buffer.from(
      [
        `a1 LOGIN alice ${password}`,
        'a2 NOTIFY SET (PERSONAL (MailboxName))',
        ...['a3 NOOP', 'a4 NOOP', 'a5 LOGOUT', ''],
      ].join('\r\n'),
    ),
  )
  const said: string[] = []
  for (let line = await client.response(); line !== undefined; line = await client.response()) said.push(line)
  expect(said.map((line) => line.slice(0, 5))).toEqual(['a1 OK', 'a2 OK', 'a3 OK', 'a4 OK', '* BYE', 'a5 OK'])
  expect(looks).toBeGreaterThan(2)
  const before = looks
  for (let turn = 0; turn < 5; turn++) await setImmediate()
  // Nobody looks any more.
  expect(looks - before).toBeLessThan(2)
  await server.stop()
})

test('a result that could not be searched was searched without end, and kept back new messages', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  let fails = false
  let searches = 0
  server.options.mail = {
    ...mail,
    async search(...args) {
      searches++
      await setImmediate()
      if (fails) throw new Error('disk')
      return mail.search(...args)
    },
  }
  const client = await server.alice(
    'SELECT INBOX',
    'NOTIFY SET (SELECTED (MessageNew (UID) MessageExpunge))',
    'SEARCH RETURN (UPDATE (RFC822.SIZE)) ALL',
    'SEARCH RETURN (UPDATE) BODY hello',
  )
  fails = true
  searches = 0
  await server.deliver('INBOX', sampleMessage('simple'))
  expect(await client.response()).toBe('* 1 EXISTS')
  expect(await client.response()).toBe('* 1 RECENT')
  expect(await client.response()).toBe('* ESEARCH (TAG "a4") ADDTO (0 1)')
  expect(await client.response()).toMatch(/^\* 1 FETCH \(UID 1 RFC822.SIZE \d+\)$/)
  for (let turn = 0; turn < 20; turn++) await setImmediate()
  expect(searches).toBe(1)
  fails = false
  await server.deliver('INBOX', sampleMessage('simple'))
  while ((await client.response()) !== '* ESEARCH (TAG "a5") ADDTO (0 1:2)');
  await server.stop()
})

test('names that could not be read are read with the next wake, not before', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  let fails = false
  let looks = 0
  server.options.mail = {
    ...mail,
    async mailboxes(account) {
      looks++
      await setImmediate()
      if (fails) throw new Error('disk')
      return mail.mailboxes(account)
    },
  }
  const client = await server.alice('NOTIFY SET (PERSONAL (MailboxName MessageNew MessageExpunge))')
  for (let turn = 0; turn < 20; turn++) await setImmediate()
  fails = true
  looks = 0
  await server.createMailbox('New')
  for (let turn = 0; turn < 20; turn++) await setImmediate()
  expect(looks).toBe(1)
  fails = false
  await server.deliver('INBOX', sampleMessage('simple'))
  expect(await client.response()).toBe('* LIST (\\HasNoChildren) "/" New')
  expect(await client.response()).toBe('* STATUS INBOX (UIDNEXT 2 MESSAGES 1)')
  await server.stop()
})

test('what comes into a new mailbox while its name is being read is told', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  let delivered = false
  server.options.mail = {
    ...mail,
    async mailboxes(account) {
      const found = await mail.mailboxes(account)
      if (!delivered && found.some(({ name }) => name === 'New')) {
        delivered = true
        await server.deliver('New', sampleMessage('simple'))
        await setImmediate()
      }
      return found
    },
  }
  const client = await server.alice('NOTIFY SET (PERSONAL (MailboxName MessageNew MessageExpunge))')
  await server.createMailbox('New')
  expect(await client.response()).toBe('* LIST (\\HasNoChildren) "/" New')
  expect(await client.response()).toBe('* STATUS New (UIDNEXT 2 MESSAGES 1)')
  await server.stop()
})

test('a COPY of very many messages is answered where NOTIFY leaves out what the session does itself', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  await server.deliver('INBOX', sampleMessage('simple'))
  const target = Array.from({ length: 200_000 }, (_, index) => (index + 1) as Uid)
  server.options.mail = {
    ...mail,
    copy: async (_, __, to) => {
      const found = await mail.mailbox(to)
      return { uidValidity: found!.uidValidity, source: UidSet.ofSorted(target), target }
    },
  }
  const client = server.connect()
  await client.response()
  const lines = [
    `a1 LOGIN alice ${password}`,
    'a2 EXAMINE INBOX',
    'a3 NOTIFY SET (PERSONAL (MessageNew MessageExpunge))',
  ]
  client.send(Buffer.from([...lines, 'a4 COPY 1 Sent', 'a5 LOGOUT', ''].join('\r\n')))
  const said: string[] = []
  for (let line = await client.response(); line !== undefined; line = await client.response()) said.push(line)
  expect(said).toContainEqual(expect.stringMatching(/^a4 OK \[COPYUID \d+ 1:200000 1:200000\]/))
  await server.stop()
})

test('a NOTIFY that came upon a result that could not be searched left what it watches behind', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  let fails = false
  let watches = 0
  server.options.mail = {
    ...mail,
    watch(...args) {
      watches++
      const watch = mail.watch(...args)
      return {
        [Symbol.dispose]() {
          watches--
          watch[Symbol.dispose]()
        },
      }
    },
    async search(...args) {
      if (fails) throw new Error('disk')
      return mail.search(...args)
    },
  }
  const client = await server.alice('SELECT INBOX', 'SEARCH RETURN (UPDATE) BODY hello')
  const before = watches
  fails = true
  await server.deliver('INBOX', sampleMessage('simple'))
  client.send(Buffer.from('x NOTIFY SET (PERSONAL (MailboxName))\r\n'))
  for (const said of ['* 1 EXISTS', '* 1 RECENT', 'x OK NOTIFY completed']) expect(await client.response()).toBe(said)
  expect(watches).toBe(before + 1)
  client.send(Buffer.from('y NOTIFY NONE\r\n'))
  expect(await client.response()).toBe('y OK NOTIFY completed')
  expect(watches).toBe(before)
  await server.stop()
})

test('a name that RENAME freed and that was given again was told before that RENAME, which took it away once more', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  const { id } = await server.account()
  let fails = false
  server.failWhile(() => fails, 'mailboxes', new Error('disk'))
  await server.createMailbox('A')
  await server.createMailbox('B')
  const client = await server.alice('NOTIFY SET (SUBTREE (A B Y) (MailboxName))')
  fails = true
  for (const [from, to] of [
    ['B', 'Y'],
    ['A', 'B'],
  ] as const)
    await mail.renameMailbox(id, from, to)
  await server.createMailbox('A')
  await setImmediate()
  fails = false
  await server.createMailbox('Other')
  expect(await client.response()).toBe('* LIST (\\HasNoChildren) "/" Y ("OLDNAME" (B))')
  expect(await client.response()).toBe('* LIST (\\HasNoChildren) "/" B ("OLDNAME" (A))')
  expect(await client.response()).toBe('* LIST (\\HasNoChildren) "/" A')
  await server.stop()
})

test.each([
  [
    ['A', 'C'],
    ['B', 'A/y'],
    ['C ("OLDNAME" (A))', 'A/y ("OLDNAME" (B))'],
  ],
  [
    ['A', 'C'],
    ['C/x', 'Y'],
    ['C ("OLDNAME" (A))', 'Y ("OLDNAME" (C/x))'],
  ],
])(
  'RENAME of %s and then of %s was told so that what lies below went to where it is not',
  async (first, second, told) => {
    const server = await TestServer.start()
    const { mail } = server.store
    const { id } = await server.account()
    let fails = false
    server.failWhile(() => fails, 'mailboxes', new Error('disk'))
    for (const name of ['B', 'A', 'A/x']) await server.createMailbox(name)
    const client = await server.alice('NOTIFY SET (SUBTREE (A B C Y) (MailboxName))')
    fails = true
    for (const [from, to] of [first, second]) await mail.renameMailbox(id, from as string, to as string)
    await setImmediate()
    fails = false
    await server.createMailbox('Other')
    for (const name of told) expect(await client.response()).toContain(`"/" ${name}`)
    await server.stop()
  },
)

test('what was set on a mailbox was never told where its annotations could not be read once', async () => {
  const server = await TestServer.start()
  const { annotations, mail } = server.store
  let fails = false
  server.options.annotations = {
    ...annotations,
    async annotationsChanged(...args) {
      if (fails) throw new Error('disk')
      return annotations.annotationsChanged(...args)
    },
  }
  // Nobody is told which mailboxes were touched: all of them are looked at.
  server.options.mail = { ...mail, watch: (account, onWake) => mail.watch(account, () => onWake(undefined)) }
  for (const name of ['A', 'B']) await server.createMailbox(name)
  const events = '(MAILBOXES (A B) (MessageNew MessageExpunge MailboxMetadataChange))'
  const [client, other] = [await server.alice(`NOTIFY SET ${events}`), await server.alice()]
  fails = true
  await server.deliver('B', sampleMessage('simple'))
  await other.say('SETMETADATA A (/private/comment "x")')
  expect(await client.response()).toBe('* STATUS B (UIDNEXT 2 MESSAGES 1)')
  for (let turn = 0; turn < 20; turn++) await setImmediate()
  expect(client.unread).toBe('')
  fails = false
  await server.deliver('B', sampleMessage('simple'))
  expect(await client.response()).toBe('* METADATA A /private/comment')
  expect(await client.response()).toBe('* STATUS B (UIDNEXT 3 MESSAGES 2)')
  await server.stop()
})

test('what another did to a name that the session itself had just made was not told', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  const { id } = await server.account()
  await server.createMailbox('A')
  let armed = false
  server.options.mail = {
    ...mail,
    async mailboxes(account) {
      if (armed) {
        armed = false
        await mail.deleteMailbox(id, 'Mine')
        await mail.renameMailbox(id, 'A', 'Mine')
      }
      return mail.mailboxes(account)
    },
  }
  const client = await server.alice('NOTIFY SET (PERSONAL (MailboxName))')
  armed = true
  await client.say('CREATE Mine')
  expect(await client.response()).toBe('* LIST (\\NonExistent) "/" Mine')
  expect(await client.response()).toBe('* LIST (\\HasNoChildren) "/" Mine ("OLDNAME" (A))')
  await server.stop()
})

test('a superior that another had deleted, and that RENAME made anew, went on with the numbers of the one before', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  const { id } = await server.account()
  for (const name of ['A', 'Box']) await server.createMailbox(name)
  await server.deliver('Box', sampleMessage('simple'))
  server.options.mail = {
    ...mail,
    async mailboxByName(account, name, viewer) {
      if (name === 'Box') await mail.deleteMailbox(id, name)
      return mail.mailboxByName(account, name, viewer)
    },
  }
  const client = await server.alice('NOTIFY SET (PERSONAL (MailboxName MessageNew MessageExpunge))')
  expect(await client.say('RENAME A Box/x')).toEqual(['x OK RENAME completed'])
  expect(await client.response()).toBe('* LIST (\\NonExistent) "/" Box')
  expect(await client.response()).toBe('* LIST (\\HasChildren) "/" Box')
  await server.stop()
})

test('who wants no names went on with the numbers of a mailbox that has another name now', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  const { id } = await server.account()
  for (const name of ['A', 'B']) await server.createMailbox(name)
  await server.deliver('A', sampleMessage('simple'))
  const client = await server.alice('NOTIFY SET (MAILBOXES (A B) (MessageNew MessageExpunge))')
  await mail.deleteMailbox(id, 'B')
  await mail.renameMailbox(id, 'A', 'B')
  const { uidValidity } = await server.mailbox('B')
  expect(await client.response()).toBe(`* STATUS B (UIDNEXT 2 MESSAGES 1 UIDVALIDITY ${uidValidity})`)
  await server.stop()
})

test('a mailbox that was made anew between two looks had the numbers of the one before', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  const { id } = await server.account()
  let fails = false
  server.failWhile(() => fails, 'mailboxes', new Error('disk'))
  await server.createMailbox('A')
  await server.deliver('A', sampleMessage('simple'))
  const client = await server.alice('NOTIFY SET (MAILBOXES A (MailboxName MessageNew MessageExpunge))')
  fails = true
  await mail.deleteMailbox(id, 'A')
  await server.createMailbox('A')
  await setImmediate()
  fails = false
  await server.createMailbox('Other')
  expect(await client.response()).toBe('* LIST (\\NonExistent) "/" A')
  expect(await client.response()).toBe('* LIST (\\HasNoChildren) "/" A')
  await server.stop()
})
