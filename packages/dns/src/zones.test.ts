import { describe, expect, it } from 'vitest'
import { zone } from './zone.ts'
import { createZones } from './zones.ts'

const one = zone('one.test', [
  ['@', 'MX', '10 mail'],
  ['@', 'MX', '20 mx.two.test.', 60],
  ['mail', 'A', '192.0.2.1'],
  ['www', 'CNAME', 'mail'],
  ['away', 'CNAME', 'host.two.test.'],
  ['a.b.deep', 'TXT', 'far down'],
  ['*.wild', 'A', '192.0.2.9'],
  ['real.wild', 'TXT', 'no address here'],
])
const two = zone('two.test', [['host', 'A', '192.0.2.2']], { authentic: true })

describe('a zone', () => {
  it('reads names relative to its origin, and absolute ones', () => {
    expect(one.records.slice(0, 2)).toMatchObject([
      { name: 'one.test', type: 'MX', ttlSeconds: 300, data: { preference: 10, exchange: 'mail.one.test' } },
      { name: 'one.test', type: 'MX', ttlSeconds: 60, data: { preference: 20, exchange: 'mx.two.test' } },
    ])
  })

  it('reads every type', () => {
    const made = zone('t.test.', [
      ['@', 'NS', 'ns'],
      ['@', 'MX', '0 .'],
      ['_submission._tcp', 'SRV', '0 5 587 mail'],
      ['_25._tcp.mail', 'TLSA', '3 1 1 AB01'],
      ['@', 'TXT', `v=spf1 ${'x'.repeat(600)}`],
      ['@', 'TXT', ['v=spf1 ', '-all']],
      ['@', 'TXT', ''],
      ['1.2.0.192.in-addr.arpa.t.test.', 'PTR', 'mail'],
      ['mail', 'AAAA', '2001:db8::1'],
    ])
    expect(made.records.map((record) => record.data)).toEqual([
      'ns.t.test',
      { preference: 0, exchange: '.' },
      { priority: 0, weight: 5, port: 587, target: 'mail.t.test' },
      { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from([0xab, 1]) },
      [Buffer.from(`v=spf1 ${'x'.repeat(248)}`), Buffer.alloc(255, 'x'), Buffer.alloc(97, 'x')],
      [Buffer.from('v=spf1 '), Buffer.from('-all')],
      [Buffer.alloc(0)],
      'mail.t.test',
      '2001:db8::1',
    ])
  })

  it('says which row is wrong', () => {
    expect(() => zone('t.test', [['@', 'A', 'mail']])).toThrow('zone t.test, @ A mail: not an IPv4 address')
    for (const row of [
      ['@', 'AAAA', '192.0.2.1'],
      ['@', 'MX', 'mail'],
      ['@', 'MX', 'ten mail'],
      ['@', 'MX', '65536 mail'],
      ['@', 'SRV', '0 0 mail'],
      ['@', 'TLSA', '3 1 1 abc'],
      ['@', 'CNAME', 'two names'],
      ['a..b', 'A', '192.0.2.1'],
      ['@', 'A', ['192.0.2.1']],
      ['@', 'TXT', ['x'.repeat(256)]],
    ] as const) {
      expect(() => zone('t.test', [row]), String(row)).toThrow(TypeError)
    }
    expect(() => createZones([zone('t.test', [['mail.u.test.', 'A', '192.0.2.1']])])).toThrow('not in zone')
  })
})

describe('lookup', () => {
  const zones = createZones([one, two])

  it('tells what is there, what has no such record, and what does not exist', () => {
    expect(zones.lookup('one.test', 'MX').answers).toHaveLength(2)
    expect(zones.lookup('one.test', 'A')).toMatchObject({ code: 'noerror', answers: [], authority: one.soa })
    expect(zones.lookup('none.one.test', 'A')).toMatchObject({ code: 'nxdomain', authority: one.soa })
    expect(zones.lookup('one.test', 'SOA').answers).toEqual([one.soa])
  })

  it('knows that a name exists when something is below it (RFC 8020)', () => {
    expect(zones.lookup('b.deep.one.test', 'TXT').code).toBe('noerror')
    expect(zones.lookup('deep.one.test', 'TXT').code).toBe('noerror')
    expect(zones.lookup('c.deep.one.test', 'TXT').code).toBe('nxdomain')
  })

  it('makes up what a wildcard covers, and only that (RFC 4592 §3.3.1)', () => {
    expect(zones.lookup('x.wild.one.test', 'A').answers).toMatchObject([{ name: 'x.wild.one.test', data: '192.0.2.9' }])
    expect(zones.lookup('x.y.wild.one.test', 'A').answers).toHaveLength(1)
    expect(zones.lookup('x.wild.one.test', 'MX')).toMatchObject({ code: 'noerror', answers: [] })
    expect(zones.lookup('real.wild.one.test', 'A')).toMatchObject({ code: 'noerror', answers: [] })
    expect(zones.lookup('x.real.wild.one.test', 'A').code).toBe('nxdomain')
  })

  it('follows aliases, into other zones too, and is authentic only if every zone is', () => {
    expect(zones.lookup('www.one.test', 'A').answers.map((record) => record.name)).toEqual([
      'www.one.test',
      'mail.one.test',
    ])
    expect(zones.lookup('away.one.test', 'A')).toMatchObject({ answers: [{}, { data: '192.0.2.2' }], authentic: false })
    expect(zones.lookup('host.two.test', 'A').authentic).toBe(true)
    expect(zones.lookup('www.one.test', 'CNAME').answers).toHaveLength(1)
  })

  it('answers for names outside its zones as the internet would, or refuses as an authoritative server', () => {
    expect(zones.lookup('three.test', 'A').code).toBe('nxdomain')
    const authoritative = createZones([one, two], { recursive: false })
    expect(authoritative.lookup('three.test', 'A').code).toBe('refused')
    expect(authoritative.lookup('away.one.test', 'A')).toEqual({
      code: 'noerror',
      answers: [expect.objectContaining({ type: 'CNAME' })],
      authentic: false,
    })
  })

  it('takes the innermost zone', () => {
    const nested = createZones([one, zone('sub.one.test', [['@', 'A', '192.0.2.7']])])
    expect(nested.lookup('sub.one.test', 'A').answers).toHaveLength(1)
    expect(nested.lookup('x.sub.one.test', 'A').authority?.name).toBe('sub.one.test')
  })
})

describe('changes at run time', () => {
  it('sets, replaces and removes records, and zones', () => {
    const zones = createZones([one])
    zones.set('New.One.Test', 'MX', ['5 mail', '5 mx.two.test.'], 10)
    expect(zones.lookup('new.one.test', 'MX').answers).toMatchObject([
      { ttlSeconds: 10, data: { exchange: 'mail.one.test' } },
      { ttlSeconds: 10, data: { exchange: 'mx.two.test' } },
    ])
    zones.set('one.test', 'MX', ['1 other'])
    expect(zones.lookup('one.test', 'MX').answers).toHaveLength(1)
    zones.set('new.one.test', 'MX', [])
    expect(zones.lookup('new.one.test', 'MX').code).toBe('nxdomain')
    expect(() => zones.set('two.test', 'A', ['192.0.2.1'])).toThrow('in no zone')
    zones.put(two)
    expect(zones.lookup('host.two.test', 'A').code).toBe('noerror')
    zones.remove('two.test')
    expect(zones.lookup('host.two.test', 'A').code).toBe('nxdomain')
  })

  it('plans faults by name, type and number, and counts', () => {
    const zones = createZones([one])
    zones.fault('one.test', { kind: 'servfail' }, { type: 'MX', times: 2 })
    expect(zones.meet('one.test', 'A')).toBeUndefined()
    expect([1, 2, 3].map(() => zones.meet('one.test', 'MX')?.kind)).toEqual(['servfail', 'servfail', undefined])
    zones.fault('*', { kind: 'drop' })
    expect(zones.meet('any.test', 'A')).toEqual({ kind: 'drop' })
    zones.fault('*', undefined)
    expect(zones.meet('any.test', 'A')).toBeUndefined()
    expect([zones.asked('one.test'), zones.asked('One.Test.', 'MX'), zones.asked('two.test')]).toEqual([4, 3, 0])
  })
})
