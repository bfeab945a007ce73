/** DANE (RFC 7672): what TLSA records of secure hosts make of a delivery. */
import { createHash, X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { mail, root } from './certificates.ts'
import { everything, PostOffice, type Row } from './post-office.ts'

const leaf = new X509Certificate(mail.cert)
const anchor = new X509Certificate(root)
const sha256 = (octets: Buffer): string => createHash('sha256').update(octets).digest('hex')
const spki = (certificate: X509Certificate): Buffer => certificate.publicKey.export({ type: 'spki', format: 'der' })
const ours = `3 1 1 ${sha256(spki(leaf))}`
const another = `3 1 1 ${'00'.repeat(32)}`

const hosts: readonly Row[] = [
  ['@', 'MX', '10 mx'],
  ['mx', 'A', '192.0.2.2'],
]
const secure = { capabilities: [...everything, 'STARTTLS'], tls: mail }

async function officeWith(...records: string[]): Promise<PostOffice> {
  const office = await PostOffice.open()
  office.secureZone('two.test', [...hosts, ...records.map((record): Row => ['_25._tcp.mx', 'TLSA', record])])
  return office
}

const outcome = async (office: PostOffice): Promise<{ last: string; tlsReason: string; dialled: number }> => {
  const journey = await office.send()
  const [attempt] = (await office.events(journey, 'attempt')).slice(-1)
  const last = (await office.trace(journey)).at(-1) ?? ''
  return { last, tlsReason: attempt?.tlsReason ?? '', dialled: office.dialled.length }
}

describe('a certificate that a record stands for', () => {
  test.each([
    ['DANE-EE, key, SHA-256', ours],
    ['DANE-EE, key, SHA-512', `3 1 2 ${createHash('sha512').update(spki(leaf)).digest('hex')}`],
    ['DANE-EE, key, exact', `3 1 0 ${spki(leaf).toString('hex')}`],
    ['DANE-EE, certificate', `3 0 1 ${sha256(leaf.raw)}`],
    ['DANE-TA, certificate', `2 0 1 ${sha256(anchor.raw)}`],
    ['DANE-TA, key', `2 1 1 ${sha256(spki(anchor))}`],
  ])('%s', async (_, record) => {
    await using office = await officeWith(record)
    const peer = office.peer('192.0.2.2', secure)
    const { last, tlsReason } = await outcome(office)
    expect(last).toContain('delivered')
    expect(tlsReason).toBe(`DANE: TLSA ${record.slice(0, 22)}…`)
    expect(peer.transactions[0]!.secure).toBe(true)
  })

  test('one of several is enough', async () => {
    await using office = await officeWith(another, ours)
    office.peer('192.0.2.2', secure)
    expect((await outcome(office)).last).toContain('delivered')
  })
})

describe('nothing goes to a host', () => {
  test.each([
    ['with another certificate', [another], secure, 'the certificate is none that the TLSA records stand for'],
    ['with an anchor that did not issue its own', [`2 0 1 ${'11'.repeat(32)}`], secure, 'none that the TLSA records'],
    ['that offers no STARTTLS', [ours], { capabilities: everything }, 'STARTTLS is not offered'],
    [
      'that refuses STARTTLS',
      [ours],
      { ...secure, script: { STARTTLS: '454 4.7.0 no' } },
      'DANE wants TLS: 454 4.7.0 no',
    ],
    ['whose handshake breaks off', [ours], { ...secure, script: { STARTTLS: { reply: '220 go', drop: true } } }, ''],
  ] as const)('%s', async (_, records, options, words) => {
    await using office = await officeWith(...records)
    const peer = office.peer('192.0.2.2', options)
    const { last } = await outcome(office)
    expect(last).toContain('deferred bob@two.test 454 4.7.5 mx.two.test[192.0.2.2]:25: DANE wants TLS')
    expect(last).toContain(words)
    expect(peer.transactions).toEqual([])
    expect(peer.sessions).toHaveLength(1)
  })

  test('whose TLSA records cannot be found out: it is not even called', async () => {
    await using office = await officeWith(ours)
    const peer = office.peer('192.0.2.2', secure)
    office.resolver.zones.fault('_25._tcp.mx.two.test', { kind: 'servfail' }, { times: 1 })
    const { last, dialled, tlsReason } = await outcome(office)
    expect(last).toBe('deferred bob@two.test 454 4.7.5 mx.two.test: TLSA _25._tcp.mx.two.test: SERVFAIL')
    expect(dialled).toBe(0)
    expect(tlsReason).toBe('DANE; not called')
    await office.advance(17 * 60_000)
    expect(peer.transactions).toHaveLength(1)
  })

  test('but the next MX may do', async () => {
    await using office = await PostOffice.open()
    office.secureZone('two.test', [
      ['@', 'MX', '10 bad'],
      ['@', 'MX', '20 mx'],
      ['bad', 'A', '192.0.2.3'],
      ['mx', 'A', '192.0.2.2'],
      ['_25._tcp.bad', 'TLSA', another],
    ])
    office.peer('192.0.2.3', secure)
    const peer = office.peer('192.0.2.2', { capabilities: everything })
    await office.send()
    expect(peer.transactions).toHaveLength(1)
  })
})

test('DANE-TA: the certificate has to be for the host', async () => {
  await using office = await PostOffice.open()
  office.secureZone('two.test', [
    ['@', 'MX', '10 other'],
    ['other', 'A', '192.0.2.2'],
    ['_25._tcp.other', 'TLSA', `2 0 1 ${sha256(anchor.raw)}`],
  ])
  office.peer('192.0.2.2', secure)
  expect((await outcome(office)).last).toContain('the certificate is for none of other.two.test, two.test')
})

test('records that say nothing to us still want TLS', async () => {
  await using office = await officeWith(`1 1 1 ${'22'.repeat(32)}`)
  const peer = office.peer('192.0.2.2', { capabilities: everything })
  expect((await outcome(office)).last).toContain('DANE without a usable record wants TLS: STARTTLS is not offered')
  await peer[Symbol.asyncDispose]()
  const next = office.peer('192.0.2.2', { capabilities: [...everything, 'STARTTLS'] })
  await office.advance(17 * 60_000)
  expect(next.transactions).toHaveLength(1)
})

test('records of a zone that is not signed say nothing', async () => {
  await using office = await PostOffice.open()
  office.zone('two.test', [['_25._tcp.mx', 'TLSA', another]])
  const peer = office.peer('192.0.2.2', { capabilities: everything })
  expect(await outcome(office)).toMatchObject({ tlsReason: 'not offered' })
  expect(peer.transactions).toHaveLength(1)
  expect(office.resolver.zones.asked('_25._tcp.mx.two.test')).toBe(0)
})

describe('a host that is an alias', () => {
  const alias: readonly Row[] = [
    ['@', 'MX', '10 alias'],
    ['alias', 'CNAME', 'mx.provider.test.'],
  ]

  test('into a secure zone: the name behind it counts first', async () => {
    await using office = await PostOffice.open()
    office.secureZone('two.test', [...alias, ['_25._tcp.alias', 'TLSA', another]])
    office.secureZone('provider.test', [
      ['mx', 'A', '192.0.2.2'],
      ['_25._tcp.mx', 'TLSA', ours],
    ])
    office.peer('192.0.2.2', secure)
    expect((await outcome(office)).last).toContain('delivered')
  })

  test('into a zone that is not signed: only the alias counts', async () => {
    await using office = await PostOffice.open()
    office.secureZone('two.test', [...alias, ['_25._tcp.alias', 'TLSA', another]])
    office.zone('provider.test', [
      ['mx', 'A', '192.0.2.2'],
      ['_25._tcp.mx', 'TLSA', ours],
    ])
    office.peer('192.0.2.2', secure)
    expect((await outcome(office)).last).toContain('none that the TLSA records stand for')
  })

  test('whose security was not to be found out had no records', async () => {
    await using office = await PostOffice.open()
    office.secureZone('two.test', [...alias, ['_25._tcp.alias', 'TLSA', another]])
    office.zone('provider.test', [['mx', 'A', '192.0.2.2']])
    office.resolver.zones.fault('alias.two.test', { kind: 'servfail' }, { type: 'CNAME' })
    office.peer('192.0.2.2', secure)
    expect((await outcome(office)).last).toContain('none that the TLSA records stand for')
  })
})

test('a host of which one kind of addresses is bogus is held to its records by the other', async () => {
  await using office = await PostOffice.open()
  office.secureZone('two.test', [...hosts, ['mx', 'AAAA', '2001:db8::2'], ['_25._tcp.mx', 'TLSA', another]])
  office.resolver.zones.fault('mx.two.test', { kind: 'servfail' }, { type: 'A' })
  office.peer('192.0.2.2', secure)
  office.peer('2001:db8::2', secure)
  expect((await outcome(office)).last).toContain('none that the TLSA records stand for')
  expect(office.dialled).toEqual(['2001:db8::2:25'])
})
