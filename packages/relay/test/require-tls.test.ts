/** What the message says of TLS: REQUIRETLS, and `TLS-Required: No` (RFC 8689). */
import type { JourneyId, TlsFacts } from '@pennypost/model'
import { ScriptedServer, type ScriptedServerOptions } from '@pennypost/smtp/scripted-server'
import { describe, expect, test } from 'vitest'
import { createRoutes } from '../src/index.ts'
import { mail, root } from './certificates.ts'
import { everything, PostOffice, type Row } from './post-office.ts'

const hosts: readonly Row[] = [
  ['@', 'MX', '10 mx'],
  ['mx', 'A', '192.0.2.2'],
]
const capabilities = [...everything, 'STARTTLS', 'REQUIRETLS']
const required = { envelope: { requireTls: true } }

async function secureOffice(): Promise<PostOffice> {
  const office = await PostOffice.open({ ca: [root] })
  office.secureZone('two.test', hosts)
  return office
}

describe('REQUIRETLS', () => {
  test('goes on to a host whose name and certificate stand', async () => {
    await using office = await secureOffice()
    const peer = office.peer('192.0.2.2', { capabilities, tls: mail })
    const journey = await office.send(required)
    expect(peer.transactions[0]).toMatchObject({ secure: true, mail: expect.stringMatching(/ REQUIRETLS$/) })
    expect((await office.events(journey, 'attempt'))[0]!.tlsReason).toBe('REQUIRETLS: the certificate stands')
  })

  test.each([
    ['a certificate of nobody known', { capabilities }, 'self'],
    ['no STARTTLS', { capabilities: everything }, 'STARTTLS is not offered'],
    [
      'no REQUIRETLS',
      { capabilities: [...everything, 'STARTTLS'], tls: mail },
      'the message wants REQUIRETLS, which is not offered',
    ],
  ])('comes back as 5.7.30 from a host with %s', async (_, options, words) => {
    await using office = await secureOffice()
    const peer = office.peer('192.0.2.2', options)
    const trace = await office.trace(await office.send(required))
    expect(trace.at(-2)).toMatch(/^failed bob@two\.test 550 5\.7\.30 /)
    expect(trace.at(-2)).toContain(words)
    expect(trace.at(-1)).toBe('dsn failed to alice@one.test')
    expect(peer.transactions).toEqual([])
    const [bounce] = await office.inbox()
    expect(bounce).toContain('Status: 5.7.30')
    expect(bounce).not.toContain('Hello Bob.')
  })

  test('comes back where anybody could have named the host', async () => {
    await using office = await PostOffice.open({ ca: [root] })
    const peer = office.peer('192.0.2.2', { capabilities, tls: mail })
    const trace = await office.trace(await office.send(required))
    expect(trace.at(-2)).toContain('550 5.7.30 mx.two.test: REQUIRETLS needs DNSSEC or an MTA-STS policy')
    expect(peer.sessions).toHaveLength(0)
  })

  test('looks for a host that can among all of them', async () => {
    await using office = await PostOffice.open({ ca: [root] })
    office.secureZone('two.test', [...hosts, ['@', 'MX', '5 old'], ['old', 'A', '192.0.2.3']])
    office.peer('192.0.2.3', { capabilities: everything })
    const peer = office.peer('192.0.2.2', { capabilities, tls: mail })
    await office.send(required)
    expect(peer.transactions).toHaveLength(1)
  })

  test('waits for a host that is away', async () => {
    await using office = await secureOffice()
    expect((await office.trace(await office.send(required))).at(-1)).toContain('deferred bob@two.test 451 4.4.1')
  })

  test('waits for a host that is silent in the handshake', async () => {
    const secure = async () => {
      throw new DOMException('The operation was aborted due to timeout', 'TimeoutError')
    }
    await using office = await PostOffice.open(({ dialer: { connect } }) => ({ dialer: { connect, secure } }))
    office.secureZone('two.test', hosts)
    office.peer('192.0.2.2', { capabilities })
    expect((await office.trace(await office.send(required))).at(-1)).toBe(
      'deferred bob@two.test 454 4.7.5 mx.two.test[192.0.2.2]:25: REQUIRETLS wants TLS: no TLS session within 60000 ms',
    )
  })

  test('does not ride on a connection that was opened for others', async () => {
    await using office = await secureOffice()
    const peer = office.peer('192.0.2.2', { capabilities, tls: mail })
    await office.send()
    await office.send(required)
    expect(peer.sessions).toHaveLength(2)
    expect(peer.transactions).toHaveLength(2)
  })

  test('over a smarthost: its certificate has to stand', async () => {
    const smarthost = { host: 'mx.two.test', port: 25 }
    await using office = await PostOffice.open({ ca: [root], routes: createRoutes({ port: 25, smarthost }) })
    const peer = office.peer('192.0.2.2', { capabilities, tls: mail })
    await office.send({ ...required, destination: 'mx.two.test:25' })
    expect(peer.transactions).toHaveLength(1)
  })
})

describe('a bounce of REQUIRETLS mail', () => {
  const refusing = { capabilities, tls: mail, script: { RCPT: '550 5.1.1 no such user' } }
  const fromCarol = { ...required, from: 'carol@three.test' }

  async function bounce(options: ScriptedServerOptions) {
    const office = await secureOffice()
    office.secureZone('three.test', hosts.slice(0, 1))
    office.secureZone('mx.three.test', [['@', 'A', '192.0.2.3']])
    office.peer('192.0.2.2', refusing)
    const peer = office.peer('192.0.2.3', options)
    const [dsn] = await office.events(await office.send(fromCarol), 'dsn')
    await office.advance(0)
    return { office, peer, trace: await office.trace(dsn!.dsn as JourneyId) }
  }

  test('went back without REQUIRETLS', async () => {
    const { office, peer } = await bounce({ capabilities, tls: mail })
    await using _office = office
    expect(peer.transactions).toMatchObject([{ secure: true, mail: expect.stringMatching(/^FROM:<> .*REQUIRETLS$/) }])
  })

  test.each([
    ['offers no REQUIRETLS', { capabilities: [...everything, 'STARTTLS'], tls: mail }, true],
    ['shows a certificate of nobody known', { capabilities }, true],
    ['has no TLS', { capabilities: everything }, false],
  ])('goes to a host that %s, rather than nowhere', async (_, options, secure) => {
    const { office, peer, trace } = await bounce(options)
    await using _office = office
    expect(peer.transactions).toMatchObject([{ secure }])
    expect(peer.transactions[0]!.content.toString()).not.toContain('Hello Bob.')
    expect(trace.at(-1)).toMatch(/^delivered carol@three\.test 250 /)
  })
})

describe('a connection that turned round', () => {
  async function fetch(options: ScriptedServerOptions, tls: TlsFacts | undefined) {
    const office = await secureOffice()
    const journeys = [await office.send(required), await office.send()]
    const peer = new ScriptedServer(options)
    const offer = await office.relay.turnRound('two.test')
    if (typeof offer !== 'object') throw new Error(offer)
    offer.take({ stream: peer.connect(), address: '192.0.2.9', port: 4000, tls })
    await office.advance(0)
    return { office, peer, journeys }
  }
  const secured: TlsFacts = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', verified: false }

  test('took either mail with REQUIRETLS or other mail, not both', async () => {
    const { office, peer } = await fetch({ capabilities }, secured)
    await using _office = office
    await using _peer = peer
    expect(peer.transactions.map(({ mail: said }) => / REQUIRETLS$/.test(said))).toEqual([true, false])
  })

  test.each([
    ['offers no REQUIRETLS', { capabilities: everything }, secured],
    ['is in clear', { capabilities }, undefined],
  ])('gets no mail with REQUIRETLS where it %s, and all other mail', async (_, options, tls) => {
    const { office, peer, journeys } = await fetch(options, tls)
    await using _office = office
    await using _peer = peer
    expect(peer.transactions).toHaveLength(1)
    const trace = await office.trace(journeys[0] as JourneyId)
    expect(trace.find((line) => line.startsWith('failed'))).toMatch(/ 550 5\.7\.30 /)
  })
})

test.each(['lmtp:/run/store.sock', 'lmtp:127.0.0.1:24', 'lmtp:[::1]:24'])(
  'mail with REQUIRETLS that had arrived came back from the store on this machine, %s',
  async (destination) => {
    await using office = await PostOffice.open()
    const address = /^lmtp:(\/.*|.*(?=:24))/.exec(destination)![1]!.replace(/[[\]]/g, '')
    const peer = office.peer(address, { protocol: 'lmtp', capabilities: everything })
    await office.send({ ...required, destination })
    expect(peer.transactions).toHaveLength(1)
  },
)

test('mail with REQUIRETLS does not go in clear to a store elsewhere', async () => {
  await using office = await PostOffice.open()
  const peer = office.peer('192.0.2.8', { protocol: 'lmtp', capabilities: everything })
  const trace = await office.trace(await office.send({ ...required, destination: 'lmtp:192.0.2.8:24' }))
  expect(trace.at(-2)).toMatch(/^failed bob@two\.test 550 5\.7\.30 /)
  expect(peer.transactions).toEqual([])
})

test('TLS-Required: No goes where a policy would keep it', async () => {
  await using office = await PostOffice.open()
  office.secureZone('two.test', [...hosts, ['_25._tcp.mx', 'TLSA', `3 1 1 ${'00'.repeat(32)}`]])
  const peer = office.peer('192.0.2.2', { capabilities: everything })
  expect((await office.trace(await office.send())).at(-1)).toContain('deferred')
  const journey = await office.send({ envelope: { tlsOptional: true } })
  expect(peer.transactions).toHaveLength(1)
  expect((await office.events(journey, 'attempt'))[0]!.tlsReason).toContain('TLS-Required: No')
})
