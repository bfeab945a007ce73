/** Aggregate reports of DMARC (RFC 9990): what is counted, to whom it goes, and what brings none forth. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type AggregateRow, createSigner, defaultSelectors, generateKeys } from '@pennypost/message-auth'
import { expect, test } from 'vitest'
import { day, hour, minute, PostOffice } from './post-office.ts'

const row: AggregateRow = {
  domain: 'two.test',
  sourceAddress: '192.0.2.9',
  disposition: 'pass',
  isOverridden: false,
  dkim: 'pass',
  spf: 'pass',
  headerFrom: 'two.test',
  envelopeFrom: 'two.test',
  signatures: [{ domain: 'two.test', selector: 's', result: 'pass' }],
  sender: { domain: 'two.test', result: 'pass' },
}

async function reporting(record = 'v=DMARC1; p=reject; rua=mailto:dmarc@two.test') {
  const office = await PostOffice.open({ dmarcReports: true })
  office.zone('two.test', [['_dmarc', 'TXT', record]])
  return { office, peer: office.peer('192.0.2.2') }
}

function xmlIn(content: Buffer): string {
  const [, zipped = ''] =
    /application\/gzip[\s\S]*?\r\n\r\n([A-Za-z0-9+/=\r\n]+?)--report/.exec(content.toString()) ?? []
  return gunzipSync(Buffer.from(zipped, 'base64')).toString()
}

test('a day is told once, by a mail of its own that nobody bounces', async () => {
  const { office, peer } = await reporting()
  await using _office = office
  office.relay.noteDmarc(row, false)
  await office.advance(hour)
  office.relay.noteDmarc(row, false)
  office.relay.noteDmarc(
    { ...row, sourceAddress: '192.0.2.10', disposition: 'reject', dkim: 'fail', spf: 'fail' },
    false,
  )
  await office.advance(day + 4 * hour)
  const [sent, ...more] = peer.transactions
  expect(more).toEqual([])
  expect(sent!.mail).toContain('FROM:<postmaster@one.test>')
  expect(sent!.recipients).toEqual(['TO:<dmarc@two.test> NOTIFY=NEVER'])
  const text = sent!.content.toString()
  expect(text).toMatch(
    /Subject: Report Domain: two\.test\r\n Submitter: mail\.one\.test\r\n Report-ID: <\S+@mail\.one\.test>\r\n/,
  )
  expect(text).toMatch(/ filename="mail\.one\.test!two\.test!1767225600!1767311999!\w+\.xml\.gz"\r\n/)
  expect(text).not.toContain('TLS-Required')
  const xml = xmlIn(sent!.content)
  expect([...xml.matchAll(/<source_ip>(.*)<\/source_ip>\s*<count>(.*)<\/count>/g)].map(([, ...of]) => of)).toEqual(
    expect.arrayContaining([
      ['192.0.2.9', '2'],
      ['192.0.2.10', '1'],
    ]),
  )
  await office.advance(3 * day)
  expect(peer.transactions).toHaveLength(1)
})

test('what was counted before the server ended is told by the next', async () => {
  const { office, peer } = await reporting()
  await using _office = office
  office.relay.noteDmarc(row, false)
  await office.relay.stop(0)
  await office.advance(hour)
  office.relay = office.createRelay()
  office.relay.start()
  office.relay.noteDmarc(row, false)
  await office.advance(day + 4 * hour)
  expect(xmlIn(peer.transactions[0]!.content)).toContain('<count>2</count>')
})

test('reports alone bring no report forth, and count beside other mail', async () => {
  const { office, peer } = await reporting()
  await using _office = office
  office.relay.noteDmarc(row, true)
  await office.advance(day + 4 * hour)
  expect(peer.transactions).toEqual([])
  expect(await office.store.memory.list('dmarc-row', office.clock.now(), { limit: 10 })).toEqual([])
  office.relay.noteDmarc(row, true)
  office.relay.noteDmarc(row, false)
  await office.advance(day)
  expect(xmlIn(peer.transactions[0]!.content).match(/<count>.*<\/count>/g)).toEqual(['<count>2</count>'])
})

test.each(['v=DMARC1; p=none', 'v=DMARC1; p=none; rua=mailto:dmarc@three.test', 'v=DMARC1; p=none; rua=mailto:x'])(
  '%s: nobody gets any, and nothing is kept',
  async (record) => {
    const { office, peer } = await reporting(record)
    await using _office = office
    office.relay.noteDmarc(row, false)
    await office.advance(day + 4 * hour)
    expect(peer.transactions).toEqual([])
    expect(await office.store.memory.list('dmarc-row', office.clock.now(), { limit: 10 })).toEqual([])
  },
)

test('as long as DNS does not say who wants it, it waits', async () => {
  const { office, peer } = await reporting()
  await using _office = office
  const query = office.resolver.query.bind(office.resolver)
  let isDown = true
  office.resolver.query = (async (name, type) =>
    isDown ? { status: 'failed', reason: 'timeout' } : query(name, type)) as typeof office.resolver.query
  office.relay.noteDmarc(row, false)
  await office.advance(day + 4 * hour)
  isDown = false
  await office.advance(4 * hour + minute)
  expect(peer.transactions).toHaveLength(1)
})

test('a few names whose DNS gives no answer kept the night from all others', async () => {
  const { office, peer } = await reporting()
  await using _office = office
  const query = office.resolver.query.bind(office.resolver)
  let isOthersTurn = false
  let inVain = 0
  const silence = async () => {
    for (let turn = 0; turn < 100 && !isOthersTurn; turn++) await new Promise(setImmediate)
    if (!isOthersTurn) inVain++
    return { status: 'failed', reason: 'timeout' }
  }
  office.resolver.query = (async (name, type) => {
    if (name.includes('silent')) return silence()
    isOthersTurn ||= name === '_dmarc.two.test'
    return query(name, type)
  }) as typeof office.resolver.query
  for (let i = 0; i < 5; i++) office.relay.noteDmarc({ ...row, domain: `silent${i}.test` }, false)
  office.relay.noteDmarc(row, false)
  await office.advance(day + 4 * hour)
  expect(inVain).toBe(0)
  expect(peer.transactions).toHaveLength(1)
})

test('it is signed by the domain that it comes from', async () => {
  const keyDirectory = await mkdtemp(join(tmpdir(), 'pennypost-dmarc-'))
  try {
    await using office = await PostOffice.open(({ clock, log }) => ({
      dmarcReports: true,
      signer: createSigner({ keyDirectory, clock, log }),
    }))
    await generateKeys(keyDirectory, 'one.test', defaultSelectors(office.clock.now()))
    office.zone('two.test', [['_dmarc', 'TXT', 'v=DMARC1; p=reject; rua=mailto:dmarc@two.test']])
    const peer = office.peer('192.0.2.2')
    office.relay.noteDmarc(row, false)
    await office.advance(day + 4 * hour)
    expect(peer.transactions[0]!.content.toString()).toMatch(/^DKIM-Signature: [\s\S]*? d=one\.test;/)
  } finally {
    await rm(keyDirectory, { recursive: true })
  }
})

test('who has it switched off counts nothing', async () => {
  await using office = await PostOffice.open()
  office.relay.noteDmarc(row, false)
  await office.advance(hour)
  expect(await office.store.memory.list('dmarc-row', office.clock.now(), { limit: 10 })).toEqual([])
})

test.each([
  ['with more signatures than there is room for', { signatures: Array(100).fill(row.signatures[0]) }, 1],
  ['with names that nobody has', { headerFrom: 'x'.repeat(2000) }, 0],
])('a message %s does not end the counting of others', async (_, odd, count) => {
  const { office } = await reporting()
  await using _office = office
  office.relay.noteDmarc({ ...row, ...odd }, false)
  office.relay.noteDmarc(row, false)
  await office.advance(hour)
  expect(await office.store.memory.list('dmarc-row', office.clock.now(), { limit: 10 })).toHaveLength(1 + count)
  expect(office.logged.filter(({ level }) => level === 'error')).toEqual([])
})
