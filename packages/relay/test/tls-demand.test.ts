/** What the operator demands of TLS with a domain (`[[relay.tls]]`), beside what the domain and the message say. */
import { createHash, X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { RelayOptions } from '../src/index.ts'
import { mail, root } from './certificates.ts'
import { everything, PostOffice, type Row, type Sending } from './post-office.ts'

type Demand = NonNullable<RelayOptions['tlsDemands']>[number]

const startTls = [...everything, 'STARTTLS']
const secure = { capabilities: startTls, tls: mail }
const selfSigned = { capabilities: startTls }
const inClear = { capabilities: everything }
const hosts: readonly Row[] = [
  ['@', 'MX', '10 mx'],
  ['mx', 'A', '192.0.2.2'],
]
const key = new X509Certificate(mail.cert).publicKey.export({ type: 'spki', format: 'der' })
const ours: Row = ['_25._tcp.mx', 'TLSA', `3 1 1 ${createHash('sha256').update(key).digest('hex')}`]
const another: Row = ['_25._tcp.mx', 'TLSA', `3 1 1 ${'00'.repeat(32)}`]

const officeWith = (...tlsDemands: Demand[]): Promise<PostOffice> => PostOffice.open({ ca: [root], tlsDemands })

async function outcome(office: PostOffice, sending: Sending = {}): Promise<{ last: string; tlsReason: string }> {
  const journey = await office.send(sending)
  const attempt = (await office.events(journey, 'attempt')).at(-1)
  return { last: (await office.trace(journey)).at(-1) ?? '', tlsReason: attempt?.tlsReason ?? '' }
}

describe('encrypt', () => {
  const demand: Demand = { domain: 'two.test', level: 'encrypt' }

  test('takes any certificate', async () => {
    await using office = await officeWith(demand)
    const peer = office.peer('192.0.2.2', selfSigned)
    expect(await outcome(office)).toMatchObject({ tlsReason: '[[relay.tls]] encrypt' })
    expect(peer.transactions[0]).toMatchObject({ secure: true })
  })

  test.each([
    ['no STARTTLS', inClear],
    ['a handshake that breaks off', { ...selfSigned, script: { STARTTLS: { reply: '220 go', drop: true } } }],
  ] as const)('keeps mail from a host with %s', async (_, options) => {
    await using office = await officeWith(demand)
    const peer = office.peer('192.0.2.2', options)
    const { last } = await outcome(office)
    expect(last).toContain('deferred bob@two.test 454 4.7.5 mx.two.test[192.0.2.2]:25: [[relay.tls]] encrypt wants TLS')
    expect(peer.transactions).toEqual([])
    expect(peer.sessions).toHaveLength(1)
  })

  test('tells the words with which STARTTLS was refused', async () => {
    await using office = await officeWith(demand)
    office.peer('192.0.2.2', { ...selfSigned, script: { STARTTLS: '454 4.3.0 later' } })
    expect((await outcome(office)).last).toContain('[[relay.tls]] encrypt wants TLS: 454 4.3.0 later')
  })

  test('is no matter of the message, which waives only what the domain asks for', async () => {
    await using office = await officeWith(demand)
    const peer = office.peer('192.0.2.2', inClear)
    expect((await outcome(office, { envelope: { tlsOptional: true } })).last).toContain('deferred')
    expect(peer.transactions).toEqual([])
  })

  test('lets the domain ask for more', async () => {
    await using office = await officeWith(demand)
    office.secureZone('two.test', [...hosts, another])
    office.peer('192.0.2.2', secure)
    expect((await outcome(office)).last).toContain('DANE wants TLS')
  })

  test('asks it of a next hop too, and of nobody else', async () => {
    await using office = await officeWith({ ...demand, domain: 'hop.test' }, { ...demand, domain: '.three.test' })
    office.zone('hop.test', [['@', 'A', '192.0.2.5']])
    office.zone('sub.three.test', [['@', 'A', '192.0.2.6']])
    for (const address of ['192.0.2.2', '192.0.2.5', '192.0.2.6']) office.peer(address, inClear)
    expect((await outcome(office, { destination: 'hop.test:25' })).last).toContain('encrypt wants TLS')
    expect((await outcome(office, { destination: 'sub.three.test' })).last).toContain('encrypt wants TLS')
    expect((await outcome(office)).last).toContain('delivered')
  })
})

describe('verify', () => {
  const demand: Demand = { domain: 'two.test', level: 'verify' }

  test('takes a certificate for a host below the domain', async () => {
    await using office = await officeWith(demand)
    office.peer('192.0.2.2', secure)
    const { last, tlsReason } = await outcome(office)
    expect(last).toContain('delivered')
    expect(tlsReason).toBe('[[relay.tls]] verify: the certificate stands')
  })

  test.each([
    ['no STARTTLS', inClear, 'STARTTLS is not offered'],
    ['a certificate of nobody known', selfSigned, 'self'],
  ])('keeps mail from a host with %s', async (_, options, words) => {
    await using office = await officeWith(demand)
    const peer = office.peer('192.0.2.2', options)
    const { last } = await outcome(office)
    expect(last).toMatch(/^deferred bob@two\.test 454 4\.7\.5 .*\[\[relay\.tls\]\] verify wants TLS/)
    expect(last).toContain(words)
    expect(peer.transactions).toEqual([])
  })

  describe('a host elsewhere, as an MX record that anybody could have written says', () => {
    const elsewhere = async (names?: string[]) => {
      const office = await officeWith({ domain: 'four.test', level: 'verify', ...(names ? { names } : {}) })
      office.zone('four.test', [['@', 'MX', '10 mx.three.test.']])
      office.zone('three.test', [['mx', 'A', '192.0.2.2']])
      return { office, peer: office.peer('192.0.2.2', secure) }
    }

    test('its own name is not enough', async () => {
      const { office, peer } = await elsewhere()
      await using _office = office
      const { last } = await outcome(office, { destination: 'four.test' })
      expect(last).toContain('the certificate is for none of four.test, .four.test, but for DNS:mx.two.test')
      expect(peer.transactions).toEqual([])
    })

    test.each([['mx.three.test'], ['.three.test']])('that the operator knows it as %s is', async (name) => {
      const { office } = await elsewhere(['mx.one.test', name])
      await using _office = office
      expect((await outcome(office, { destination: 'four.test' })).last).toContain('delivered')
    })

    test('that DNSSEC vouches for the record is', async () => {
      await using office = await officeWith({ domain: 'four.test', level: 'verify' })
      office.secureZone('four.test', [['@', 'MX', '10 mx.three.test.']])
      office.secureZone('three.test', [['mx', 'A', '192.0.2.2']])
      office.peer('192.0.2.2', secure)
      expect((await outcome(office, { destination: 'four.test' })).last).toContain('delivered')
    })
  })

  test('DANE stands for a peer as well', async () => {
    await using office = await PostOffice.open({ tlsDemands: [demand] })
    office.secureZone('two.test', [...hosts, ours])
    office.peer('192.0.2.2', secure)
    expect((await outcome(office)).tlsReason).toMatch(/^DANE: TLSA 3 1 1/)
  })

  test('a message that waives TLS is verified all the same', async () => {
    await using office = await officeWith(demand)
    office.peer('192.0.2.2', selfSigned)
    expect((await outcome(office, { envelope: { tlsOptional: true } })).last).toContain('deferred')
  })
})

describe('dane', () => {
  const demand: Demand = { domain: 'two.test', level: 'dane' }

  test('takes a host that its records stand for', async () => {
    await using office = await officeWith(demand)
    office.secureZone('two.test', [...hosts, ours])
    office.peer('192.0.2.2', secure)
    expect((await outcome(office)).last).toContain('delivered')
  })

  test.each([
    ['without records', hosts, 'secureZone'],
    [
      'with records that say nothing',
      [...hosts, ['_25._tcp.mx', 'TLSA', `0 0 1 ${'00'.repeat(32)}`]] as Row[],
      'secureZone',
    ],
    ['whose records nobody vouches for', [...hosts, ours], 'zone'],
  ] as const)('does not call a host %s', async (_, rows, how) => {
    await using office = await officeWith(demand)
    office[how]('two.test', rows)
    office.peer('192.0.2.2', secure)
    const { last, tlsReason } = await outcome(office)
    expect(last).toBe(
      'deferred bob@two.test 454 4.7.5 mx.two.test: there is no usable TLSA record that DNSSEC vouches for',
    )
    expect(tlsReason).toBe('[[relay.tls]] dane; not called')
    expect(office.dialled).toEqual([])
  })

  test('is reported to a domain that has no records as dane-required', async () => {
    const tlsReports = async () => ({ status: 201, contentType: '', body: Buffer.alloc(0) })
    await using office = await PostOffice.open({ tlsDemands: [demand], tlsReports })
    office.peer('192.0.2.2', secure)
    await office.send()
    await office.relay.stop(0)
    const [counted] = await office.store.memory.list('tls-session', office.clock.now(), { limit: 10 })
    expect(JSON.parse(counted!.value)).toMatchObject({ by: 'tlsa', result: 'dane-required', host: 'mx.two.test' })
  })
})

describe('may', () => {
  const demand: Demand = { domain: 'two.test', level: 'may' }

  test('goes on where the records of the domain are wrong', async () => {
    await using office = await officeWith(demand)
    office.secureZone('two.test', [...hosts, another])
    const peer = office.peer('192.0.2.2', selfSigned)
    expect(await outcome(office)).toMatchObject({ tlsReason: '[[relay.tls]] may' })
    expect(peer.transactions[0]).toMatchObject({ secure: true })
  })

  test('does not take away what a message requires', async () => {
    await using office = await officeWith(demand)
    const peer = office.peer('192.0.2.2', inClear)
    await office.send({ envelope: { requireTls: true } })
    expect(peer.transactions).toEqual([])
  })
})

test('the first demand that fits counts', async () => {
  await using office = await officeWith({ domain: 'two.test', level: 'may' }, { domain: '.test', level: 'dane' })
  office.peer('192.0.2.2', inClear)
  expect((await outcome(office)).last).toContain('delivered')
})
