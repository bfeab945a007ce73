import { describe, expect, test } from 'vitest'
import type { Hop } from '../hop.ts'
import type { StsPolicy } from './sts-policy.ts'
import { type TlsSituation, tlsPolicy } from './tls-policy.ts'
import type { Tlsa } from './tlsa.ts'

const situation: TlsSituation = {
  route: { kind: 'mx', domain: 'two.test', port: 25 },
  host: 'mx.two.test',
  address: '192.0.2.2',
  security: 'policy',
  nameSecure: false,
  sts: undefined,
  tlsa: { kind: 'none' },
}

const decide = (changed: Partial<TlsSituation>) => tlsPolicy({ ...situation, ...changed })

describe('a next hop that was named', () => {
  const by = (hop: Partial<Hop>, address = '192.0.2.2', security: TlsSituation['security'] = 'policy') => {
    const named = { host: 'smtp.isp.test', port: 25, ...hop }
    return decide({ route: { kind: 'host', host: named.host, port: named.port, hop: named }, address, security })
  }

  test('on port 465 has TLS from the first octet', () => {
    expect(by({ port: 465 })).toMatchObject({ use: 'implicit', check: { kind: 'pkix' } })
    expect(by({ port: 465 }, '127.0.0.1')).toMatchObject({ use: 'implicit', check: { kind: 'none' } })
    expect(by({ port: 465 }, '127.0.0.1', 'required')).toMatchObject({ use: 'implicit', check: { kind: 'pkix' } })
  })

  test('gets credentials over TLS alone, but for one on loopback', () => {
    expect(by({ username: 'one' })).toMatchObject({ use: 'required', check: { kind: 'pkix' } })
    expect(by({ username: 'one' }, '127.0.0.1')).toMatchObject({ use: 'opportunistic', check: { kind: 'none' } })
    expect(by({ username: 'one' }, '127.0.0.1', 'required')).toMatchObject({ use: 'required', check: { kind: 'pkix' } })
  })
})

describe('under MTA-STS', () => {
  const under = (mode: StsPolicy['mode'], mx: string, changed: Partial<TlsSituation> = {}) =>
    decide({ sts: { domain: 'two.test', policy: { mode, mx: [mx], maxAgeSeconds: 86_400 } }, ...changed })
  const verify = { demand: { domain: 'two.test', level: 'verify' } } as const
  const required = { security: 'required' } as const
  const unnamed = { refused: { outcome: 'deferred' }, fault: 'the policy does not name this host' }

  test.each([
    ['enforce', 'mx.two.test', {}, { use: 'required', check: { kind: 'pkix' }, by: 'sts' }],
    ['enforce', 'other.test', {}, unnamed],
    ['testing', 'mx.two.test', {}, { use: 'opportunistic', testing: true }],
    ['testing', 'other.test', {}, { use: 'opportunistic', testing: true, fault: 'the policy does not name this host' }],
    ['none', 'other.test', {}, { use: 'opportunistic', by: 'none' }],
    ['enforce', 'mx.two.test', verify, { use: 'required', check: { kind: 'pkix' }, reason: 'MTA-STS enforce' }],
    ['enforce', 'other.test', verify, unnamed],
    ['testing', 'other.test', verify, { use: 'required', check: { names: ['two.test', '.two.test'] }, by: 'sts' }],
    ['testing', 'mx.two.test', required, { use: 'required', check: { kind: 'pkix' }, reason: 'MTA-STS testing' }],
    ['testing', 'other.test', required, { refused: { outcome: 'failed', reply: { enhanced: '5.7.30' } } }],
    ['none', 'mx.two.test', required, { refused: { outcome: 'failed', reply: { enhanced: '5.7.30' } } }],
  ] as const)('%s of %s, with %o', (mode, mx, changed, decision) => {
    expect(under(mode, mx, changed)).toMatchObject(decision)
  })

  test('names that the operator knows count in the place of the host', () => {
    const demand = { ...verify.demand, names: ['mail.isp.test'] }
    expect(under('enforce', 'mx.two.test', { demand })).toMatchObject({
      check: { names: ['mail.isp.test'] },
      by: 'sts',
    })
    expect(under('enforce', 'other.test', { demand })).toMatchObject(unnamed)
  })
})

test('records that DNS gives in another order are the same policy', () => {
  const [one, other] = [1, 2].map((selector) => ({
    usage: 1,
    selector,
    matchingType: 0,
    certificate: Buffer.from('c'),
  }))
  const linesOf = (...all: (typeof one)[]) =>
    decide({ tlsa: { kind: 'records', base: 'mx.two.test', all: all as Tlsa[], usable: [] } })
  expect(linesOf(one, other)).toEqual(linesOf(other, one))
})
