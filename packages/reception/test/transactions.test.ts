/** What a transaction leaves behind it: in the journey, and in the queue. */
import type { SettledFacts } from '@pennypost/mda'
import { type FlowEvent, type JourneyId, type Log, silentLog } from '@pennypost/model'
import { expect, test } from 'vitest'
import { defaultReceptionLimits } from '../src/index.ts'
import { testReception, turns } from './test-reception.ts'

/** `told`: what senders were to be told of what was settled at once. */
async function tellingReception() {
  const told: SettledFacts[] = []
  const world = await testReception({
    settledNotices: async (facts) => {
      told.push(facts)
      return { accept: [], flow: [] }
    },
  })
  return { told, world }
}

test('what a relay said of one message was believed of the next', async () => {
  const world = await testReception({ xclient: ['192.0.2.0/24'] })
  const client = world.connect()
  client.say('EHLO relay.test\r\n', 'XFORWARD ADDR=203.0.113.1 HELO=far.test\r\n')
  for (let nth = 0; nth < 2; nth++) {
    client.say('MAIL FROM:<a@two.test>\r\nRCPT TO:<bob@one.test>\r\n', `BDAT 14 LAST\r\nSubject: x${nth}\r\n\r\n`)
  }
  await client.until(/queued as[\s\S]*queued as/)
  const journeys = await world.store.flow.recent(2)
  const events: FlowEvent[] = []
  for (const id of journeys) events.push(...((await world.store.flow.journey(id))?.events ?? []))
  const peers = events.flatMap((event) => (event.kind === 'received' ? [`${event.peer} ${event.helo}`] : []))
  expect(peers.toSorted()).toEqual(['192.0.2.7 relay.test', '203.0.113.1 far.test'])
})

test('the journey said of a client whose address its proxy does not know that it was this machine', async () => {
  const world = await testReception({ xclient: ['192.0.2.0/24'] })
  const client = world.connect()
  client.say('EHLO proxy.test\r\nXCLIENT ADDR=[UNAVAILABLE]\r\nEHLO client.test\r\n')
  client.say('MAIL FROM:<a@two.test>\r\nRCPT TO:<bob@one.test>\r\nBDAT 14 LAST\r\nSubject: x\r\n\r\n')
  await client.until(/queued as/)
  const [journey] = await world.store.flow.recent(1)
  const events = (await world.store.flow.journey(journey!))?.events
  expect(events?.[0]).toMatchObject({ kind: 'received', peer: 'unknown', helo: 'client.test' })
})

test('the journey of a refused recipient said this machine, or the relay, of who was behind it', async () => {
  const world = await testReception({ xclient: ['192.0.2.0/24'] })
  const peers = async (...lines: string[]) => {
    const client = world.connect()
    client.say('EHLO proxy.test\r\n', ...lines, 'MAIL FROM:<a@two.test>\r\nRCPT TO:<nobody@one.test>\r\n')
    await client.until(/^550 /m)
    return newest(world)
  }
  const refused = { kind: 'refused', forwardPath: 'nobody@one.test' }
  expect(await peers('XCLIENT ADDR=[UNAVAILABLE]\r\nEHLO client.test\r\n')).toMatchObject([
    { ...refused, peer: 'unknown' },
  ])
  await world.clock.advance(1)
  expect(await peers('XFORWARD ADDR=203.0.113.1\r\n')).toMatchObject([{ ...refused, peer: '203.0.113.1' }])
})

test('a recipient that was refused for how it is written, or for what stands behind it, left no journey', async () => {
  const world = await testReception()
  const client = world.connect()
  client.say('EHLO client.test\r\n')
  for (const [path, reply] of [
    ['<bob@one.test.>', /^501 5\.1\.3 /],
    ['<bob@one.test> NOTIFY=EVER', /^501 5\.5\.4 /],
    // Of it, only the name was told.
    ['Bob <bob@one.test> NOTIFY=EVER', /^501 5\.5\.4 /],
  ] as const) {
    await world.clock.advance(1)
    client.say(`MAIL FROM:<a@two.test>\r\nRCPT TO:${path}\r\nRSET\r\n`)
    await client.until(/^250 2\.0\.0 /m)
    const forwardPath = /<(.*)>/.exec(path)?.[1]
    const refused = { kind: 'refused', forwardPath, peer: '192.0.2.7', reversePath: 'a@two.test' }
    expect(await newest(world)).toMatchObject([{ ...refused, reply: expect.stringMatching(reply) }])
  }
})

test('the journey of refused content did not tell what the client called itself', async () => {
  const world = await testReception()
  const client = world.connect()
  await client.beginData()
  client.say('Subject: x\0\r\n\r\n.\r\n')
  await client.until(/^550 5\.6\.0 /m)
  const [journey] = await world.store.flow.recent(1)
  const events = (await world.store.flow.journey(journey!))?.events
  expect(events).toMatchObject([{ kind: 'received', peer: '192.0.2.7', helo: 'client.test' }, { kind: 'refused' }])
})

test('a sender who wants to hear nothing heard of a member of the list whose mailbox stays full', async () => {
  const world = await testReception()
  const { directory } = world.store
  await directory.addAccount({ login: 'full@one.test', name: '', quota: 1, admin: false }, 0)
  await directory.putAlias({ address: 'all@one.test', targets: ['bob@one.test', 'full@one.test'] })
  const client = world.connect()
  const asked = ['NOTIFY=NEVER', 'NOTIFY=SUCCESS,DELAY ORCPT=rfc822;we@two.test', '']
  client.say('EHLO client.test\r\n')
  for (const parameters of asked) {
    client.say(`MAIL FROM:<a@two.test> SIZE=100\r\nRCPT TO:<all@one.test> ${parameters}\r\nBDAT 14 LAST\r\n`)
    client.say('Subject: x\r\n\r\n')
  }
  await client.until(/(queued as[\s\S]*){3}/)
  const queued: unknown[] = []
  for await (const page of world.store.queue.list({})) {
    for (const { recipients } of page) queued.push(...recipients.map(({ notify, orcpt }) => [notify, orcpt]))
  }
  expect(queued).toEqual([
    [['NEVER'], undefined],
    [['DELAY'], 'rfc822;we@two.test'],
    [undefined, undefined],
  ])
})

test('a list of thousands was kept for each form of its name that one transaction had', async () => {
  const world = await testReception({ limits: { ...defaultReceptionLimits, deliveries: 100 } })
  const listOf = (size: number) => Array.from({ length: size }, (_, at) => `${at}@two.test`)
  await world.store.directory.putAlias({ address: 'list@one.test', targets: listOf(50) })
  await world.store.directory.putAlias({ address: 'all@one.test', targets: listOf(200) })
  const client = world.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<a@far.test>\r\n')
  for (const name of ['list', 'all', 'list+1', 'list+2', 'bob']) client.say(`RCPT TO:<${name}@one.test>\r\n`)
  client.say('RSET\r\nMAIL FROM:<a@far.test>\r\nRCPT TO:<all@one.test>\r\nRCPT TO:<bob@one.test>\r\nQUIT\r\n')
  const said = await client.until(/^221 /m)
  expect(said.slice(2, -1).map((line) => line.slice(0, 9))).toEqual([
    '250 2.1.0',
    '250 2.1.5',
    '452 4.5.3',
    '250 2.1.5',
    '452 4.5.3',
    '452 4.5.3',
    '250 2.0.0',
    '250 2.1.0',
    '250 2.1.5',
    '452 4.5.3',
  ])
})

test('a letter for two aliases that lead to one address elsewhere, and for that address, left for it three times', async () => {
  const world = await testReception()
  const { directory, queue } = world.store
  await directory.addDomain({ name: 'far.test', kind: 'relay', target: 'inside.test', catchAll: '' })
  for (const address of ['a@one.test', 'b@one.test']) await directory.putAlias({ address, targets: ['x@far.test'] })
  const client = world.connect()
  client.say('EHLO client.test\r\n')
  for (const rcpts of [
    ['<a@one.test>', '<b@one.test>', '<x@FAR.test>'],
    ['<x@far.test> NOTIFY=NEVER', '<x@far.test>'],
    ['<a@one.test> NOTIFY=NEVER', '<b@one.test> NOTIFY=NEVER ORCPT=rfc822;b@one.test'],
    ['<a@one.test> ORCPT=rfc822;a@one.test', '<b@one.test> NOTIFY=SUCCESS ORCPT=rfc822;b@one.test', '<x@far.test>'],
    ['<a@one.test>', '<b@one.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b@one.test', '<x@far.test> NOTIFY=DELAY'],
  ]) {
    client.say('MAIL FROM:<a@two.test>\r\n', ...rcpts.map((rcpt) => `RCPT TO:${rcpt}\r\n`))
    client.say('BDAT 14 LAST\r\nSubject: x\r\n\r\n')
  }
  await client.until(/(queued as[\s\S]*){5}/)
  const queued: unknown[] = []
  for await (const page of queue.list({})) {
    for (const { recipients } of page) queued.push(recipients.map(({ notify, orcpt, also }) => [notify, orcpt, also]))
  }
  const b = 'rfc822;b@one.test'
  expect(queued).toEqual([
    [[undefined, undefined, undefined]],
    [[undefined, undefined, undefined]],
    [[['NEVER'], undefined, undefined]],
    [[['FAILURE', 'DELAY', 'SUCCESS'], 'rfc822;a@one.test', [{ notify: ['SUCCESS'], orcpt: b }]]],
    [[['FAILURE', 'DELAY', 'SUCCESS'], b, undefined]],
  ])
})

test('a sender was told that a letter was delivered to a mailbox that was full, while it waited for room', async () => {
  const { told, world } = await tellingReception()
  const { directory } = world.store
  const targets = ['x@far.test', 'full@one.test', 'full2@one.test']
  for (const login of targets.slice(1)) await directory.addAccount({ login, name: '', quota: 1, admin: false }, 0)
  await directory.putAlias({ address: 'all@one.test', targets })
  const client = world.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<a@two.test> SIZE=100\r\nRCPT TO:<all@one.test> NOTIFY=SUCCESS\r\n')
  client.say('BDAT 14 LAST\r\nSubject: x\r\n\r\n')
  await client.until(/queued as/)
  expect(told).toEqual([])
  const queued: unknown[] = []
  for await (const page of world.store.queue.list({})) {
    for (const { route, recipients } of page) queued.push([route, ...recipients.map(({ notify }) => notify)])
  }
  // The first that is filed tells for all.
  expect(queued).toEqual(
    expect.arrayContaining([
      ['remote', ['SUCCESS']],
      ['local', ['SUCCESS'], ['NEVER']],
    ]),
  )
})

test('the sender of a letter that was taken did not hear of the recipient whose loop was left out', async () => {
  const { told, world } = await tellingReception()
  const { directory } = world.store
  await directory.putAlias({ address: 'away@one.test', targets: ['bob@far.test'] })
  const client = world.connect()
  client.say('EHLO client.test\r\n')
  for (const [from, notify] of [
    ['a@two.test', ''],
    ['a@two.test', ' NOTIFY=NEVER'],
    ['', ''],
  ]) {
    client.say(`MAIL FROM:<${from}>\r\nRCPT TO:<bob@one.test>\r\nRCPT TO:<away@one.test>${notify}\r\n`)
    client.say('BDAT 31 LAST\r\nDelivered-To: away@one.test\r\n\r\n')
  }
  await client.until(/(queued as[\s\S]*){3}/)
  expect(await world.messages()).toBe(3)
  const diagnostic = '554 5.4.6 mail loop: already forwarded for <away@one.test>'
  const recipient = { forwardPath: 'away@one.test', orcpt: undefined, refusal: { status: '5.4.6', diagnostic } }
  expect(told).toMatchObject([{ reversePath: 'a@two.test', recipients: [recipient] }])
})

test('the journey had no word that the sender of what was left out could not be told', async () => {
  const world = await testReception({
    settledNotices: async ({ journey, acceptedAt: at }) => {
      return { accept: [], flow: [{ journey, at, kind: 'dsn', action: 'failed', to: '', dsn: '' }] }
    },
  })
  await world.store.directory.putAlias({ address: 'away@one.test', targets: ['bob@far.test'] })
  const client = world.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<a@two.test>\r\nRCPT TO:<bob@one.test>\r\nRCPT TO:<away@one.test>\r\n')
  client.say('BDAT 31 LAST\r\nDelivered-To: away@one.test\r\n\r\n')
  const said = (await client.until(/queued as \S+/)).join('')
  const [, id = ''] = /queued as (\S+)/.exec(said) ?? []
  const events = (await world.store.flow.journey(id as JourneyId))?.events ?? []
  expect(events.filter(({ kind }) => kind === 'dsn')).toMatchObject([{ action: 'failed', to: '' }])
})

test('a refused message was found neither by its Message-ID nor by who had sent it', async () => {
  const world = await testReception()
  const client = world.connect()
  await client.beginData()
  client.say('Message-ID: <m1@two.test>\r\nSubject: x\0\r\n\r\n.\r\n')
  await client.until(/^550 5\.6\.0 /m)
  const [content] = await world.store.flow.findByMessageId('m1@two.test', 10)
  expect((await world.store.flow.journey(content!))?.events[0]).toMatchObject({ kind: 'received', size: 42 })
  client.say('MAIL FROM:<a@two.test>\r\nRCPT TO:<nobody@one.test>\r\nQUIT\r\n')
  await client.until(/^221 /m)
  const journeys = await world.store.flow.recent(2)
  const recipient = await world.store.flow.journey(journeys.find((id) => id !== content)!)
  const said = { forwardPath: 'nobody@one.test', peer: '192.0.2.7', reversePath: 'a@two.test' }
  expect(recipient?.events).toMatchObject([{ kind: 'refused', reply: expect.stringMatching(/^550 5\.1\.1 /), ...said }])
})

test('a long name in a From without an address became one line, longer than others take', async () => {
  const headers: string[] = []
  const sign = async ({ header }: { header: Buffer }) => {
    headers.push(header.toString())
    return ''
  }
  const host = await testReception({ sign })
  const account = await host.store.directory.accountByLogin('bob@one.test')
  if (account) host.options.trusted = new Map([['192.0.2.7', account]])
  const client = host.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<bob@one.test>\r\nRCPT TO:<bob@one.test>\r\nDATA\r\n')
  await client.until(/^354 /m)
  client.say(`From: ${'Gr\xc3\xbc\xc3\x9fe\r\n '.repeat(300)}x\r\n\r\nhello\r\n.\r\n`)
  await client.until(/^250 .*queued as/m)
  expect(Math.max(...(headers[0] ?? '').split('\r\n').map((line) => line.length))).toBeLessThan(200)
  expect(headers[0]).toContain('<bob@one.test>')
})

test.each([
  ['away@bücher.test', 'for <away@xn--bcher-kva.test>;'],
  ['jürg@one.test', 'id '],
])('our own Received field made mail for %s need SMTPUTF8 wherever it went', async (path, words) => {
  const world = await testReception()
  const { directory, mail, queue } = world.store
  await directory.addDomain({ name: 'xn--bcher-kva.test', kind: 'alias', target: 'one.test', catchAll: '' })
  for (const address of ['away@one.test', 'jürg@one.test'])
    await directory.putAlias({ address, targets: ['a@three.test'] })
  const client = world.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<a@two.test> SMTPUTF8 BODY=8BITMIME\r\n')
  client.say(Buffer.from(`RCPT TO:<${path}>\r\nBDAT 14 LAST\r\nSubject: x\r\n\r\n`))
  await client.until(/queued as/)
  for await (const [entry] of queue.list({})) {
    const received = String((await mail.message(entry!.message))?.header).match(/^Received: [^;]*;/m)?.[0]
    expect(received).toMatch(/^[\x00-\x7f]*$/)
    expect(received).toContain(words)
  }
  expect.assertions(2)
})

test('mail that was asked about at the same time went together far beyond the quota', async () => {
  const world = await testReception()
  const { directory } = world.store
  const { id } = (await directory.accountByLogin('bob@one.test'))!
  await directory.updateAccount(id, { quota: 10 })
  const deliver = async (forwardPath: string) => {
    const client = world.connect()
    client.say(`EHLO client.test\r\nMAIL FROM:<a@two.test>\r\nRCPT TO:<${forwardPath}>\r\n`)
    await client.until(/^250 2\.1\.5 /m)
    return client
  }
  const all = [await deliver('bob@one.test'), await deliver('bob@one.test'), await deliver('postmaster@one.test')]
  const replies = [/^250 2\.0\.0 .*queued as/m, /^452 4\.2\.2 /m, /^250 2\.0\.0 .*queued as/m]
  for (const [at, client] of all.entries()) {
    client.say('BDAT 14 LAST\r\nSubject: x\r\n\r\n')
    await client.until(replies[at]!)
  }
  expect(await world.messages()).toBe(2)
})

test.each(['carol@one.test', 'away@one.test'])(
  'mail that was for %s too went together far beyond a quota',
  async (other) => {
    const world = await testReception()
    const { directory, queue } = world.store
    const carol = { login: 'carol@one.test', name: '', quota: 0, admin: false }
    const { id } = await directory.addAccount(carol, 0)
    await directory.putAlias({ address: 'away@one.test', targets: ['a@three.test'] })
    await directory.updateAccount(world.account, { quota: 10 })
    const clients = [world.connect(), world.connect()]
    for (const client of clients) {
      client.say('EHLO client.test\r\nMAIL FROM:<a@two.test>\r\n')
      client.say(`RCPT TO:<${other}>\r\nRCPT TO:<bob@one.test>\r\n`)
      await client.until(/(250 2\.1\.5 [\s\S]*){2}/)
    }
    for (const client of clients) {
      client.say('BDAT 14 LAST\r\nSubject: x\r\n\r\n')
      await client.until(/^(250 2\.0\.0 .*queued as|452 4\.2\.2 )/m)
    }
    expect(clients.map((client) => client.replies().at(-1)?.slice(0, 9))).toEqual(['250 2.0.0', '452 4.2.2'])
    const { messages } = await directory.usage(id)
    const { due } = await queue.counts(world.clock.now())
    expect([await world.messages(), messages, due]).toEqual([
      1,
      other === carol.login ? 1 : 0,
      other === carol.login ? 0 : 1,
    ])
  },
)

test('the copies in Sent went beyond the quota of who sent them', async () => {
  const world = await testReception({ trusted: new Map() })
  const { directory } = world.store
  await directory.updateAccount(world.account, { quota: 100, copySent: true })
  const account = (await directory.accountByLogin('bob@one.test'))!
  world.options.trusted = new Map([['192.0.2.7', account]])
  const clients = [world.connect(), world.connect(), world.connect()]
  for (const client of clients.slice(0, 2)) {
    client.say('EHLO client.test\r\nMAIL FROM:<bob@one.test> SIZE=99\r\nRCPT TO:<a@two.test>\r\nDATA\r\n')
    await client.until(/^354 /m)
  }
  for (const client of clients.slice(0, 2)) {
    client.say(`From: bob@one.test\r\n\r\n${'x'.repeat(100)}\r\n.\r\n`)
    await client.until(/^(250 2\.0\.0 .*queued as|452 4\.2\.2 )/m)
  }
  expect(clients[1]!.replies().at(-1)).toMatch(/^452 4\.2\.2 /)
  expect((await directory.usage(account.id)).messages).toBe(1)
  clients[2]!.say('EHLO client.test\r\nMAIL FROM:<bob@one.test>\r\n')
  await clients[2]!.until(/^552 5\.2\.2 /m)
})

const asked = { smtpUtf8: false, requireTls: false, autoSubmitted: false }

test.each([
  ['', 'Auto-Submitted: no', asked],
  ['', 'TLS-Required: yes', asked],
  [' RET=HDRS ENVID=a+2Bb', 'Precedence: first-class', { ...asked, ret: 'HDRS', envid: 'a+b' }],
  ['', 'Auto-Submitted: auto-replied', { ...asked, autoSubmitted: true }],
  ['', 'Precedence: bulk', { ...asked, autoSubmitted: true }],
  ['', 'List-Id: <list.two.test>', { ...asked, autoSubmitted: true }],
  ['', 'TLS-Required: No', { ...asked, tlsOptional: true }],
])(
  'what the client asks for with "%s", and the message with %s, is kept for what goes on',
  async (parameters, field, kept) => {
    const world = await testReception()
    await world.store.directory.putAlias({ address: 'away@one.test', targets: ['a@three.test'] })
    const client = world.connect()
    client.say(`EHLO client.test\r\nMAIL FROM:<bob@one.test>${parameters}\r\nRCPT TO:<away@one.test>\r\nDATA\r\n`)
    await client.until(/^354 /m)
    client.say(`${field}\r\n\r\nhello\r\n.\r\n`)
    await client.until(/queued as/)
    const pages = await Array.fromAsync(world.store.queue.list({}))
    expect(pages.flat().map(({ envelope }) => envelope)).toEqual([{ reversePath: 'bob@one.test', ...kept }])
  },
)

test('a message that was refused for its size had none in its journey', async () => {
  const world = await testReception({ limits: { ...defaultReceptionLimits, messageSize: 1000 } })
  const client = world.connect()
  await client.beginData()
  client.say(`Subject: x\r\n\r\n${'x'.repeat(2000)}\r\n.\r\n`)
  await client.until(/^552 5\.3\.4 /m)
  const [journey] = await world.store.flow.recent(1)
  expect((await world.store.flow.journey(journey!))?.events[0]).toMatchObject({ kind: 'received', size: 2016 })
})

/** The newest journey. */
async function newest({ store }: Awaited<ReturnType<typeof testReception>>): Promise<readonly FlowEvent[] | undefined> {
  await turns()
  const [journey] = await store.flow.recent(1)
  return journey && (await store.flow.journey(journey))?.events
}

test('mail whose sender was refused could not be looked up', async () => {
  const world = await testReception()
  const client = world.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<a@two.test> SIZE=99999999999\r\n')
  const [reply] = (await client.until(/^552 /m)).slice(-1)
  const refused = { kind: 'refused', reply, peer: '192.0.2.7', reversePath: 'a@two.test' }
  expect(await newest(world)).toMatchObject([refused])
})

test('nothing in the log told why a device without login could not send', async () => {
  const lines: unknown[] = []
  const log: Log = { ...silentLog, info: (facts, text) => void lines.push({ ...facts, text }), child: () => log }
  const world = await testReception({ log, requireAuth: () => true }, 'submission')
  const client = world.connect()
  client.say('EHLO scanner\r\nMAIL FROM:<scanner@one.test>\r\nRCPT TO:<bob@one.test>\r\n')
  const [reply] = (await client.until(/^530 [\s\S]*^530 /m)).slice(-1)
  expect(lines).toEqual([{ remote: '192.0.2.7', argument: 'FROM:<scanner@one.test>', reply, text: 'sender refused' }])
})

const breaks: [
  how: string,
  reply: RegExp,
  breakOff: (world: Awaited<ReturnType<typeof testReception>>) => Promise<void>,
][] = [
  ['the client leaves', /^451 4\.4\.2 The session ended before/, async () => {}],
  ['it is too slow', /^421 4\.4\.2 /, ({ waits }) => waits.advance(3600_000)],
]

test.each(breaks)('nothing told of content that broke off: %s', async (_, reply, breakOff) => {
  const world = await testReception()
  const client = world.connect()
  await client.beginData()
  client.say('Subject: x\r\n\r\nabc')
  await turns()
  await breakOff(world)
  client.stream.end()
  const received = { kind: 'received', reversePath: 'a@two.test', forwardPaths: ['bob@one.test'] }
  expect(await newest(world)).toMatchObject([received, { kind: 'refused', reply: expect.stringMatching(reply) }])
})

test('nothing told of a chunk that could not be kept', async () => {
  const world = await testReception()
  const { mail } = world.store
  const stage = mail.stage.bind(mail)
  mail.stage = (room) => Object.assign(stage(room), { write: () => Promise.reject(new Error('EIO')) })
  const client = world.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<a@two.test>\r\nRCPT TO:<bob@one.test>\r\nBDAT 5\r\nSubje')
  await client.until(/^451 /m)
  expect(await newest(world)).toMatchObject([{ kind: 'received' }, { kind: 'refused' }])
})

test('a journey went back in time where a recipient had been refused before the content came', async () => {
  const world = await testReception()
  const client = world.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<a@two.test>\r\n')
  await client.until(/^250 2\.1\.0 /m)
  await world.clock.advance(1000)
  client.say('RCPT TO:<nobody@one.test>\r\nRCPT TO:<bob@one.test>\r\nDATA\r\n')
  await client.until(/^354 /m)
  await world.clock.advance(1000)
  client.say('Subject: x\r\n\r\n.\r\n')
  await client.until(/queued as/)
  const times = (await newest(world))?.map(({ kind, at }) => [kind, at])
  expect(times).toEqual([
    ['refused', world.clock.now() - 1000],
    ['received', world.clock.now()],
    ['filed', world.clock.now()],
  ])
})
