import { createStaticResolver, zone } from '@pennypost/dns'
import { reverseName } from '@pennypost/model'
import { seededRandom } from '@pennypost/model/testing'
import { describe, expect, test } from 'vitest'
import { type FindHostsOptions, findHosts, type HostsFound } from './find-hosts.ts'
import { createOwnHosts } from './own-hosts.ts'
import type { Route } from './routes.ts'

type Row = [string, 'MX' | 'A' | 'AAAA' | 'CNAME' | 'TXT', string]

function search(rows: Row[], more: Partial<FindHostsOptions> = {}) {
  const resolver = createStaticResolver([zone('two.test', rows)])
  const own = createOwnHosts({ hostname: 'mail.one.test', addresses: ['203.0.113.5'], listeners: [] })
  const options = { resolver, random: seededRandom(1), own, limits: { hosts: 20 }, ...more }
  const find = (route: Route = { kind: 'mx', domain: 'two.test', port: 25 }) => findHosts(route, options)
  return { resolver, find }
}

/** Addresses in order, or the reply. */
function short(found: HostsFound): string {
  if (found.kind === 'none')
    return `${found.verdict.outcome} ${found.verdict.reply.code} ${found.verdict.reply.enhanced}`
  return found.hosts.map(({ name, addresses }) => `${name}: ${addresses.join(' ')}`).join(', ')
}

const a: Row = ['a', 'A', '192.0.2.1']
const b: Row = ['b', 'A', '192.0.2.2']

describe('MX', () => {
  test('hosts come by preference, whatever the order of the answer', async () => {
    const { find } = search([['@', 'MX', '20 b'], ['@', 'MX', '10 a'], a, b])
    const found = await find()
    expect(short(found)).toBe('a.two.test: 192.0.2.1, b.two.test: 192.0.2.2')
    expect(found.dns).toContain('MX two.test: 20 b.two.test, 10 a.two.test')
    expect(found.dns).toContain('A a.two.test: 192.0.2.1')
  })

  test('equals come in any order', async () => {
    const { find } = search([['@', 'MX', '10 b'], ['@', 'MX', '10 a'], a, b])
    const orders = new Set<string>()
    for (let turn = 0; turn < 20; turn++) orders.add(short(await find()))
    expect(orders.size).toBe(2)
  })

  test('a null MX is permanent', async () => {
    expect(
      short(
        await search([
          ['@', 'MX', '0 .'],
          ['@', 'A', '192.0.2.1'],
        ]).find(),
      ),
    ).toBe('failed 556 5.1.10')
  })

  test('of more equals than are looked at, ourselves were not known among the rest', async () => {
    const rows: Row[] = [['@', 'MX', '10 a'], ['@', 'MX', '10 b'], ['@', 'MX', '10 mail.one.test.'], a, b]
    for (let seed = 0; seed < 9; seed++) {
      const { find } = search(rows, { limits: { hosts: 1 }, random: seededRandom(seed) })
      expect(short(await find())).toBe('failed 554 5.4.6')
    }
  })

  test('hosts that are not looked at any more keep mail from going back', async () => {
    const rows = Array.from({ length: 3 }, (_, at): Row => ['@', 'MX', `${at} ${'xya'[at]}`])
    expect(short(await search([...rows, a], { limits: { hosts: 2 } }).find())).toBe('deferred 451 4.4.4')
    expect(short(await search(rows, { limits: { hosts: 3 } }).find())).toBe('failed 550 5.4.4')
  })

  test('many records are one short line of the journey', async () => {
    const addresses = Array.from({ length: 500 }, (_, at): Row => ['a', 'A', `192.0.${at >> 8}.${at & 255}`])
    const { dns } = await search([['@', 'MX', '10 a'], ...addresses]).find()
    expect(dns[1]).toMatch(/^A a\.two\.test: 192\.0\.0\.0, .*, and 480 more$/)
  })

  test('a host that is an alias is tolerated', async () => {
    const { find } = search([['@', 'MX', '10 mx'], ['mx', 'CNAME', 'a'], a])
    expect(short(await find())).toBe('mx.two.test: 192.0.2.1')
  })

  test('hosts without any address: permanent; with one that could not be looked up: later', async () => {
    expect(short(await search([['@', 'MX', '10 gone']]).find())).toBe('failed 550 5.4.4')
    const { find, resolver } = search([['@', 'MX', '10 gone'], ['@', 'MX', '20 a'], a])
    resolver.zones.fault('a.two.test', { kind: 'servfail' })
    expect(short(await find())).toBe('deferred 451 4.4.3')
  })

  test('what could not be looked up is remembered beside the hosts that could', async () => {
    const { find, resolver } = search([['@', 'MX', '10 a'], ['@', 'MX', '20 b'], a, b])
    resolver.zones.fault('a.two.test', { kind: 'servfail' })
    expect(await find()).toMatchObject({ hosts: [{ name: 'b.two.test' }], unresolved: { outcome: 'deferred' } })
  })

  test('SERVFAIL and no answer: later, and never by A', async () => {
    const { find, resolver } = search([['@', 'A', '192.0.2.1']])
    resolver.zones.fault('two.test', { kind: 'servfail' }, { times: 1 })
    expect(short(await find())).toBe('deferred 451 4.4.3')
    resolver.zones.fault('two.test', { kind: 'drop' }, { type: 'MX' })
    expect(short(await find())).toBe('deferred 451 4.4.3')
  })

  test('so many hosts and no more are looked at, the best', async () => {
    const { find } = search([['@', 'MX', '10 a'], ['@', 'MX', '20 b'], a, b], { limits: { hosts: 1 } })
    expect(short(await find())).toBe('a.two.test: 192.0.2.1')
  })
})

describe('without MX', () => {
  test('the domain itself is the host', async () => {
    expect(
      short(
        await search([
          ['@', 'A', '192.0.2.9'],
          ['@', 'AAAA', '2001:db8::9'],
        ]).find(),
      ),
    ).toBe('two.test: 192.0.2.9 2001:db8::9')
  })

  test('no address: permanent; no domain: permanent, and it says so', async () => {
    expect(short(await search([['@', 'TXT', 'x']]).find())).toBe('failed 550 5.4.4')
    expect(short(await search([]).find({ kind: 'mx', domain: 'none.test', port: 25 }))).toBe('failed 550 5.1.2')
  })

  test('addresses that could not be looked up: later', async () => {
    const { find, resolver } = search([['@', 'TXT', 'x']])
    resolver.zones.fault('two.test', { kind: 'servfail' }, { type: 'A' })
    expect(short(await find())).toBe('deferred 451 4.4.3')
  })
})

describe('ourselves', () => {
  const us: Row = ['us', 'A', '203.0.113.5']

  test('best: a loop', async () => {
    expect(short(await search([['@', 'MX', '10 us'], ['@', 'MX', '20 a'], us, a]).find())).toBe('failed 554 5.4.6')
    expect(short(await search([['@', 'A', '203.0.113.5']]).find())).toBe('failed 554 5.4.6')
    expect(short(await search([]).find({ kind: 'address', address: '203.0.113.5', port: 25 }))).toBe('failed 554 5.4.6')
  })

  test('as a backup: only better hosts are asked, equals are not', async () => {
    const rows: Row[] = [['@', 'MX', '10 a'], ['@', 'MX', '20 us'], ['@', 'MX', '20 b'], ['@', 'MX', '30 b'], us, a, b]
    expect(short(await search(rows).find())).toBe('a.two.test: 192.0.2.1')
  })

  test('by name, though its address is unknown', async () => {
    const rows: Row[] = [['@', 'MX', '10 a'], ['@', 'MX', '20 mail.one.test.'], ['@', 'MX', '30 b'], a, b]
    expect(short(await search(rows).find())).toBe('a.two.test: 192.0.2.1')
  })

  test('as a configured host: mail waits for the administrator', async () => {
    expect(short(await search([us]).find({ kind: 'host', host: 'us.two.test', port: 25 }))).toBe('deferred 451 4.4.6')
  })
})

describe('mail went back for a mistake of the administrator, by the MX of a next hop', () => {
  test.each<[string, Row[]]>([
    ['that does not exist', []],
    ['that has no host', [['@', 'TXT', 'x']]],
    ['that accepts no mail', [['@', 'MX', '0 .']]],
    ['whose hosts have no address', [['@', 'MX', '10 gone']]],
    [
      'that is this server',
      [
        ['@', 'MX', '10 us'],
        ['us', 'A', '203.0.113.5'],
      ],
    ],
  ])('%s', async (_, rows) => {
    const domain = rows.length === 0 ? 'none.test' : 'two.test'
    const hop = { host: domain, port: 25, viaMx: true } as const
    expect(short(await search(rows).find({ kind: 'mx', domain, port: 25, hop }))).toBe('deferred 451 4.3.5')
    expect(short(await search(rows).find({ kind: 'mx', domain, port: 25 }))).toMatch(/^failed/)
  })
})

describe('hosts and addresses', () => {
  test('a configured host: by its addresses; without any, mail waits', async () => {
    const { find } = search([a])
    expect(short(await find({ kind: 'host', host: 'a.two.test', port: 587 }))).toBe('a.two.test: 192.0.2.1')
    expect(short(await find({ kind: 'host', host: '192.0.2.8', port: 587 }))).toBe('192.0.2.8: 192.0.2.8')
    expect(short(await find({ kind: 'host', host: 'gone.two.test', port: 587 }))).toBe('deferred 451 4.4.3')
  })

  test('IPv6 is left alone where our address has no PTR, and the journey says so', async () => {
    const rows: Row[] = [
      ['@', 'MX', '10 a'],
      a,
      ['a', 'AAAA', '2001:db8::1'],
      ['@', 'MX', '20 six'],
      ['six', 'AAAA', '2001:db8::6'],
    ]
    const found = await search(rows, { ipv6Source: '2001:db8::99' }).find()
    expect(short(found)).toBe('a.two.test: 192.0.2.1, six.two.test: 2001:db8::6')
    expect(found.dns).toContain('IPv4 only: our 2001:db8::99 has no PTR')
    const named = search(rows, { ipv6Source: '2001:db8::99' })
    named.resolver.zones.put(zone('ip6.arpa', [[`${reverseName('2001:db8::99')}.`, 'PTR', 'mail.one.test.']]))
    expect(short(await named.find())).toBe('a.two.test: 192.0.2.1 2001:db8::1, six.two.test: 2001:db8::6')
  })

  test('an address literal needs no DNS; one that names nothing is permanent', async () => {
    const { find } = search([])
    expect(await find({ kind: 'address', address: '192.0.2.7', port: 26 })).toMatchObject({
      hosts: [{ name: '192.0.2.7', addresses: ['192.0.2.7'], port: 26 }],
      dns: [],
    })
    expect(short(await find({ kind: 'none' }))).toBe('failed 550 5.1.2')
  })
})

describe('the DNS of a stranger named a service inside this machine, and mail was offered to it', () => {
  const listeners = [{ address: '203.0.113.5', port: 25 }]
  const own = createOwnHosts({ hostname: 'mail.one.test', addresses: ['203.0.113.5'], listeners })

  test.each<[string, Row[]]>([
    [
      'as its only MX host',
      [
        ['@', 'MX', '10 a'],
        ['a', 'A', '127.0.0.1'],
      ],
    ],
    [
      'by IPv6',
      [
        ['@', 'MX', '10 a'],
        ['a', 'AAAA', '::1'],
      ],
    ],
    [
      'as no address at all',
      [
        ['@', 'MX', '10 a'],
        ['a', 'A', '0.0.0.0'],
      ],
    ],
    ['without MX', [['@', 'A', '127.0.0.1']]],
  ])('%s', async (_, rows) => {
    const found = await search(rows, { own }).find()
    expect(short(found)).toBe('failed 550 5.4.4')
    expect(found.dns.at(-1)).toMatch(/^not asked: \S+ is inside this machine$/)
  })

  test.each<Row[][]>([
    [
      [
        ['@', 'MX', '10 a'],
        ['a', 'AAAA', '::1'],
      ],
    ],
    [[['@', 'AAAA', '::1']]],
  ])('and mail went back though the other address was not to be found out: %j', async (rows) => {
    const { find, resolver } = search(rows, { own })
    for (const name of ['two.test', 'a.two.test']) resolver.zones.fault(name, { kind: 'servfail' }, { type: 'A' })
    expect(short(await find())).toBe('deferred 451 4.4.3')
  })

  test('beside others, which are asked', async () => {
    const rows: Row[] = [['@', 'MX', '5 a'], ['a', 'A', '127.0.0.1'], a, ['@', 'MX', '1 c'], ['c', 'AAAA', '::1']]
    const found = await search(rows, { own }).find()
    expect(short(found)).toBe('a.two.test: 192.0.2.1')
  })

  test('as an address literal', async () => {
    const { find } = search([], { own })
    expect(short(await find({ kind: 'address', address: '127.0.0.1', port: 25 }))).toBe('failed 550 5.4.4')
  })

  test('but who administers this server may mean it', async () => {
    const { find } = search(
      [
        ['@', 'MX', '10 a'],
        ['a', 'A', '127.0.0.1'],
      ],
      { own },
    )
    const hop = { host: 'two.test', port: 25, viaMx: true } as const
    expect(short(await find({ kind: 'mx', domain: 'two.test', port: 25, hop }))).toBe('a.two.test: 127.0.0.1')
    expect(short(await find({ kind: 'host', host: 'a.two.test', port: 25 }))).toBe('a.two.test: 127.0.0.1')
  })

  test('but a listener of ours is a loop', async () => {
    const everywhere = createOwnHosts({
      hostname: 'mail.one.test',
      addresses: [],
      listeners: [{ address: '::', port: 25 }],
    })
    const { find } = search(
      [
        ['@', 'MX', '10 a'],
        ['a', 'A', '127.0.0.1'],
      ],
      { own: everywhere },
    )
    expect(short(await find())).toBe('failed 554 5.4.6')
  })
})
