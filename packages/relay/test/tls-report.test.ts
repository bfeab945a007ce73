/** Reports of TLS sessions (RFC 8460): what is counted, to whom it goes, and what it says. */
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createStsPolicies, type Https } from '../src/index.ts'
import { mail, root } from './certificates.ts'
import { day, everything, hour, minute, PostOffice, type Row } from './post-office.ts'

const withTls = { capabilities: [...everything, 'STARTTLS'] }

async function reporting(rua: string) {
  const posted: { url: string; body: Buffer }[] = []
  const tlsReports: Https = async ({ host, path, body }) => {
    posted.push({ url: `https://${host}${path}`, body: body ?? Buffer.alloc(0) })
    return { status: 201, contentType: '', body: Buffer.alloc(0) }
  }
  const office = await PostOffice.open({ tlsReports })
  office.zone('two.test', [['_smtp._tls', 'TXT', `v=TLSRPTv1; rua=${rua}`]])
  return { office, posted }
}

/** Begins anew with a relay that finds this policy for every domain. */
async function underPolicy(office: PostOffice, page: () => { status?: number; text: string }): Promise<void> {
  const { resolver, clock, log } = office
  const https: Https = async () => {
    const { status = 200, text } = page()
    return { status, contentType: 'text/plain', body: Buffer.from(text) }
  }
  await office.relay.stop(0)
  office.relay = office.createRelay({ sts: createStsPolicies({ resolver, https, clock, log, port: 443 }), ca: [root] })
  office.relay.start()
  office.zone('two.test', [['_mta-sts', 'TXT', 'v=STSv1; id=1;']])
}

test('a day of sessions is posted once, and not again', async () => {
  const { office, posted } = await reporting('https://reports.two.test/tls?x=1')
  await using _office = office
  office.peer('192.0.2.2', withTls)
  await office.send()
  await office.advance(hour)
  office.peer('192.0.2.2', { capabilities: everything })
  await office.send()
  await office.advance(day + 4 * hour)
  expect(posted.map(({ url }) => url)).toEqual(['https://reports.two.test/tls?x=1'])
  const report = JSON.parse(gunzipSync(posted[0]!.body).toString())
  expect(report).toMatchObject({
    'organization-name': 'mail.one.test',
    'contact-info': 'postmaster@one.test',
    'date-range': { 'start-datetime': '2026-01-01T00:00:00Z', 'end-datetime': '2026-01-01T23:59:59Z' },
    policies: [
      {
        policy: { 'policy-type': 'no-policy-found', 'policy-domain': 'two.test' },
        summary: { 'total-successful-session-count': 1, 'total-failure-session-count': 1 },
        'failure-details': [
          {
            'result-type': 'starttls-not-supported',
            'receiving-mx-hostname': 'mx.two.test',
            'receiving-ip': '192.0.2.2',
            'failed-session-count': 1,
          },
        ],
      },
    ],
  })
  await office.advance(2 * day)
  expect(posted).toHaveLength(1)
})

test('of an MTA-STS policy the hosts that were met were told, not the names in it', async () => {
  const { office, posted } = await reporting('https://reports.two.test/tls')
  await using _office = office
  const text = 'version: STSv1\nmode: testing\nmx: *.two.test\nmx: mail.two.test\nmax_age: 604800\n'
  await underPolicy(office, () => ({ text }))
  office.peer('192.0.2.2', withTls)
  await office.send()
  await office.advance(day + 4 * hour)
  expect(JSON.parse(gunzipSync(posted[0]!.body).toString()).policies[0].policy).toEqual({
    'policy-type': 'sts',
    'policy-string': ['version: STSv1', 'mode: testing', 'mx: *.two.test', 'mx: mail.two.test', 'max_age: 604800'],
    'policy-domain': 'two.test',
    'mx-host': ['*.two.test', 'mail.two.test'],
  })
})

test('an MTA-STS policy that changed in the day was told as it is at night', async () => {
  const { office, posted } = await reporting('https://reports.two.test/tls')
  await using _office = office
  let mode = ''
  await underPolicy(office, () => ({ text: `version: STSv1\nmode: ${mode}\nmx: mx.two.test\nmax_age: 604800\n` }))
  office.peer('192.0.2.2', { ...withTls, tls: mail })
  for (const [id, each] of ['testing', 'enforce', 'none'].entries()) {
    mode = each
    office.zone('two.test', [['_mta-sts', 'TXT', `v=STSv1; id=${id};`]])
    await office.send()
    await office.advance(hour)
  }
  await office.advance(day + 4 * hour)
  const { policies } = JSON.parse(gunzipSync(posted[0]!.body).toString())
  const told = policies.map(({ policy, summary }: { policy: Record<string, string[]>; summary: object }) => {
    return [policy['policy-string']?.[1] ?? 'none', ...Object.values(summary)]
  })
  expect(told).toHaveLength(3)
  expect(told).toEqual(
    expect.arrayContaining([
      ['mode: testing', 1, 0],
      ['mode: enforce', 1, 0],
      ['none', 1, 0],
    ]),
  )
})

test('a day before a night in which no server ran was told to nobody', async () => {
  const { office, posted } = await reporting('https://reports.two.test/tls')
  await using _office = office
  office.peer('192.0.2.2', withTls)
  await office.send()
  await office.relay.stop(0)
  await office.advance(day + 5 * hour)
  office.relay = office.createRelay()
  office.relay.start()
  await office.send()
  await office.advance(day)
  const ranges = posted.map(({ body }) => JSON.parse(gunzipSync(body).toString())['date-range']['start-datetime'])
  expect(ranges).toEqual(['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'])
})

test('in a night that had its reports, it was looked for some again', async () => {
  const looks: string[] = []
  await using office = await PostOffice.open(({ store, clock }) => {
    const list: typeof store.memory.list = (kind, ...rest) => {
      if (kind === 'tls-session') looks.push(new Date(clock.now()).toISOString().slice(0, 10))
      return store.memory.list(kind, ...rest)
    }
    return {
      store: { ...store, memory: { ...store.memory, list } },
      tlsReports: () => Promise.reject(new Error('nobody is asked')),
    }
  })
  await office.advance(20 * day)
  expect(looks).toHaveLength(20)
  expect(new Set(looks).size).toBe(20)
})

test('a server that begins anew each night told nobody of any day', async () => {
  const { office, posted } = await reporting('https://reports.two.test/tls')
  await using _office = office
  office.peer('192.0.2.2', withTls)
  await office.advance(hour)
  await office.send()
  await office.advance(23 * hour + minute)
  for (let night = 0; night < 4; night++) {
    await office.relay.stop(0)
    office.relay = office.createRelay()
    office.relay.start()
    await office.advance(day)
  }
  expect(posted).toHaveLength(1)
})

test('a report that a site did not take, or nobody could be asked about, was lost', async () => {
  const urls: string[] = []
  let status = 503
  const tlsReports: Https = async ({ host }) => {
    urls.push(host)
    return { status: host === 'up.two.test' ? 201 : status, contentType: '', body: Buffer.alloc(0) }
  }
  await using office = await PostOffice.open({ tlsReports })
  const query = office.resolver.query.bind(office.resolver)
  let isDown = true
  office.resolver.query = (async (name, type) =>
    isDown && name.startsWith('_smtp._tls')
      ? { status: 'failed', reason: 'timeout' }
      : query(name, type)) as typeof office.resolver.query
  const rua = 'https://up.two.test/,https://down.two.test/'
  office.zone('two.test', [['_smtp._tls', 'TXT', `v=TLSRPTv1; rua=${rua}`]])
  office.peer('192.0.2.2', withTls)
  await office.send()
  await office.advance(day + 4 * hour)
  expect(urls).toEqual([])
  isDown = false
  await office.advance(4 * hour)
  expect(urls.slice(0, 2)).toEqual(['up.two.test', 'down.two.test'])
  status = 201
  await office.advance(16 * hour)
  // The one that had it was not told again, the other when it took it.
  expect(urls.filter((host) => host === 'up.two.test')).toHaveLength(1)
  const tried = urls.length
  await office.advance(2 * day)
  expect(urls).toHaveLength(tried)
})

test('a site that says nothing keeps the server from no stop, and is told in the next night', async () => {
  const asked: string[] = []
  const silence = Promise.withResolvers<void>()
  const tlsReports: Https = async ({ host, signal }) => {
    asked.push(host)
    if (asked.length === 2) {
      silence.resolve()
      await new Promise((_, reject) => signal!.addEventListener('abort', reject))
    }
    return { status: 201, contentType: '', body: Buffer.alloc(0) }
  }
  await using office = await PostOffice.open({ tlsReports })
  for (const name of ['a', 'b', 'c']) {
    const mx: Row[] = [
      ['@', 'MX', '10 mx'],
      ['mx', 'A', '192.0.2.2'],
    ]
    office.zone(`${name}.test`, [...mx, ['_smtp._tls', 'TXT', `v=TLSRPTv1; rua=https://${name}.test/`]])
  }
  office.peer('192.0.2.2', withTls)
  for (const name of ['a', 'b', 'c']) {
    await office.send({ destination: `${name}.test`, recipients: [{ forwardPath: `bob@${name}.test` }] })
  }
  const passed = office.advance(day + 4 * hour)
  await silence.promise
  await office.relay.stop(0)
  await passed
  expect(asked).toEqual(['a.test', 'b.test', 'c.test'])
  office.relay = office.createRelay()
  office.relay.start()
  await office.advance(day)
  expect(asked.slice(3)).toEqual(['b.test'])
})

test.each([
  ['at once', 'https://a.test/'],
  ['of two sites only one', 'https://a.test/,https://silent.test/'],
])('a report that was taken while the server stopped was sent again in the next night: %s', async (_, rua) => {
  const asked: string[] = []
  const isAsked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  const tlsReports: Https = async ({ host, signal }) => {
    asked.push(host)
    const isSilent = host === 'silent.test' && asked.length === 2
    if (isSilent) await new Promise((_, reject) => signal!.addEventListener('abort', reject))
    isAsked.resolve()
    if (!rua.includes('silent')) await answer.promise
    return { status: 201, contentType: '', body: Buffer.alloc(0) }
  }
  await using office = await PostOffice.open({ tlsReports })
  office.zone('two.test', [['_smtp._tls', 'TXT', `v=TLSRPTv1; rua=${rua}`]])
  office.peer('192.0.2.2', withTls)
  await office.send()
  const passed = office.advance(day + 4 * hour)
  await isAsked.promise
  await new Promise((resolve) => setImmediate(resolve))
  const stopped = office.relay.stop(0)
  answer.resolve()
  await stopped
  await passed
  const before = asked.length
  office.relay = office.createRelay()
  office.relay.start()
  await office.advance(2 * day)
  expect(asked.slice(before)).toEqual([])
})

test('a report that nobody takes is not tried for ever', async () => {
  let tried = 0
  const tlsReports: Https = async () => {
    tried++
    throw new Error('no connection')
  }
  await using office = await PostOffice.open({ tlsReports })
  office.zone('two.test', [['_smtp._tls', 'TXT', 'v=TLSRPTv1; rua=https://reports.two.test/']])
  office.peer('192.0.2.2', withTls)
  await office.send()
  await office.advance(4 * day)
  // At once, and after one, three, seven and fifteen hours.
  expect(tried).toBe(5)
})

test('by mail: a multipart/report that goes whatever TLS is like, and nobody is told of its fate', async () => {
  const { office } = await reporting('mailto:tls@two.test')
  await using _office = office
  const records: readonly Row[] = [
    ['@', 'MX', '10 mx'],
    ['mx', 'A', '192.0.2.2'],
    ['_25._tcp.mx', 'TLSA', `3 1 1 ${'00'.repeat(32)}`],
    ['_smtp._tls', 'TXT', 'v=TLSRPTv1; rua=mailto:tls@two.test'],
  ]
  office.secureZone('two.test', records)
  const peer = office.peer('192.0.2.2', { ...withTls, tls: mail })
  await office.send()
  await office.advance(day + 4 * hour)
  const [sent] = peer.transactions
  expect(sent!.mail).toContain('FROM:<postmaster@one.test>')
  expect(sent!.recipients[0]).toBe('TO:<tls@two.test> NOTIFY=NEVER')
  const text = sent!.content.toString()
  expect(text).toContain('TLS-Report-Domain: two.test\r\nTLS-Report-Submitter: mail.one.test\r\nTLS-Required: No\r\n')
  const zipped = /application\/tlsrpt\+gzip[\s\S]*?\r\n\r\n([A-Za-z0-9+/=\r\n]+?)--report/.exec(text)?.[1] ?? ''
  expect(JSON.parse(gunzipSync(Buffer.from(zipped, 'base64')).toString()).policies).toMatchObject([
    { policy: { 'policy-type': 'tlsa' }, 'failure-details': [{ 'result-type': 'validation-failure' }] },
  ])
})

test('the report for an address of an internationalized domain had octets that its host does not take', async () => {
  const { office } = await reporting('mailto:tls@b%C3%BCcher.test')
  await using _office = office
  office.zone('xn--bcher-kva.test', [
    ['@', 'MX', '10 mx'],
    ['mx', 'A', '192.0.2.3'],
  ])
  office.peer('192.0.2.2', withTls)
  const peer = office.peer('192.0.2.3', { capabilities: ['PIPELINING'] })
  await office.send()
  await office.advance(day + 4 * hour)
  expect(peer.transactions[0]!.recipients).toEqual(['TO:<tls@xn--bcher-kva.test>'])
  expect(peer.transactions[0]!.content.toString()).toContain('\r\nTo: <tls@xn--bcher-kva.test>\r\n')
})

test('the report for an address beyond ASCII was forwarded as if its header were ASCII', async () => {
  const { office } = await reporting('mailto:j%C3%BCrgen@one.test')
  await using _office = office
  await office.store.directory.putAlias({ address: 'jürgen@one.test', targets: ['bob@two.test'] })
  const peer = office.peer('192.0.2.2', withTls)
  await office.send()
  await office.advance(day + 4 * hour)
  const sent = peer.transactions.at(-1)!
  expect(sent.content.toString()).toContain('\r\nTo: <jürgen@one.test>\r\n')
  expect([sent.recipients, sent.mail]).toEqual([
    ['TO:<bob@two.test> NOTIFY=NEVER'],
    expect.stringContaining(' SMTPUTF8'),
  ])
})

test.each(['written', 'signed'])('of a report that could not be %s, what was staged stayed', async (fault) => {
  let staged = 0
  let isFaulty = true
  const trouble = (): Promise<never> => Promise.reject(new Error('not now'))
  const silent: Https = async () => ({ status: 201, contentType: '', body: Buffer.alloc(0) })
  await using office = await PostOffice.open(({ store }) => {
    const stage: typeof store.mail.stage = (...promised) => {
      const made = store.mail.stage(...promised)
      staged++
      return {
        write: (octets) => (fault === 'written' && isFaulty ? trouble() : made.write(octets)),
        finish: () => made.finish(),
        discard() {
          staged--
          return made.discard()
        },
      }
    }
    const signer = { sign: () => (fault === 'signed' && isFaulty ? trouble() : Promise.resolve('')) }
    return { tlsReports: silent, signer, store: { ...store, mail: { ...store.mail, stage } } }
  })
  office.zone('two.test', [['_smtp._tls', 'TXT', 'v=TLSRPTv1; rua=mailto:tls@two.test']])
  const peer = office.peer('192.0.2.2', withTls)
  await office.send()
  await office.advance(day + 4 * hour)
  expect([staged, peer.transactions.length]).toEqual([0, 1])
  isFaulty = false
  await office.advance(8 * hour)
  expect([staged, peer.transactions.length]).toEqual([1, 2])
})

test('an address with line ends behind its percent signs gets nothing, and keeps the report from nobody else', async () => {
  const hostile = ['mailto:tls+%0D%0AX-Evil:%201@two.test', 'mailto:%@two.test']
  const { office, posted } = await reporting([...hostile, 'https://reports.two.test/tls'].join(','))
  await using _office = office
  const peer = office.peer('192.0.2.2', withTls)
  await office.send()
  await office.advance(day + 4 * hour)
  expect(posted).toHaveLength(1)
  expect(peer.transactions).toHaveLength(1)
  expect(await Array.fromAsync(office.store.queue.list({}))).toEqual([])
})

test('who does not ask gets none, and nothing is kept', async () => {
  const { office, posted } = await reporting('nonsense')
  await using _office = office
  office.peer('192.0.2.2', withTls)
  await office.send()
  await office.advance(day + 4 * hour)
  expect(posted).toEqual([])
  expect(await office.store.memory.list('tls-session', office.clock.now(), { limit: 10 })).toEqual([])
})

describe('trouble with a policy is reported like a session that failed', () => {
  const failures = async (office: PostOffice, posted: { body: Buffer }[]) => {
    await office.send()
    await office.advance(day + 4 * hour)
    const report = JSON.parse(gunzipSync(posted[0]!.body).toString())
    return report.policies as { policy: Record<string, unknown>; summary: object; 'failure-details': object[] }[]
  }

  test('an MTA-STS policy that cannot be had', async () => {
    const posted: { body: Buffer }[] = []
    const tlsReports: Https = async ({ body }) => {
      posted.push({ body: body ?? Buffer.alloc(0) })
      return { status: 201, contentType: '', body: Buffer.alloc(0) }
    }
    const https: Https = async () => ({ status: 404, contentType: 'text/plain', body: Buffer.alloc(0) })
    await using office = await PostOffice.open(({ resolver, clock, log }) => ({
      tlsReports,
      sts: createStsPolicies({ resolver, https, clock, log, port: 443 }),
    }))
    office.zone('two.test', [
      ['_mta-sts', 'TXT', 'v=STSv1; id=1;'],
      ['_smtp._tls', 'TXT', 'v=TLSRPTv1; rua=https://reports.two.test/'],
    ])
    office.peer('192.0.2.2', withTls)
    const policies = await failures(office, posted)
    expect(policies.find(({ policy }) => policy['policy-type'] === 'sts')).toMatchObject({
      policy: { 'policy-domain': 'two.test', 'mx-host': [] },
      summary: { 'total-successful-session-count': 0, 'total-failure-session-count': 1 },
      'failure-details': [
        {
          'result-type': 'sts-policy-fetch-error',
          'failed-session-count': 1,
          'failure-reason-code': 'the page answers 404',
        },
      ],
    })
  })

  test('an MTA-STS policy that could not be had was told with the one that is kept', async () => {
    const { office, posted } = await reporting('https://reports.two.test/')
    await using _office = office
    let status = 200
    await underPolicy(office, () => ({
      status,
      text: 'version: STSv1\nmode: testing\nmx: mx.two.test\nmax_age: 604800\n',
    }))
    office.peer('192.0.2.2', withTls)
    await office.send()
    await office.advance(minute)
    status = 500
    office.zone('two.test', [['_mta-sts', 'TXT', 'v=STSv1; id=2;']])
    const [policy] = await failures(office, posted)
    expect(policy!['failure-details']).toContainEqual({
      'result-type': 'sts-policy-fetch-error',
      'failed-session-count': 1,
      'failure-reason-code': 'the page answers 500',
    })
  })

  test.each(['enforce', 'testing'])('an MTA-STS policy that does not name the host: %s', async (mode) => {
    const { office, posted } = await reporting('https://reports.two.test/')
    await using _office = office
    const text = `version: STSv1\nmode: ${mode}\nmx: other.two.test\nmax_age: 604800\n`
    await underPolicy(office, () => ({ text }))
    office.peer('192.0.2.2', { ...withTls, tls: mail })
    const policies = await failures(office, posted)
    expect(policies).toMatchObject([
      {
        policy: { 'policy-type': 'sts', 'mx-host': ['other.two.test'] },
        summary: { 'total-successful-session-count': 0 },
        'failure-details': [
          {
            'result-type': 'validation-failure',
            'receiving-mx-hostname': 'mx.two.test',
            'failure-reason-code': 'the policy does not name this host',
          },
        ],
      },
    ])
  })

  test('a certificate that the TLSA records do not stand for was told in a word of ours', async () => {
    const { office, posted } = await reporting('https://reports.two.test/')
    await using _office = office
    office.secureZone('two.test', [
      ['@', 'MX', '10 mx'],
      ['mx', 'A', '192.0.2.2'],
      ['_25._tcp.mx', 'TLSA', `3 1 1 ${'00'.repeat(32)}`],
      ['_smtp._tls', 'TXT', 'v=TLSRPTv1; rua=https://reports.two.test/'],
    ])
    office.peer('192.0.2.2', withTls)
    const [policy] = await failures(office, posted)
    expect(policy!.policy['policy-string']).toEqual([`3 1 1 ${'00'.repeat(32)}`])
    expect(policy!['failure-details'][0]).toMatchObject({
      'result-type': 'validation-failure',
      'failure-reason-code': 'the certificate is none that the TLSA records stand for',
    })
  })

  test('TLSA records that nobody can use', async () => {
    const { office, posted } = await reporting('https://reports.two.test/')
    await using _office = office
    office.secureZone('two.test', [
      ['@', 'MX', '10 mx'],
      ['mx', 'A', '192.0.2.2'],
      ['_25._tcp.mx', 'TLSA', `1 1 1 ${'00'.repeat(32)}`],
      ['_smtp._tls', 'TXT', 'v=TLSRPTv1; rua=https://reports.two.test/'],
    ])
    office.peer('192.0.2.2', withTls)
    const policies = await failures(office, posted)
    expect(policies.map(({ policy }) => policy['policy-string'])).toEqual([[`1 1 1 ${'00'.repeat(32)}`]])
    const details = policies.flatMap((policy) => policy['failure-details'])
    expect(details).toContainEqual({
      'result-type': 'tlsa-invalid',
      'receiving-mx-hostname': 'mx.two.test',
      'failed-session-count': 1,
    })
  })
})
