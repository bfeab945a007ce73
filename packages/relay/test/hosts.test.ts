/** Which next hop gets the message, and what becomes of it when one does not want it. */
import { type Deadline, type Dialer, type JourneyId, type Resolver, systemDeadline } from '@pennypost/model'
import { describe, expect, test } from 'vitest'
import type { RelayOptions } from '../src/index.ts'
import { day, everything, hour, minute, PostOffice, type Row } from './post-office.ts'

const twoHosts = [
  ['@', 'MX', '10 a'],
  ['@', 'MX', '20 b'],
  ['a', 'A', '192.0.2.10'],
  ['b', 'A', '192.0.2.20'],
] as const

async function withTwoHosts(options: Partial<RelayOptions> = {}): Promise<PostOffice> {
  const office = await PostOffice.open(options)
  office.zone('three.test', twoHosts)
  return office
}

/** The zone where the first host is at so many addresses, 198.51.100.0 and up. */
const firstAt = (count: number) => [
  ...twoHosts.filter(([name]) => name !== 'a'),
  ...Array.from({ length: count }, (_, at) => ['a', 'A', `198.51.100.${at}`] as const),
]

const toThree = { destination: 'three.test', recipients: [{ forwardPath: 'carol@three.test' }] }

test('a message goes to the MX of its domain, and its journey tells the way', async () => {
  await using office = await PostOffice.open()
  const mx = office.peer('192.0.2.2')
  const journey = await office.send()
  expect(mx.transactions).toHaveLength(1)
  expect(mx.transactions[0]).toMatchObject({ recipients: ['TO:<bob@two.test>'] })
  expect(mx.transactions[0]!.mail).toBe('FROM:<alice@one.test> SIZE=96')
  expect(mx.transactions[0]!.content.toString()).toContain('\r\n\r\nHello Bob.\r\n')
  expect(await office.queue()).toEqual([])
  expect(await office.trace(journey)).toEqual([
    'attempt mx.two.test 192.0.2.2',
    'delivered bob@two.test 250 2.0.0 Ok: queued as SCRIPTED',
  ])
  const [attempt] = await office.events(journey, 'attempt')
  expect(attempt).toMatchObject({ destination: 'two.test', tlsReason: 'not offered' })
  expect(attempt!.dns).toEqual(['MX two.test: 10 mx.two.test', 'A mx.two.test: 192.0.2.2', 'AAAA mx.two.test: nodata'])
  expect(attempt!.transcript).toContain('C: MAIL FROM:<alice@one.test> SIZE=96')
})

test('a connection that never came about, or was turned away at the door, was said to be in clear', async () => {
  await using office = await withTwoHosts()
  office.peer('192.0.2.20', { script: { GREETING: '554 5.7.1 not you' } })
  const attempts = await office.events(await office.send(toThree), 'attempt')
  expect(attempts.map(({ host, tls, tlsReason }) => [host, tls, tlsReason])).toEqual([
    ['a.three.test', undefined, undefined],
    ['b.three.test', undefined, undefined],
  ])
})

describe('the next MX is tried', () => {
  test('when the first cannot be reached', async () => {
    await using office = await withTwoHosts()
    const b = office.peer('192.0.2.20')
    const journey = await office.send(toThree)
    expect(b.transactions).toHaveLength(1)
    expect(await office.trace(journey)).toEqual([
      expect.stringContaining(
        'attempt a.three.test 192.0.2.10 451 4.4.1 a.three.test[192.0.2.10]:25: connect ECONNREFUSED',
      ),
      'attempt b.three.test 192.0.2.20',
      expect.stringContaining('delivered carol@three.test'),
    ])
  })

  test.each(['421 4.3.2 closing', '450 busy', '554 5.7.1 not you'])(
    'when the first greets with %s',
    async (greeting) => {
      await using office = await withTwoHosts()
      office.peer('192.0.2.10', { script: { GREETING: greeting } })
      const b = office.peer('192.0.2.20')
      await office.send(toThree)
      expect(b.transactions).toHaveLength(1)
    },
  )

  test('and the journey did not say why the first was given up in the middle of a transaction', async () => {
    for (const [RCPT, why] of [
      [{ drop: true }, /^451 4\.4\.2 .*closed/],
      ['421 4.3.2 shutting down', /^421 4\.3\.2 shutting down$/],
    ] as const) {
      await using office = await withTwoHosts()
      office.peer('192.0.2.10', { script: { RCPT } })
      office.peer('192.0.2.20')
      const [first, second] = await office.events(await office.send(toThree), 'attempt')
      expect(first?.error).toMatch(why)
      expect(second?.error).toBeUndefined()
    }
  })

  test('when the first breaks the connection, or says 421, before it has the content', async () => {
    for (const RCPT of [{ drop: true }, '421 4.3.2 shutting down']) {
      await using office = await withTwoHosts()
      office.peer('192.0.2.10', { script: { RCPT } })
      const b = office.peer('192.0.2.20')
      const journey = await office.send(toThree)
      expect(b.transactions).toHaveLength(1)
      expect((await office.events(journey, 'attempt')).map(({ host }) => host)).toEqual([
        'a.three.test',
        'b.three.test',
      ])
    }
  })

  test.each(['550 5.1.1 no such user', '450 4.2.1 come again'])(
    'though the one before said 421 and it said %s to the letter before',
    async (refusal) => {
      await using office = await withTwoHosts()
      office.peer('192.0.2.10', { script: { MAIL: '421 4.7.0 too much from you' } })
      const b = office.peer('192.0.2.20', { script: { RCPT: (path) => (/nobody/.test(path) ? refusal : undefined) } })
      await office.send({ ...toThree, recipients: [{ forwardPath: 'nobody@three.test' }] })
      // No connection is kept any more.
      await office.advance(10_000)
      await office.send(toThree)
      expect(b.transactions).toHaveLength(1)
    },
  )

  test('when the first has more dead addresses than one attempt tries', async () => {
    await using office = await withTwoHosts()
    office.zone('three.test', firstAt(12))
    const b = office.peer('192.0.2.20')
    await office.send(toThree)
    expect(b.transactions).toHaveLength(1)
  })

  test('which is away too: then the rest of the first, which was never tried', async () => {
    await using office = await withTwoHosts()
    office.zone('three.test', firstAt(9))
    const last = office.peer('198.51.100.8')
    await office.send(toThree)
    expect(last.transactions).toHaveLength(1)
    expect(office.dialled[5]).toBe('192.0.2.20:25')
  })

  test('but not when it defers the recipient: that is the domain’s word', async () => {
    await using office = await withTwoHosts()
    office.peer('192.0.2.10', { script: { RCPT: '451 4.7.1 greylisted' } })
    const b = office.peer('192.0.2.20')
    await office.send(toThree)
    expect(b.sessions).toHaveLength(0)
    expect(await office.queue()).toMatchObject([{ recipients: [{ lastReply: '451 4.7.1 greylisted' }] }])
  })
})

test('what the first host said was forgotten over a second one that could not be reached', async () => {
  await using office = await withTwoHosts()
  office.peer('192.0.2.10', { script: { GREETING: '421 4.3.2 closed until noon' } })
  await office.send(toThree)
  expect(await office.queue()).toMatchObject([{ recipients: [{ lastReply: '421 4.3.2 closed until noon' }] }])
})

test('nobody heard of a host that offered STARTTLS no more', async () => {
  await using office = await PostOffice.open()
  office.peer('192.0.2.2', { capabilities: [...everything, 'STARTTLS'] })
  await office.send()
  await office.advance(minute)
  const peer = office.peer('192.0.2.2', { capabilities: everything })
  const reasons: (string | undefined)[] = []
  for (let i = 0; i < 2; i++) {
    const [attempt] = await office.events(await office.send(), 'attempt')
    reasons.push(attempt!.tlsReason)
    await office.advance(minute)
  }
  expect(peer.transactions).toHaveLength(2)
  expect(reasons).toEqual(['not offered, as it was before', 'not offered, as it was before'])
  const told = office.logged.filter(({ level }) => level === 'warn')
  expect(told).toEqual([
    {
      level: 'warn',
      facts: { host: 'mx.two.test', address: '192.0.2.2' },
      text: 'a host that had TLS offers none any more',
    },
  ])
})

test('a host that could not be reached lately is tried after the others', async () => {
  await using office = await withTwoHosts()
  office.peer('192.0.2.20')
  await office.send(toThree)
  await office.advance(60_000)
  await office.send(toThree)
  expect(office.dialled).toEqual(['192.0.2.10:25', '192.0.2.20:25', '192.0.2.20:25'])
})

test('a host behind ten addresses that are dead got the second letter, and the first never', async () => {
  await using office = await PostOffice.open()
  const hosts = Array.from({ length: 11 }, (_, nth): Row[] => [
    ['@', 'MX', `${nth} mx${nth}`],
    [`mx${nth}`, 'A', `192.0.2.${nth + 100}`],
  ])
  office.zone('three.test', hosts.flat())
  const peer = office.peer('192.0.2.110')
  await office.send(toThree)
  await office.advance(17 * minute)
  expect(peer.transactions).toHaveLength(1)
})

test('the journey did not say why the best host was passed over', async () => {
  await using office = await withTwoHosts()
  office.peer('192.0.2.20')
  const first = await office.send(toThree)
  await office.advance(60_000)
  const second = await office.send(toThree)
  const dnsOf = async (journey: JourneyId) => (await office.events(journey, 'attempt'))[0]!.dns
  expect(await dnsOf(second)).toContain('last, as it could not be reached lately: 192.0.2.10')
  expect((await dnsOf(first))!.join()).not.toContain('lately')
})

test('what DNS said stood in the journey again for the host that took the mail', async () => {
  await using office = await withTwoHosts()
  office.peer('192.0.2.20')
  const attempts = await office.events(await office.send(toThree), 'attempt')
  expect(attempts.map(({ host, dns }) => [host, dns?.length])).toEqual([
    ['a.three.test', 5],
    ['b.three.test', undefined],
  ])
})

test.each(['GREETING', 'EHLO', 'STARTTLS', 'MAIL'] as const)(
  'a host that is silent before its %s was called first again and again',
  async (verb) => {
    const patienceMs = 12_345
    let giveUp = () => {}
    const after: Deadline['after'] = (ms, expire) => {
      if (ms === patienceMs) giveUp = expire
      return systemDeadline.after(ms, expire)
    }
    await using office = await withTwoHosts({
      timeouts: { greetingMs: patienceMs, helloMs: patienceMs, mailMs: patienceMs },
      tlsDemands: [{ domain: 'three.test', level: 'encrypt' }],
      deadline: { ...systemDeadline, after },
    })
    const silence = () => {
      setImmediate(() => giveUp())
      return {}
    }
    const capabilities = [...everything, 'STARTTLS']
    const mute = office.peer('192.0.2.10', { capabilities, script: { [verb]: silence } })
    const next = office.peer('192.0.2.20', { capabilities })
    await office.send(toThree)
    await office.advance(60_000)
    await office.send(toThree)
    expect(next.transactions).toHaveLength(2)
    expect(mute.sessions).toHaveLength(1)
  },
)

test('a bounce told strangers which name servers we ask', async () => {
  const query: Resolver['query'] = async () => ({ status: 'failed', reason: 'SERVFAIL', server: '10.0.0.53:53' })
  await using office = await PostOffice.open({ resolver: { query } })
  const journey = await office.send()
  expect((await office.trace(journey)).at(-1)).toBe('deferred bob@two.test 451 4.4.3 MX of two.test: SERVFAIL')
  expect((await office.events(journey, 'attempt'))[0]!.dns).toEqual(['MX two.test: SERVFAIL from 10.0.0.53:53'])
})

test('a connection that took too long was told with the number of an exception', async () => {
  const connect: Dialer['connect'] = (_, signal) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  await using office = await PostOffice.open(({ dialer }) => ({
    dialer: { ...dialer, connect },
    limits: { connectMs: 1 },
  }))
  const journey = await office.send()
  expect((await office.trace(journey)).at(-1)).toBe(
    'deferred bob@two.test 451 4.4.1 mx.two.test[192.0.2.2]:25: no answer in time',
  )
})

test('5yz greetings of all hosts defer, 521 fails', async () => {
  await using office = await withTwoHosts()
  for (const address of ['192.0.2.10', '192.0.2.20']) office.peer(address, { script: { GREETING: '554 5.7.1 no' } })
  office.peer('192.0.2.2', { script: { GREETING: '521 5.3.2 takes no mail' } })
  expect((await office.trace(await office.send(toThree))).at(-1)).toBe('deferred carol@three.test 554 5.7.1 no')
  expect((await office.trace(await office.send())).slice(-2)).toEqual([
    'failed bob@two.test 521 5.3.2 takes no mail',
    'dsn failed to alice@one.test',
  ])
})

test('nobody home: deferred, and tried again on schedule', async () => {
  await using office = await PostOffice.open()
  const journey = await office.send()
  expect(office.dialled).toHaveLength(1)
  expect(await office.queue()).toMatchObject([{ attempts: 1 }])
  await office.advance(17 * 60_000)
  expect(office.dialled).toHaveLength(2)
  const mx = office.peer('192.0.2.2')
  await office.advance(17 * 60_000)
  expect(mx.transactions).toHaveLength(1)
  expect((await office.trace(journey)).at(-1)).toContain('delivered')
})

describe('DNS decides', () => {
  test.each([
    ['a null MX', [['@', 'MX', '0 .']], 'failed x@five.test 556 5.1.10 five.test accepts no mail'],
    ['ourselves as the best MX', [['@', 'MX', '5 mail.one.test.']], 'failed x@five.test 554 5.4.6'],
    ['no domain', [], 'failed x@five.test 550 5.1.2'],
  ] as const)('%s', async (_, rows, outcome) => {
    await using office = await PostOffice.open()
    if (rows.length > 0) office.zone('five.test', rows)
    const journey = await office.send({ destination: 'five.test', recipients: [{ forwardPath: 'x@five.test' }] })
    expect(await office.trace(journey)).toEqual([
      expect.stringContaining('attempt five.test  55'),
      expect.stringContaining(outcome),
      'dsn failed to alice@one.test',
    ])
    expect(office.dialled).toEqual([])
  })

  test('and the journey tells how long that took', async () => {
    let passedMs = 0
    await using office = await PostOffice.open(({ clock }) => ({
      clock: { ...clock, elapsed: () => clock.elapsed() + passedMs },
    }))
    const until = async (): Promise<void> => void (passedMs += 6000)
    office.resolver.zones.fault('two.test', { kind: 'delay', until }, { times: 1 })
    office.zone('two.test', [['@', 'MX', '0 .']])
    const [attempt] = await office.events(await office.send(), 'attempt')
    expect(attempt).toMatchObject({ address: '', elapsedMs: 6000, error: '556 5.1.10 two.test accepts no mail' })
  })

  test('SERVFAIL defers', async () => {
    await using office = await PostOffice.open()
    office.resolver.zones.fault('two.test', { kind: 'servfail' }, { times: 1 })
    expect((await office.trace(await office.send())).at(-1)).toBe(
      'deferred bob@two.test 451 4.4.3 MX of two.test: SERVFAIL',
    )
    const mx = office.peer('192.0.2.2')
    await office.advance(17 * 60_000)
    expect(mx.transactions).toHaveLength(1)
  })
})

test('an address literal needs no DNS', async () => {
  await using office = await PostOffice.open()
  const peer = office.peer('192.0.2.77')
  await office.send({ destination: '[192.0.2.77]', recipients: [{ forwardPath: 'x@[192.0.2.77]' }] })
  expect(peer.transactions[0]!.recipients).toEqual(['TO:<x@[192.0.2.77]>'])
})

test('a next hop that greets with our own name is a loop', async () => {
  await using office = await PostOffice.open()
  office.peer('192.0.2.2', { script: { GREETING: '220 Mail.One.Test ESMTP' } })
  expect((await office.trace(await office.send())).at(-2)).toContain('failed bob@two.test 554 5.4.6')
})

test('ourselves behind a better host that is away: mail waits for that host', async () => {
  await using office = await withTwoHosts()
  office.peer('192.0.2.20', { script: { GREETING: '220 mail.one.test ESMTP' } })
  expect((await office.trace(await office.send(toThree))).at(-1)).toContain('deferred carol@three.test 451 4.4.1')
})

describe('mail that waited for a domain that moved here', () => {
  const moved = async (
    kind: 'local' | 'relay',
    recipients = ['bob@two.test', 'nobody@two.test'],
    meanwhile = async (_office: PostOffice): Promise<void> => {},
  ) => {
    const office = await PostOffice.open({ ownAddresses: ['192.0.2.99'] })
    const paths = recipients.map((forwardPath) => ({ forwardPath }))
    const journey = await office.send({ recipients: paths })
    const { directory } = office.store
    await directory.addDomain({ name: 'two.test', kind, target: kind === 'relay' ? 'mx.two.test' : '', catchAll: '' })
    if (kind === 'local') await directory.addAccount({ login: 'bob@two.test', name: 'Bob', quota: 0, admin: false }, 0)
    office.zone('two.test', [['mx', 'A', '192.0.2.99']])
    await meanwhile(office)
    await office.advance(hour)
    return { office, journey }
  }

  test('came back as a loop', async () => {
    const { office, journey } = await moved('local')
    await using _office = office
    expect(await office.inbox('bob@two.test')).toHaveLength(1)
    expect((await office.trace(journey)).slice(-3)).toEqual([
      'failed nobody@two.test 550 5.1.1 <nobody@two.test>: no such mailbox here',
      'dsn failed to alice@one.test',
      'filed',
    ])
    expect(await office.queue()).toEqual([])
  })

  test('came back as a loop beside what is for a suppressed recipient', async () => {
    const { office, journey } = await moved('local', ['dead@two.test', 'bob@two.test'], async ({ store, clock }) => {
      const order = { kind: 'suppressed' as const, key: 'dead@two.test', value: '' }
      await store.memory.note([{ ...order, at: clock.now(), expiresAt: clock.now() + day }])
    })
    await using _office = office
    expect(await office.inbox('bob@two.test')).toHaveLength(1)
    expect((await office.trace(journey)).slice(-3)).toEqual([
      'failed dead@two.test 550 5.1.1 <dead@two.test> is on the suppression list of this server',
      'dsn failed to alice@one.test',
      'filed',
    ])
    expect(await office.queue()).toEqual([])
  })

  test('was lost where it was doubtful and an alias leads to elsewhere', async () => {
    const { office, journey } = await moved('local', ['team@two.test', 'bob@two.test'], async ({ store }) => {
      await store.directory.putAlias({ address: 'team@two.test', targets: ['carol@three.test'] })
      const [[entry] = []] = await Array.fromAsync(store.queue.list({}))
      await store.flow.record([
        { journey: entry!.journey, at: 0, kind: 'verdict', verdict: 'quarantine', reason: 'spam' },
      ])
    })
    await using _office = office
    expect((await office.trace(journey)).slice(-3)).toEqual([
      'failed team@two.test 550 5.7.1 <team@two.test>: the message looks doubtful and would have to be forwarded',
      'dsn failed to alice@one.test',
      'filed',
    ])
  })

  test('comes back where it is only relayed from here', async () => {
    const { office, journey } = await moved('relay')
    await using _office = office
    expect((await office.trace(journey)).at(-1)).toBe('dsn failed to alice@one.test')
  })
})

test('a destination that said 421 again and again was asked every minute', async () => {
  await using office = await PostOffice.open()
  const mx = office.peer('192.0.2.2', { script: { MAIL: '421 4.7.0 Too much from you' } })
  // At once, after one minute, two more, four more; a second connection may have stood before the first was sent away.
  for (let nth = 0; nth < 13; nth++) {
    await office.send()
    await office.advance(minute)
  }
  expect(mx.sessions.length).toBeLessThan(8)
})

test('an address that could not be reached was called again under each name that leads to it', async () => {
  await using office = await PostOffice.open({ limits: { addresses: 2 } })
  office.zone('three.test', [
    ['@', 'MX', '10 a'],
    ['@', 'MX', '20 b'],
    ['@', 'MX', '30 c'],
    ['a', 'A', '192.0.2.10'],
    ['b', 'A', '192.0.2.10'],
    ['c', 'A', '192.0.2.20'],
  ])
  const c = office.peer('192.0.2.20')
  const journey = await office.send(toThree)
  expect(office.dialled).toEqual(['192.0.2.10:25', '192.0.2.20:25'])
  expect(c.transactions).toHaveLength(1)
  const attempts = await office.events(journey, 'attempt')
  expect(attempts.map(({ host, address }) => [host, address])).toEqual([
    ['a.three.test', '192.0.2.10'],
    ['b.three.test', '192.0.2.10'],
    ['c.three.test', '192.0.2.20'],
  ])
  expect(attempts[1]!.error).toBe(attempts[0]!.error)
  expect(attempts.map(({ tlsReason }) => tlsReason)).toEqual([undefined, 'not called again', 'not offered'])
})
