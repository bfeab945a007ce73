/** MTA-STS (RFC 8461): what the policy of a domain makes of a delivery, and how long it is kept. */
import { silentLog } from '@pennypost/model'
import { describe, expect, test } from 'vitest'
import { createStsPolicies, type Https } from '../src/index.ts'
import { mail, root } from './certificates.ts'
import { day, everything, hour, minute, PostOffice } from './post-office.ts'

const secure = { capabilities: [...everything, 'STARTTLS'], tls: mail }
const policyText = (mode: string, mx = 'mx.two.test', maxAge = 604_800): string =>
  `version: STSv1\r\nmode: ${mode}\r\nmx: ${mx}\r\nmax_age: ${maxAge}\r\n`

/** A post office whose policies come from `pages`, and how often one was fetched. */
async function officeWith(page: string | number | Error) {
  const web = { page, fetched: [] as string[] }
  const https: Https = async ({ host, port, path }) => {
    web.fetched.push(`${host}:${port}${path}`)
    if (web.page instanceof Error) throw web.page
    const status = typeof web.page === 'number' ? web.page : 200
    return { status, contentType: 'text/plain; charset=utf-8', body: Buffer.from(String(web.page)) }
  }
  const office = await PostOffice.open(({ resolver, clock, store, log }) => ({
    ca: [root],
    sts: createStsPolicies({ resolver, https, clock, log, memory: store.memory, port: 443 }),
  }))
  office.zone('two.test', [['_mta-sts', 'TXT', 'v=STSv1; id=1;']])
  return { office, web }
}

const attemptOf = async (office: PostOffice) => {
  const journey = await office.send()
  const attempt = (await office.events(journey, 'attempt')).at(-1)
  return { attempt, last: (await office.trace(journey)).at(-1) ?? '' }
}

describe('enforce', () => {
  test('a certificate that stands for a host of the policy: delivered', async () => {
    const { office, web } = await officeWith(policyText('enforce'))
    await using _office = office
    const peer = office.peer('192.0.2.2', secure)
    const { attempt, last } = await attemptOf(office)
    expect(last).toContain('delivered')
    expect(attempt).toMatchObject({ tlsReason: 'MTA-STS enforce: the certificate stands' })
    expect(attempt!.dns).toContain('MTA-STS policy 1: enforce, mx.two.test')
    expect(peer.transactions[0]!.secure).toBe(true)
    expect(web.fetched).toEqual(['mta-sts.two.test:443/.well-known/mta-sts.txt'])
  })

  test.each([
    ['a certificate of nobody known', policyText('enforce'), { capabilities: secure.capabilities }, 'self'],
    ['no STARTTLS', policyText('enforce'), { capabilities: everything }, 'STARTTLS is not offered'],
    ['a host that it does not name', policyText('enforce', '*.three.test'), secure, 'no MX host that the MTA-STS'],
  ])('%s: deferred, and nothing in clear', async (_, page, options, words) => {
    const { office } = await officeWith(page)
    await using _office = office
    const peer = office.peer('192.0.2.2', options)
    const { last } = await attemptOf(office)
    expect(last).toMatch(/^deferred bob@two\.test 454 4\.7\.5 /)
    expect(last).toContain(words)
    expect(peer.transactions).toEqual([])
  })

  test('serves REQUIRETLS as well', async () => {
    const { office } = await officeWith(policyText('testing'))
    await using _office = office
    const peer = office.peer('192.0.2.2', { ...secure, capabilities: [...secure.capabilities, 'REQUIRETLS'] })
    await office.send({ envelope: { requireTls: true } })
    expect(peer.transactions).toHaveLength(1)
  })

  test('mail with REQUIRETLS came back where DNS did not say whether there is a policy', async () => {
    const { office } = await officeWith(policyText('enforce'))
    await using _office = office
    office.peer('192.0.2.2', { ...secure, capabilities: [...secure.capabilities, 'REQUIRETLS'] })
    office.resolver.zones.fault('_mta-sts.two.test', { kind: 'servfail' }, { times: 1 })
    const journey = await office.send({ envelope: { requireTls: true } })
    expect((await office.trace(journey)).at(-1)).toMatch(
      /^deferred .* mx\.two\.test: TXT _mta-sts\.two\.test: SERVFAIL/,
    )
    await office.advance(hour)
    expect((await office.trace(journey)).at(-1)).toContain('delivered')
  })
})

test('testing: what would fail is only reported', async () => {
  const { office } = await officeWith(policyText('testing', 'other.two.test'))
  await using _office = office
  const peer = office.peer('192.0.2.2', { capabilities: everything })
  const { attempt } = await attemptOf(office)
  expect(peer.transactions).toHaveLength(1)
  expect(attempt!.tlsReason).toBe('MTA-STS testing: the policy does not name this host; not offered')
})

test.each([
  ['the certificate stands', secure],
  ['the certificate does not stand (DEPTH_ZERO_SELF_SIGNED_CERT)', { capabilities: secure.capabilities }],
])('under a policy that is only tested the journey did not say whether %s', async (words, options) => {
  const { office } = await officeWith(policyText('testing'))
  await using _office = office
  office.peer('192.0.2.2', options)
  expect((await attemptOf(office)).attempt).toMatchObject({ tlsReason: `MTA-STS testing: ${words}` })
})

describe('the policy', () => {
  test('is kept: neither a page that fails nor a record that is gone takes it away', async () => {
    const { office, web } = await officeWith(policyText('enforce'))
    await using _office = office
    office.peer('192.0.2.2', secure)
    /** Over a connection of its own, since none is kept for a minute. */
    const decided = async () => {
      await office.advance(minute)
      return (await attemptOf(office)).attempt!
    }
    await decided()
    web.page = 500
    office.zone('two.test', [['_mta-sts', 'TXT', 'v=STSv1; id=2;']])
    const failing = await decided()
    expect(failing.tlsReason).toContain('MTA-STS enforce')
    expect(failing.dns).toContain(
      'MTA-STS policy of two.test: the page answers 500; MTA-STS policy 1: enforce, mx.two.test',
    )
    expect(web.fetched).toHaveLength(2)
    office.resolver.zones.set('_mta-sts.two.test', 'TXT', [])
    expect((await decided()).tlsReason).toContain('MTA-STS enforce')
    expect(web.fetched).toHaveLength(2)
  })

  test('outlives the process, and ends with its time', async () => {
    const { office, web } = await officeWith(policyText('enforce'))
    await using _office = office
    office.peer('192.0.2.2', secure)
    await office.send()
    const { resolver, clock, store, log } = office
    const https: Https = async () => {
      throw new Error('gone')
    }
    const later = createStsPolicies({ resolver, https, clock, log, memory: store.memory, port: 443 })
    expect((await later.find('two.test')).policy?.mode).toBe('enforce')
    await office.advance(8 * day)
    expect((await later.find('two.test')).policy).toBeUndefined()
    expect(web.fetched).toHaveLength(1)
  })

  test('that the store could not recall once is recalled the next time', async () => {
    const { office } = await officeWith(policyText('enforce'))
    await using _office = office
    const { resolver, clock, store } = office
    await office.send()
    office.resolver.zones.set('_mta-sts.two.test', 'TXT', [])
    const broken = { is: true }
    const memory: typeof store.memory = {
      ...store.memory,
      note: (facts) => store.memory.note(facts),
      recall: async (...asked) => {
        if (broken.is) throw new Error('the disk does not answer')
        return store.memory.recall(...asked)
      },
    }
    const https: Https = async () => {
      throw new Error('gone')
    }
    const later = createStsPolicies({ resolver, https, clock, log: silentLog, memory, port: 443 })
    await later.find('two.test')
    broken.is = false
    expect((await later.find('two.test')).policy?.mode).toBe('enforce')
  })

  test('that a clock ten years ahead fetched does not outlive its domain’s', async () => {
    const { office, web } = await officeWith(policyText('enforce', 'old.two.test'))
    await using _office = office
    const { clock, resolver, store, log } = office.options
    const https: Https = async () => ({ status: 200, contentType: 'text/plain', body: Buffer.from(String(web.page)) })
    const time = { aheadMs: 3650 * day }
    const policies = createStsPolicies({
      resolver,
      https,
      log,
      memory: store.memory,
      port: 443,
      clock: { ...clock, now: () => clock.now() + time.aheadMs },
    })
    expect((await policies.find('two.test')).policy?.mx).toEqual(['old.two.test'])
    time.aheadMs = 0
    web.page = policyText('enforce')
    expect((await policies.find('two.test')).policy?.mx).toEqual(['mx.two.test'])
  })

  test('is fetched anew when its id changes, and daily while it is in use', async () => {
    const { office, web } = await officeWith(policyText('enforce'))
    await using _office = office
    const { resolver, clock, log } = office
    const https: Https = async () => {
      web.fetched.push('again')
      return { status: 200, contentType: 'text/plain', body: Buffer.from(policyText('none')) }
    }
    const policies = createStsPolicies({ resolver, https, clock, log, port: 443 })
    await policies.find('two.test')
    await policies.find('two.test')
    expect(web.fetched).toHaveLength(1)
    office.zone('two.test', [['_mta-sts', 'TXT', 'v=STSv1; id=2;']])
    await policies.find('two.test')
    expect(web.fetched).toHaveLength(2)
    await office.advance(day + minute)
    await policies.find('two.test')
    expect(web.fetched).toHaveLength(3)
  })

  test.each([404, 301, new Error('no route'), 'mode: enforce\r\n'])(
    'that cannot be had (%s) is none, and is not asked for again at once',
    async (page) => {
      const { office, web } = await officeWith(page)
      await using _office = office
      const peer = office.peer('192.0.2.2', { capabilities: everything })
      const { attempt } = await attemptOf(office)
      expect(peer.transactions).toHaveLength(1)
      expect(attempt!.dns!.at(-1)).toMatch(/^MTA-STS policy of two\.test: /)
      await office.advance(minute)
      await office.send()
      expect(web.fetched).toHaveLength(1)
      await office.advance(5 * minute)
      await office.send()
      expect(web.fetched).toHaveLength(2)
    },
  )
})
