/** Checks of strangers' mail: what is slow, what is gone, what may not be passed on. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStaticResolver, zone } from '@pennypost/dns'
import {
  createChecker,
  createSigner,
  defaultPolicy,
  dkimRecords,
  generateKeys,
  type Policy,
} from '@pennypost/message-auth'
import {
  type Account,
  type Deadline,
  type FlowEvent,
  type JourneyId,
  type Resolver,
  StoreError,
  silentLog,
  systemDeadline,
} from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { expect, onTestFinished, test } from 'vitest'
import type { ContentFilter, MailToLookAt } from '../src/filters/filter.ts'
import { defaultBudget, type InboundChecks } from '../src/index.ts'
import { testReception, turns } from './test-reception.ts'

function checksWith(resolver: Resolver, deadline: Deadline, policy: Partial<Policy> = {}): InboundChecks {
  const checker = createChecker({
    resolver,
    deadline,
    clock: virtualClock(),
    log: silentLog,
    hostname: 'mail.one.test',
    limits: { signaturesMs: 600_000, dmarcMs: 600_000, spfMs: 600_000 },
  })
  onTestFinished(() => checker[Symbol.asyncDispose]())
  return { checker, policy: { ...defaultPolicy, ...policy }, exempt: [], ownAddresses: [], ...defaultBudget }
}

/** A DNS that never answers what is asked about mail. */
const silent: Resolver = {
  query: (name, _type, signal) =>
    name.endsWith('.arpa')
      ? Promise.resolve({ status: 'nxdomain', ttlSeconds: 1, authentic: false })
      : new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error))),
}

async function eventsOf(host: Awaited<ReturnType<typeof testReception>>): Promise<FlowEvent[]> {
  const found: FlowEvent[] = []
  for (const id of await host.store.flow.recent(10)) found.push(...((await host.store.flow.journey(id))?.events ?? []))
  return found
}

const sayings = (events: FlowEvent[]): string[] =>
  events.flatMap((event) =>
    event.kind === 'finding'
      ? [`${event.check} ${event.result}`]
      : event.kind === 'verdict'
        ? [`${event.verdict} ${event.reason}`]
        : [],
  )

const content = 'From: a@two.test\r\n\r\nhello\r\n.\r\n'

test('what its author has signed is found to be signed, to the last octet of it', async () => {
  const keyDirectory = mkdtempSync(join(tmpdir(), 'pennypost-checks-'))
  onTestFinished(() => rmSync(keyDirectory, { recursive: true }))
  await generateKeys(keyDirectory, 'two.test', [{ name: 'e', algorithm: 'ed25519' }])
  const [record] = await dkimRecords(keyDirectory, 'two.test')
  const resolver = createStaticResolver([
    zone('two.test', [
      ['e._domainkey', 'TXT', record?.value ?? ''],
      ['_dmarc', 'TXT', 'v=DMARC1; p=reject'],
    ]),
  ])
  const signer = createSigner({ keyDirectory, clock: virtualClock(), log: silentLog })
  const [header, body] = ['From: a@two.test\r\n', 'hello\r\n']
  async function* octets(): AsyncIterable<Buffer> {
    yield Buffer.from(body)
  }
  const fields = await signer.sign({ domain: 'two.test', header: Buffer.from(header), body: octets })
  const host = await testReception((deadline) => ({ checks: checksWith(resolver, deadline) }))
  const client = host.connect()
  await client.beginData()
  client.say(`${fields}${header}\r\n${body}.\r\n`)
  await client.until(/^250 .*queued as/m)
  expect(sayings(await eventsOf(host))).toEqual(expect.arrayContaining(['dkim pass', 'dmarc pass', 'accept clean']))
})

test('half a minute after the dot everybody gets a reply, whatever is still to be found out', async () => {
  const host = await testReception((deadline) => ({ checks: checksWith(silent, deadline) }))
  const client = host.connect()
  await client.beginData()
  client.say(content)
  await turns()
  await host.waits.advance(29_000)
  await turns()
  expect(client.text).not.toMatch(/^250 .*queued/m)
  await host.waits.advance(1_000)
  await client.until(/^250 .*queued as/m)
  expect(sayings(await eventsOf(host))).toEqual([
    'reverse-dns permerror',
    'helo pass',
    'spf unavailable',
    'dkim none',
    'arc none',
    'dmarc unavailable',
    'accept clean',
  ])
})

test('what can change nothing is waited for five seconds only', async () => {
  const host = await testReception((deadline) => ({ checks: checksWith(silent, deadline, { dmarc: 'accept' }) }))
  const client = host.connect()
  await client.beginData()
  client.say(content)
  await turns()
  await host.waits.advance(5_000)
  await client.until(/^250 .*queued as/m)
})

test('the senders of transactions that were given up were still looked up, while others waited for DNS', async () => {
  let open = 0
  const slow: Resolver = {
    query(name, type, signal) {
      if (name.endsWith('.arpa')) return silent.query(name, type, signal)
      open++
      signal?.addEventListener('abort', () => void open--, { once: true })
      return silent.query(name, type, signal)
    },
  }
  const host = await testReception((deadline) => ({ checks: checksWith(slow, deadline) }))
  const client = host.connect()
  client.say('EHLO client.test\r\n', 'MAIL FROM:<a@two.test>\r\nRSET\r\n'.repeat(10))
  client.say('MAIL FROM:<a@two.test>\r\nRCPT TO:<bob@one.test>\r\nDATA\r\n')
  await client.until(/^354 /m)
  expect(open).toBe(1)
  client.say('a\0b\r\n.\r\n')
  await client.until(/^5\d\d .*NUL/m)
  expect(open).toBe(0)
})

test('a client that leaves during the checks has no mail here', async () => {
  const host = await testReception((deadline) => ({ checks: checksWith(silent, deadline) }))
  const client = host.connect()
  await client.beginData()
  client.say(content)
  await turns()
  client.stream.resetAndDestroy()
  await turns()
  await host.waits.advance(60_000)
  await turns()
  expect(await host.messages()).toBe(0)
  expect(host.errors).toEqual([])
})

test('a message whose client had not the patience for the checks was nowhere to be found', async () => {
  const host = await testReception((deadline) => ({ checks: checksWith(silent, deadline) }))
  const client = host.connect()
  await client.beginData()
  client.say(`Message-ID: <1@two.test>\r\n${content}`)
  await turns()
  client.stream.resetAndDestroy()
  await host.waits.advance(60_000)
  await turns()
  const [journey] = await host.store.flow.findByMessageId('1@two.test', 2)
  const events = (await host.store.flow.journey(journey!))?.events
  expect(events?.[0]).toMatchObject({ kind: 'received', reversePath: 'a@two.test', forwardPaths: ['bob@one.test'] })
  expect(events?.at(-1)).toMatchObject({
    kind: 'refused',
    reply: '451 4.4.2 The session ended before there was a reply',
  })
})

test('doubtful mail is not forwarded in our name, and not taken either', async () => {
  const resolver = createStaticResolver([zone('bank.test', [['_dmarc', 'TXT', 'v=DMARC1; p=quarantine']])])
  const host = await testReception({ checks: checksWith(resolver, systemDeadline) })
  await host.store.directory.putAlias({ address: 'out@one.test', targets: ['x@far.test'] })
  const client = host.connect()
  client.say(
    'EHLO client.test\r\nMAIL FROM:<a@two.test>\r\nRCPT TO:<out@one.test>\r\nRCPT TO:<bob@one.test>\r\nDATA\r\n',
  )
  await client.until(/^354 /m)
  client.say('From: ceo@bank.test\r\n\r\npay\r\n.\r\n')
  await client.until(/^550 5\.7\.1 .*forwarded/m)
  expect(await host.messages()).toBe(0)
  expect(sayings(await eventsOf(host))).toContain('quarantine dmarc-quarantine')
})

test('the journey of what the store could not take said nothing of the checks', async () => {
  const host = await testReception({ checks: checksWith(createStaticResolver([]), systemDeadline) })
  host.store.mail.accept = () => Promise.reject(new StoreError('no-room', 'full'))
  const client = host.connect()
  await client.beginData()
  client.say(content)
  await client.until(/^452 4\.3\.1 /m)
  await turns()
  expect(sayings(await eventsOf(host))).toEqual(expect.arrayContaining(['spf none', 'accept clean']))
})

test('in LMTP a forward of doubtful mail had it refused to everybody', async () => {
  const { filter } = stubFilter('spam', ['lmtp'])
  const checks = { ...checksWith(silent, systemDeadline), filters: [filter] }
  const host = await testReception({ checks }, 'lmtp')
  await host.store.directory.putAlias({ address: 'out@one.test', targets: ['x@far.test'] })
  const client = host.connect()
  const recipients = (...local: string[]) => local.map((name) => `RCPT TO:<${name}@one.test>\r\n`).join('')
  client.say(`LHLO client.test\r\nMAIL FROM:<a@two.test>\r\n${recipients('out', 'bob')}DATA\r\n`)
  await client.until(/^354 /m)
  client.say(content, `MAIL FROM:<a@two.test>\r\n${recipients('out')}DATA\r\n`)
  await client.until(/^354 [\s\S]*^354 /m)
  client.say(content)
  const replies = await client.until(/^550 [\s\S]*^550 /m)
  const refused = expect.stringMatching(/^550 5\.7\.1 .*forwarded/)
  const taken = expect.stringMatching(/^250 2\.0\.0 /)
  expect(replies.filter((reply) => /^(?:250 2\.0|5)/.test(reply))).toEqual([refused, taken, refused])
  expect((await host.store.mail.mailboxes(host.account)).map(({ name, messages }) => [name, messages])).toContainEqual([
    'Junk',
    1,
  ])
  expect(await eventsOf(host)).toContainEqual(expect.objectContaining({ kind: 'refused', forwardPath: 'out@one.test' }))
})

/** A filter that finds what it is told to, and remembers what it was shown. */
function stubFilter(finding: 'virus' | 'spam', services: ContentFilter['services']) {
  const shown: MailToLookAt[] = []
  const filter: ContentFilter = {
    name: 'stub',
    check: finding,
    services,
    limitMs: 1000,
    maxSize: 1000,
    async look(mail) {
      shown.push(mail)
      return finding === 'virus'
        ? { check: 'virus', result: 'infected', detail: 'stub: Worm', filter: 'stub', signature: 'Worm' }
        : { check: 'spam', result: 'quarantine', detail: 'stub: spam', filter: 'stub', text: '' }
    },
  }
  return { filter, shown }
}

test('what a virus scanner finds is refused, and it was told who brought it', async () => {
  const { filter, shown } = stubFilter('virus', ['smtp'])
  const checks = { ...checksWith(createStaticResolver([]), systemDeadline), filters: [filter] }
  const host = await testReception({ checks })
  const client = host.connect()
  await client.beginData()
  client.say(content)
  await client.until(/^550 5\.7\.1 The message has Worm/m)
  expect(shown).toMatchObject([{ service: 'smtp', clientAddress: '192.0.2.7', helo: 'client.test', account: '' }])
  expect(sayings(await eventsOf(host))).toContain('reject virus')
  const large = host.connect()
  await large.beginData()
  large.say(`${content.slice(0, -3)}${'x'.repeat(1000)}\r\n.\r\n`)
  await large.until(/^250 .*queued as/m)
  expect(shown).toHaveLength(1)
})

test('a filter that was not there was told of nowhere but in the journeys', async () => {
  const told: string[] = []
  const { filter } = stubFilter('virus', ['smtp'])
  const gone = { ...filter, look: () => Promise.reject(new Error('connect ENOENT')) }
  const filters = [{ ...gone, onUnavailable: (detail: string) => void told.push(detail) }]
  const host = await testReception({ checks: { ...checksWith(createStaticResolver([]), systemDeadline), filters } })
  const client = host.connect()
  await client.beginData()
  client.say(content)
  await client.until(/^250 .*queued as/m)
  expect(told).toEqual(['stub: connect ENOENT'])
})

test('a filter for submission looks at what accounts send, and their spam goes nowhere', async () => {
  const { filter, shown } = stubFilter('spam', ['submission'])
  const checks = { ...checksWith(createStaticResolver([]), systemDeadline), filters: [filter] }
  const trusted = new Map<string, Account>()
  const host = await testReception({ checks, trusted })
  trusted.set('192.0.2.7', (await host.store.directory.accountByLogin('bob@one.test')) as Account)
  const client = host.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<bob@one.test>\r\nRCPT TO:<x@far.test>\r\nDATA\r\n')
  await client.until(/^354 /m)
  client.say('From: bob@one.test\r\n\r\nbuy\r\n.\r\n')
  await client.until(/^550 5\.7\.1 stub: spam/m)
  expect(shown).toMatchObject([{ service: 'submission', account: 'bob@one.test', reversePath: 'bob@one.test' }])
  // Strangers' mail is not this filter's.
  const stranger = host.connect('192.0.2.8')
  await stranger.beginData()
  stranger.say(content)
  await stranger.until(/^250 .*queued as/m)
  expect(shown).toHaveLength(1)
})

test('a finding in a journey can be judged again', async () => {
  const host = await testReception({ checks: checksWith(createStaticResolver([]), systemDeadline) })
  const client = host.connect()
  await client.beginData()
  client.say(content)
  await client.until(/^250 .*queued as/m)
  const dmarc = (await eventsOf(host)).find((event) => event.kind === 'finding' && event.check === 'dmarc')
  expect(dmarc).toMatchObject({
    result: 'none',
    facts: { authorDomain: 'two.test', policy: 'none', alignment: { spf: 'no', dkim: [] } },
  })
})

test('a stranger could order notices of success for an address that is not its own', async () => {
  const told: string[] = []
  const resolver = createStaticResolver([
    zone('two.test', [['@', 'TXT', 'v=spf1 ip4:192.0.2.7 -all']]),
    zone('three.test', [['@', 'TXT', 'v=spf1 -all']]),
  ])
  const host = await testReception((deadline) => ({
    checks: checksWith(resolver, deadline),
    settledNotices: async ({ reversePath }) => {
      told.push(reversePath)
      return { accept: [], flow: [] }
    },
  }))
  const client = host.connect()
  client.say('EHLO client.test\r\n')
  for (const from of ['a@two.test', 'victim@three.test', 'victim@four.test']) {
    client.say(
      `MAIL FROM:<${from}>\r\nRCPT TO:<bob@one.test> NOTIFY=SUCCESS\r\nBDAT 20 LAST\r\nFrom: a@two.test\r\n\r\n`,
    )
  }
  const said = (await client.until(/(queued as[\s\S]*){3}/)).join('\n')
  expect(told).toEqual(['a@two.test'])
  // Nor did the journey say that nobody was told.
  const events = []
  for (const [, id] of said.matchAll(/queued as (\S+)/g)) {
    events.push((await host.store.flow.journey(id as JourneyId))?.events.filter(({ kind }) => kind === 'dsn'))
  }
  const untold = { kind: 'dsn', action: 'delivered', to: '' }
  expect(events).toMatchObject([[], [untold], [untold]])
})

test('a stranger could order a bounce for an address that is not its own, by the loop of one recipient', async () => {
  const told: [to: string, about: string[]][] = []
  const resolver = createStaticResolver([
    zone('two.test', [['@', 'TXT', 'v=spf1 ip4:192.0.2.7 -all']]),
    zone('three.test', [['@', 'TXT', 'v=spf1 -all']]),
  ])
  const host = await testReception((deadline) => ({
    checks: checksWith(resolver, deadline),
    settledNotices: async ({ reversePath, recipients }) => {
      told.push([reversePath, recipients.map(({ forwardPath }) => forwardPath)])
      return { accept: [], flow: [] }
    },
  }))
  const { directory } = host.store
  await directory.addDomain({ name: 'five.test', kind: 'local', target: '', catchAll: '' })
  const away = ['away@one.test', 'off@one.test', 'away@five.test']
  for (const address of away) await directory.putAlias({ address, targets: [`${address.replace('@', '.')}@far.test`] })
  const client = host.connect()
  client.say('EHLO client.test\r\n')
  const header = `From: a@two.test\r\n${away.map((address) => `Delivered-To: ${address}\r\n`).join('')}\r\n`
  const rcpts = ['bob@one.test', ...away].map((path) => `RCPT TO:<${path}>\r\n`).join('')
  for (const from of ['a@two.test', 'victim@three.test', 'victim@four.test']) {
    client.say(`MAIL FROM:<${from}>\r\n${rcpts}BDAT ${header.length} LAST\r\n${header}`)
  }
  await client.until(/(queued as[\s\S]*){3}/)
  const postmasters = [
    ['postmaster@one.test', away.slice(0, 2)],
    ['postmaster@five.test', away.slice(2)],
  ]
  expect(told).toEqual([['a@two.test', away], ...postmasters, ...postmasters])
  expect(await host.messages()).toBe(3)
})

test('the owner of the policy hears of what was taken and of what was refused for good, and of nothing else', async () => {
  const rows: unknown[] = []
  const resolver = createStaticResolver([
    zone('two.test', [['_dmarc', 'TXT', 'v=DMARC1; p=reject']]),
    zone('three.test', [['_dmarc', 'TXT', 'v=DMARC1; p=none']]),
  ])
  const host = await testReception((deadline) => ({
    checks: {
      ...checksWith(resolver, deadline),
      onAggregateRow: ({ domain, disposition, spf }, isReport) => rows.push([domain, disposition, spf, isReport]),
    },
  }))
  const send = async (text: string, reply: RegExp): Promise<void> => {
    const client = host.connect()
    await client.beginData()
    client.say(text)
    await client.until(reply)
  }
  await send(content, /^550 5\.7\.26/m)
  await send('From: a@three.test\r\nSubject: Report Domain: one.test\r\n\r\nhello\r\n.\r\n', /^250 .*queued as/m)
  await send('From: a@four.test\r\n\r\nhello\r\n.\r\n', /^250 .*queued as/m)
  host.store.mail.accept = () => Promise.reject(new Error('not now'))
  await send('From: a@three.test\r\n\r\nhello\r\n.\r\n', /^4\d\d /m)
  expect(rows).toEqual([
    ['two.test', 'reject', 'fail', false],
    ['three.test', 'none', 'fail', true],
  ])
})
