import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { silentLog, systemDeadline, systemRandom } from '@pennypost/model'
import { type VirtualClock, virtualClock } from '@pennypost/model/testing'
import { encode } from 'dns-packet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createManualDeadline } from '../test/manual-deadline.ts'
import { createRawServer } from '../test/raw-server.ts'
import { type CachingResolver, createResolver, type ResolverOptions } from './resolver.ts'
import { zone } from './zone.ts'
import { createZoneServer, type ZoneServer } from './zone-server.ts'

const one = zone(
  'one.test',
  [
    ['@', 'MX', '10 mail'],
    ['@', 'TXT', ['v=spf1 ', '-all']],
    ['mail', 'A', '192.0.2.1'],
    ['mail', 'A', '192.0.2.2', 60],
    ['mail', 'AAAA', '2001:db8::1'],
    ['null', 'MX', '0 .'],
    ['_imaps._tcp', 'SRV', '0 1 993 mail'],
    ['_25._tcp.mail', 'TLSA', `3 1 1 ${'ab'.repeat(32)}`],
    ['www', 'CNAME', 'mail', 30],
    ['loop1', 'CNAME', 'loop2'],
    ['loop2', 'CNAME', 'loop1'],
    ['dangling', 'CNAME', 'nowhere'],
    ['big', 'TXT', 'x'.repeat(5000)],
    ...Array.from({ length: 12 }, (_, i) => [`c${i}`, 'CNAME', `c${i + 1}`] as const),
    ['c12', 'A', '192.0.2.3'],
    ['away', 'CNAME', 'host.two.test.'],
  ],
  { negativeTtlSeconds: 45 },
)
const two = zone('two.test', [['host', 'A', '192.0.2.4']], { authentic: true })
const reverse = zone('2.0.192.in-addr.arpa', [['1', 'PTR', 'Mail.One.Test.']])

const noIpv6 = !Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))

let server: ZoneServer
let clock: VirtualClock
let resolvers: CachingResolver[]

const resolverOf = (options: Partial<ResolverOptions> = {}): CachingResolver => {
  const resolver = createResolver({
    servers: [server.server],
    dnssec: 'off',
    clock,
    deadline: systemDeadline,
    random: systemRandom,
    log: silentLog,
    ...options,
  })
  resolvers.push(resolver)
  return resolver
}

/** A port of loopback on which nobody answers, and none refuses either. */
const silent = () => createRawServer(() => [])

beforeEach(async () => {
  server = await createZoneServer({ zones: [one, two, reverse], deadline: systemDeadline })
  clock = virtualClock()
  resolvers = []
})
afterEach(async () => {
  for (const resolver of resolvers) resolver.close()
  await server.close()
})

describe('answers', () => {
  it('come typed, for every type that mail asks for', async () => {
    const resolver = resolverOf()
    expect(await resolver.query('One.Test.', 'MX')).toEqual({
      status: 'found',
      records: [{ preference: 10, exchange: 'mail.one.test' }],
      ttlSeconds: 300,
      authentic: false,
    })
    const records = async (name: string, type: 'A' | 'AAAA' | 'TXT' | 'PTR' | 'SRV' | 'TLSA' | 'MX' | 'CNAME') => {
      const answer = await resolver.query(name, type)
      return answer.status === 'found' ? answer.records : answer
    }
    expect(await records('mail.one.test', 'A')).toEqual(['192.0.2.1', '192.0.2.2'])
    expect(await records('mail.one.test', 'AAAA')).toEqual(['2001:db8::1'])
    expect(await records('one.test', 'TXT')).toEqual(['v=spf1 -all'])
    expect(await records('1.2.0.192.in-addr.arpa', 'PTR')).toEqual(['mail.one.test'])
    expect(await records('null.one.test', 'MX')).toEqual([{ preference: 0, exchange: '' }])
    expect(await records('www.one.test', 'CNAME')).toEqual(['mail.one.test'])
    expect(await records('_imaps._tcp.one.test', 'SRV')).toEqual([
      { priority: 0, weight: 1, port: 993, target: 'mail.one.test' },
    ])
    expect(await records('_25._tcp.mail.one.test', 'TLSA')).toEqual([
      { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(32, 0xab) },
    ])
  })

  it('tell "no such name" from "no such record" from "could not find out"', async () => {
    const resolver = resolverOf()
    expect(await resolver.query('none.one.test', 'A')).toEqual({ status: 'nxdomain', ttlSeconds: 45, authentic: false })
    expect(await resolver.query('mail.one.test', 'MX')).toEqual({ status: 'nodata', ttlSeconds: 45, authentic: false })
    server.zones.fault('bad.one.test', { kind: 'servfail' })
    expect(await resolver.query('bad.one.test', 'A')).toEqual({
      status: 'failed',
      reason: 'SERVFAIL',
      server: server.server,
    })
    server.zones.fault('bad.two.test', { kind: 'refused' })
    expect(await resolver.query('bad.two.test', 'A')).toMatchObject({ reason: 'REFUSED' })
  })

  it('say without asking that an impossible name does not exist', async () => {
    const resolver = resolverOf({ servers: [] })
    expect(await resolver.query('a..b', 'MX')).toMatchObject({ status: 'nxdomain' })
    expect(await resolver.query(`${'a'.repeat(64)}.test`, 'MX')).toMatchObject({ status: 'nxdomain' })
    expect(await resolver.query('bücher.test', 'MX')).toMatchObject({ status: 'failed' })
    expect(await resolver.query('one.test', 'MX')).toEqual({ status: 'failed', reason: 'no name server is configured' })
  })

  it('denied that this machine is localhost, where a smarthost may be: the name servers were asked', async () => {
    const resolver = resolverOf()
    const records = async (name: string, type: 'A' | 'AAAA') => {
      const answer = await resolver.query(name, type)
      return answer.status === 'found' ? answer.records : answer.status
    }
    expect(await records('LocalHost.', 'A')).toEqual(['127.0.0.1'])
    expect(await records('filter.localhost', 'AAAA')).toEqual(['::1'])
    expect((await resolver.query('localhost', 'MX')).status).toBe('nodata')
    expect(await records('notlocalhost', 'A')).toBe('nxdomain')
    expect(server.zones.asked('localhost')).toBe(0)
  })

  it('too big for a datagram come over TCP, octet for octet', async () => {
    expect(await resolverOf().query('big.one.test', 'TXT')).toMatchObject({ records: ['x'.repeat(5000)] })
    expect(server.zones.asked('big.one.test', 'TXT')).toBe(2)
    server.zones.fault('one.test', { kind: 'truncate' })
    expect(await resolverOf().query('one.test', 'MX')).toMatchObject({ status: 'found' })
  })

  it('bear `authentic` only from a server that is believed', async () => {
    // On loopback always: nobody is between us and the server.
    expect(await resolverOf({ dnssec: 'off' }).query('host.two.test', 'A')).toMatchObject({ authentic: true })
    expect(await resolverOf({ dnssec: 'trust-ad' }).query('www.one.test', 'A')).toMatchObject({ authentic: false })
    expect(await resolverOf().query('none.two.test', 'A')).toMatchObject({ status: 'nxdomain', authentic: true })
    // An alias out of an unsigned zone into a signed one proves nothing.
    expect(await resolverOf().query('away.one.test', 'A')).toMatchObject({ status: 'found', authentic: false })
  })
})

describe('aliases', () => {
  it('are followed, with the least TTL on the way', async () => {
    expect(await resolverOf().query('www.one.test', 'AAAA')).toMatchObject({ status: 'found', ttlSeconds: 30 })
    expect(await resolverOf().query('dangling.one.test', 'A')).toMatchObject({ status: 'nxdomain' })
    expect(await resolverOf().query('www.one.test', 'TXT')).toMatchObject({ status: 'nodata' })
  })

  it('in a loop are found out', async () => {
    const answer = await resolverOf().query('loop1.one.test', 'A')
    expect(answer).toEqual({ status: 'failed', reason: 'CNAME loop at loop1.one.test' })
  })

  it('are followed eight times and no more', async () => {
    expect(await resolverOf().query('c4.one.test', 'A')).toMatchObject({ status: 'found' })
    expect(await resolverOf().query('c3.one.test', 'A')).toEqual({ status: 'failed', reason: 'more than 8 CNAMEs' })
  })

  it('are asked for anew when the server stops at them', async () => {
    await using authoritative = await createZoneServer({
      zones: [one, two],
      recursive: false,
      deadline: systemDeadline,
    })
    const resolver = resolverOf({ servers: [authoritative.server] })
    expect(await resolver.query('away.one.test', 'A')).toMatchObject({ records: ['192.0.2.4'] })
    expect(authoritative.zones.asked('host.two.test', 'A')).toBe(1)
  })
})

describe('the cache', () => {
  it('ages answers by the clock and asks again after their TTL', async () => {
    const resolver = resolverOf()
    await resolver.query('mail.one.test', 'A')
    await clock.advance(59_000)
    expect(await resolver.query('MAIL.one.test', 'A')).toMatchObject({ ttlSeconds: 1 })
    expect(server.zones.asked('mail.one.test')).toBe(1)
    await clock.advance(1000)
    expect(await resolver.query('mail.one.test', 'A')).toMatchObject({ ttlSeconds: 60 })
    expect(server.zones.asked('mail.one.test')).toBe(2)
  })

  it('keeps "there is none" as long as the SOA says (RFC 2308), and not beyond the cap', async () => {
    const resolver = resolverOf({ limits: { maxNegativeTtlSeconds: 10 } })
    expect(await resolver.query('none.one.test', 'A')).toMatchObject({ ttlSeconds: 10 })
    await resolver.query('none.one.test', 'A')
    expect(server.zones.asked('none.one.test')).toBe(1)
    await clock.advance(10_000)
    await resolver.query('none.one.test', 'A')
    expect(server.zones.asked('none.one.test')).toBe(2)
  })

  it('keeps an answer no longer than the cap', async () => {
    const resolver = resolverOf({ limits: { maxTtlSeconds: 7 } })
    expect(await resolver.query('one.test', 'MX')).toMatchObject({ ttlSeconds: 7 })
  })

  it('remembers a failure for a moment (RFC 9520)', async () => {
    const resolver = resolverOf()
    server.zones.fault('one.test', { kind: 'servfail' }, { times: 1 })
    expect(await resolver.query('one.test', 'MX')).toMatchObject({ status: 'failed' })
    expect(await resolver.query('one.test', 'MX')).toMatchObject({ status: 'failed' })
    await clock.advance(5000)
    expect(await resolver.query('one.test', 'MX')).toMatchObject({ status: 'found' })
  })

  it('lets equal questions in flight share one query', async () => {
    const resolver = resolverOf()
    const answers = await Promise.all(Array.from({ length: 50 }, () => resolver.query('one.test', 'MX')))
    expect(new Set(answers).size).toBe(1)
    expect(server.zones.asked('one.test')).toBe(1)
  })
})

describe('servers', () => {
  it('ended the process where there was no way to the first of them, as while the network is down', async () => {
    // To the broadcast address no socket may connect that has not asked for it: connecting fails, like without a route.
    const resolver = resolverOf({ servers: ['255.255.255.255:53', server.server] })
    expect(await resolver.query('one.test', 'MX')).toMatchObject({ status: 'found' })
    expect(await resolverOf({ servers: ['255.255.255.255:53'] }).query('one.test', 'MX')).toMatchObject({
      status: 'failed',
    })
  })

  it('are tried in turn: one refuses, one is dead, one is silent, one answers', async () => {
    await using mute = await silent()
    await using refusing = await createZoneServer({ zones: [], recursive: false, deadline: systemDeadline })
    const gone = await createZoneServer({ zones: [], deadline: systemDeadline })
    await gone.close()
    const deadline = createManualDeadline()
    const resolver = resolverOf({
      servers: [refusing.server, gone.server, mute.server, server.server],
      deadline,
    })
    const first = resolver.query('one.test', 'MX')
    await expect.poll(() => mute.queries.length).toBe(1)
    deadline.expire(2000)
    expect(await first).toMatchObject({ status: 'found' })
    expect(refusing.zones.asked('one.test')).toBe(1)
    // Those that failed come last for a while.
    await resolver.query('mail.one.test', 'A')
    expect(mute.queries).toHaveLength(1)
    await clock.advance(30_000)
    const later = resolver.query('mail.one.test', 'AAAA')
    await expect.poll(() => mute.queries.length).toBe(2)
    deadline.expire(2000)
    expect(await later).toMatchObject({ status: 'found' })
  })

  it('that stay silent are asked once more, and then it failed', async () => {
    await using mute = await silent()
    const deadline = createManualDeadline()
    const answer = resolverOf({ servers: [mute.server], deadline }).query('one.test', 'MX')
    await expect.poll(() => mute.queries.length).toBe(1)
    deadline.expire(2000)
    await expect.poll(() => mute.queries.length).toBe(2)
    deadline.expire(4000)
    expect(await answer).toEqual({ status: 'failed', reason: 'no answer in time', server: mute.server })
    // RFC 5452 §9.2: each query from another port with another id.
    const [first, second] = mute.queries
    expect(first!.from.port).not.toBe(second!.from.port)
    expect(first!.octets.subarray(2)).toEqual(second!.octets.subarray(2))
  })

  it('are not waited for beyond the time for all attempts', async () => {
    await using mute = await silent()
    const deadline = createManualDeadline()
    const limits = { attemptTimeoutMs: 5000, totalTimeoutMs: 3000 }
    const answer = resolverOf({ servers: [mute.server, mute.server], deadline, limits }).query('one.test', 'MX')
    await expect.poll(() => mute.queries.length).toBe(1)
    deadline.expire(3000)
    expect(await answer).toEqual({ status: 'failed', reason: 'no answer in time' })
    expect(mute.queries).toHaveLength(1)
  })

  it.skipIf(noIpv6)('are reached over IPv6', async () => {
    await using six = await createZoneServer({ zones: [one], address: '::1', deadline: systemDeadline })
    expect(six.server).toBe(`[::1]:${six.port}`)
    const resolver = resolverOf({ servers: [six.server] })
    expect(await resolver.query('one.test', 'MX')).toMatchObject({ status: 'found' })
    expect(await resolver.query('big.one.test', 'TXT')).toMatchObject({ status: 'found' })
  })

  it.each([
    ['FORMERR', 1],
    ['NOTIMP', 4],
  ])('from before EDNS, which say %s, are asked without it', async (_name, flags) => {
    await using old = await createRawServer((query) => {
      const edns = query.readUInt16BE(10) > 0
      const id = query.readUInt16BE(0)
      if (edns) return [encode({ type: 'response', id, flags })]
      const questions = [{ type: 'A' as const, name: 'one.test', class: 'IN' as const }]
      return [
        encode({
          type: 'response',
          id,
          questions,
          answers: [{ type: 'A', name: 'one.test', ttl: 5, data: '192.0.2.1' }],
        }),
      ]
    })
    expect(await resolverOf({ servers: [old.server] }).query('one.test', 'A')).toMatchObject({ records: ['192.0.2.1'] })
  })

  it('must be addresses', () => {
    expect(() => resolverOf({ servers: ['dns.test'] })).toThrow('dns.test')
  })
})

describe('forgeries', () => {
  const response = (id: number, name: string, data: string): Buffer =>
    encode({
      type: 'response',
      id,
      questions: [{ type: 'A', name, class: 'IN' }],
      answers: [{ type: 'A', name, ttl: 60, data }],
    })

  it('with a wrong id, a wrong question or as junk are passed over, and the answer is taken', async () => {
    await using forger = await createRawServer((query) => {
      const id = query.readUInt16BE(0)
      return [
        response(id ^ 1, 'one.test', '203.0.113.1'),
        response(id, 'two.test', '203.0.113.2'),
        Buffer.from('junk'),
        query,
        response(id, 'one.test', '192.0.2.1'),
      ]
    })
    const resolver = resolverOf({ servers: [forger.server] })
    expect(await resolver.query('one.test', 'A')).toMatchObject({ records: ['192.0.2.1'] })
    expect(forger.queries).toHaveLength(1)
  })

  it('from another address never arrive', async () => {
    const stranger = createSocket('udp4')
    stranger.bind(0, '127.0.0.1')
    await once(stranger, 'listening')
    await using mute = await createRawServer((query) => {
      const { from } = mute.queries.at(-1)!
      if (query.toString() === 'after the forgery') return []
      stranger.send(response(query.readUInt16BE(0), 'one.test', '203.0.113.1'), from.port, from.address)
      return []
    })
    const deadline = createManualDeadline()
    const limits = { rounds: 1 }
    const answer = resolverOf({ servers: [mute.server], deadline, limits }).query('one.test', 'A')
    await expect.poll(() => mute.queries.length).toBe(1)
    await new Promise((sent) => stranger.send('after the forgery', mute.port, '127.0.0.1', sent))
    await expect.poll(() => mute.queries.length).toBe(2)
    deadline.expire(2000)
    expect(await answer).toMatchObject({ status: 'failed' })
    stranger.close()
    await once(stranger, 'close')
  })

  it('in a flood drive the query to TCP', async () => {
    await using forger = await createRawServer((query) =>
      Array.from({ length: 40 }, (_, i) => response(query.readUInt16BE(0) ^ (i + 1), 'one.test', '203.0.113.1')),
    )
    const resolver = resolverOf({ servers: [forger.server] })
    // Nobody listens there over TCP.
    expect(await resolver.query('one.test', 'A')).toMatchObject({
      reason: 'ECONNREFUSED over TCP',
    })
  })
})

it('a server that is not to be had over TCP was said to give no answer at all', async () => {
  const refusing = createServer((socket) => socket.resetAndDestroy())
  refusing.listen(0, '127.0.0.1')
  await once(refusing, 'listening')
  const { port } = refusing.address() as AddressInfo
  const datagrams = createSocket('udp4')
  datagrams.on('message', (octets, from) => {
    octets.writeUInt16BE(0x8380, 2)
    octets.writeUInt16BE(0, 10)
    datagrams.send(octets.subarray(0, octets.length - 11), from.port, from.address)
  })
  datagrams.bind(port, '127.0.0.1')
  await once(datagrams, 'listening')
  const servers = [`127.0.0.1:${port}`]
  expect(await resolverOf({ servers }).query('one.test', 'MX')).toEqual({
    status: 'failed',
    reason: 'ECONNRESET over TCP',
    server: servers[0],
  })
  refusing.close()
  datagrams.close()
})

describe('patience', () => {
  it('ends with the signal, and with its reason', async () => {
    const resolver = resolverOf()
    server.zones.fault('one.test', { kind: 'drop' })
    await expect(resolver.query('one.test', 'MX', AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late')
    const giveUp = new AbortController()
    const waiting = resolver.query('one.test', 'MX', giveUp.signal)
    giveUp.abort(new Error('hung up'))
    await expect(waiting).rejects.toThrow('hung up')
    await expect.poll(() => clock.held().length).toBe(0)
  })

  it('of one caller is not that of another who asked the same', async () => {
    const resolver = resolverOf()
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    server.zones.fault('one.test', { kind: 'delay', until: () => gate })
    const giveUp = new AbortController()
    const hasty = resolver.query('one.test', 'MX', giveUp.signal)
    const calm = resolver.query('one.test', 'MX', new AbortController().signal)
    giveUp.abort(new Error('hung up'))
    await expect(hasty).rejects.toThrow('hung up')
    release()
    expect(await calm).toMatchObject({ status: 'found' })
    expect(server.zones.asked('one.test')).toBe(1)
  })

  it('holds a virtual clock while a query is in flight', async () => {
    const query = resolverOf().query('one.test', 'MX')
    expect(clock.held().length).toBe(1)
    await query
    expect(clock.held().length).toBe(0)
  })

  it('is asked of many at once: so many go out, so many wait, the rest fail', async () => {
    const resolver = resolverOf({ limits: { inFlight: 2, waiting: 3 } })
    const names = Array.from({ length: 7 }, (_, i) => `c${i + 5}.one.test`)
    const answers = await Promise.all(names.map((name) => resolver.query(name, 'A')))
    expect(answers.map((answer) => answer.status)).toEqual([...Array(5).fill('found'), 'failed', 'failed'])
    expect(answers.at(-1)).toMatchObject({ reason: 'more than 3 DNS queries waiting' })
  })
})

it('close ends what is in flight and everything later, without an error', async () => {
  const resolver = resolverOf()
  server.zones.fault('one.test', { kind: 'drop' })
  const waiting = resolver.query('one.test', 'MX')
  resolver.close()
  expect(await waiting).toEqual({ status: 'failed', reason: 'the resolver is closed' })
  expect(await resolver.query('mail.one.test', 'A')).toEqual({ status: 'failed', reason: 'the resolver is closed' })
})
