/** `pennypost dial`: what would happen, without sending. */
import { expect, test } from 'vitest'
import { createDialProbe, createRoutes } from '../src/index.ts'
import { mail, root } from './certificates.ts'
import { everything, hour, PostOffice, type Row } from './post-office.ts'

async function probing(office: PostOffice, address: string, more: { all?: boolean; requireTls?: boolean } = {}) {
  const probe = createDialProbe({ ...office.options, routes: createRoutes({ port: 25 }), ca: [root] })
  return probe({ address, reversePath: 'alice@one.test', requireTls: false, all: false, ...more })
}

const hosts: readonly Row[] = [
  ['@', 'MX', '10 gone'],
  ['@', 'MX', '20 mx'],
  ['gone', 'A', '192.0.2.9'],
  ['mx', 'A', '192.0.2.2'],
]

test('the way, the policy, what is offered and what is said, and nothing is sent', async () => {
  await using office = await PostOffice.open()
  office.secureZone('two.test', hosts)
  const capabilities = [...everything, 'STARTTLS']
  const peer = office.peer('192.0.2.2', { capabilities, tls: mail, script: { RCPT: '451 4.7.1 greylisted' } })
  const { targets } = await probing(office, 'bob@two.test')
  expect(targets).toMatchObject([
    {
      forwardPath: 'bob@two.test',
      destination: 'two.test',
      hosts: [
        { host: 'gone.two.test', error: expect.stringContaining('ECONNREFUSED'), rcpt: '' },
        {
          host: 'mx.two.test',
          tls: expect.stringMatching(/^TLSv1\.3/),
          mail: '250 2.1.0 Ok',
          rcpt: '451 4.7.1 greylisted',
        },
      ],
      outcome: '451 4.7.1 greylisted',
      accepted: false,
    },
  ])
  expect(targets[0]!.dns).toContain('MX two.test: 10 gone.two.test, 20 mx.two.test')
  expect(targets[0]!.hosts[1]!.capabilities).toContain('SIZE 10000000')
  expect(peer.sessions[0]!.commands.slice(-4)).toEqual([
    'MAIL FROM:<alice@one.test>',
    'RCPT TO:<bob@two.test>',
    'RSET',
    'QUIT',
  ])
  expect(peer.transactions).toEqual([])
  expect(await office.queue()).toEqual([])
})

test('the first that answers ends it, unless all are asked for', async () => {
  await using office = await PostOffice.open()
  office.zone('two.test', [
    ['@', 'MX', '10 mx'],
    ['@', 'MX', '20 next'],
    ['next', 'A', '192.0.2.3'],
  ])
  office.peer('192.0.2.2')
  office.peer('192.0.2.3')
  expect((await probing(office, 'bob@two.test')).targets[0]!.hosts).toHaveLength(1)
  expect((await probing(office, 'bob@two.test', { all: true })).targets[0]!.hosts).toHaveLength(2)
})

test('what would keep it back is said: REQUIRETLS, DNS, a refusal at home', async () => {
  await using office = await PostOffice.open()
  office.secureZone('two.test', hosts)
  office.peer('192.0.2.2')
  const required = await probing(office, 'bob@two.test', { requireTls: true })
  expect(required.targets[0]).toMatchObject({ accepted: false, outcome: expect.stringContaining('550 5.7.30') })
  expect((await probing(office, 'bob@nowhere.test')).targets[0]!.outcome).toContain('550 5.1.2')
  expect((await probing(office, 'alice@one.test')).targets[0]).toMatchObject({ destination: 'local', accepted: true })
  expect((await probing(office, 'nobody@one.test')).targets[0]!.outcome).toContain('refused here: 550')
})

test('mail that would be held, or come back by order of the operator, was shown as accepted', async () => {
  await using office = await PostOffice.open()
  const peer = office.peer('192.0.2.2')
  const order = (kind: 'suppressed' | 'hold-rule', key: string) =>
    office.store.memory.note([{ kind, key, at: 0, expiresAt: office.clock.now() + hour, value: '' }])
  await order('suppressed', 'dead@two.test')
  const dead = await probing(office, 'Dead@two.test')
  expect(dead.targets[0]).toMatchObject({ destination: 'two.test', hosts: [], accepted: false })
  expect(dead.targets[0]!.outcome).toBe(
    'refused here: 550 5.1.1 <Dead@two.test> is on the suppression list of this server',
  )
  expect(peer.sessions).toEqual([])
  await order('hold-rule', 'to @two.test')
  const held = await probing(office, 'bob@two.test')
  expect(held.targets[0]!.outcome).toBe(
    'Held by the rule "to @two.test" until it is released; now it would get: 250 2.1.5 Ok',
  )
})

test('a host that refuses MAIL with REQUIRETLS was not asked for it', async () => {
  await using office = await PostOffice.open()
  office.secureZone('two.test', hosts)
  const capabilities = [...everything, 'STARTTLS', 'REQUIRETLS']
  const script = { MAIL: (said: string) => (said.endsWith(' REQUIRETLS') ? '550 5.7.30 not today' : undefined) }
  office.peer('192.0.2.2', { capabilities, tls: mail, script })
  const { targets } = await probing(office, 'bob@two.test', { requireTls: true })
  expect(targets[0]!.hosts.at(-1)).toMatchObject({ mail: '550 5.7.30 not today' })
})

test.each([
  ['refuses MAIL, which is its word on the message', { MAIL: '550 5.7.1 not you' }, '550 5.7.1 not you'],
  ['goes at MAIL, after which the next one is asked', { MAIL: '421 4.3.2 closing' }, '250 2.1.5 Ok'],
  ['goes at RCPT, likewise', { RCPT: { drop: true } }, '250 2.1.5 Ok'],
  ['is this server, behind which nobody is asked', { GREETING: '220 mail.one.test' }, '554 5.4.6 '],
])('what would become of a message was not what dial said: the first host %s', async (_, script, outcome) => {
  await using office = await PostOffice.open()
  office.zone('two.test', [
    ['@', 'MX', '10 mx'],
    ['@', 'MX', '20 next'],
    ['next', 'A', '192.0.2.3'],
  ])
  office.peer('192.0.2.2', { script })
  office.peer('192.0.2.3')
  for (const all of [false, true]) {
    const { targets } = await probing(office, 'bob@two.test', { all })
    expect(targets[0]).toMatchObject({
      outcome: expect.stringMatching(`^${outcome}`),
      accepted: outcome.startsWith('250'),
    })
  }
})
