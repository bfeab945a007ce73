/** What next hops are asked about recipients, what they say, and for how long it is kept. */
import type { Verification } from '@pennypost/mda'
import type { Deadline } from '@pennypost/model'
import type { Answer, Script } from '@pennypost/smtp/scripted-server'
import { expect, test } from 'vitest'
import { createRoutes, type RelayOptions } from '../src/index.ts'
import { day, hour, minute, PostOffice } from './post-office.ts'

/** With timeouts that run out only when the clock is moved. */
function open(options: Partial<RelayOptions> = {}): Promise<PostOffice> {
  return PostOffice.open(({ clock }) => {
    const deadline: Deadline = {
      after: (delayMs, expire) => clock.after(delayMs, expire),
      signal(delayMs, parent) {
        const own = new AbortController()
        clock.after(delayMs, () => own.abort(new DOMException('Not done in time', 'TimeoutError')))
        return parent ? AbortSignal.any([own.signal, parent]) : own.signal
      },
    }
    return { deadline, ...options }
  })
}

function verify({ relay }: PostOffice, name: string): Promise<Verification> {
  return relay.verifyRecipient({ kind: 'relay', forwardPath: `${name}@two.test`, trace: '', nextHop: 'mx.two.test' })
}

async function answer(office: PostOffice, name: string): Promise<string> {
  const { answer, reply } = await verify(office, name)
  return `${answer} ${reply}`
}

/** Knows those and nobody else. */
const knowing =
  (...names: string[]): Script =>
  (argument) =>
    names.some((name) => argument.startsWith(`TO:<${name}@`)) ? undefined : '550 5.1.1 Who is that?'

const asked = ({ sessions }: { sessions: readonly { commands: readonly string[] }[] }): string[] =>
  sessions.flatMap(({ commands }) => commands.filter((line) => line.startsWith('RCPT')))

test('a recipient is asked for with the null reverse-path, and no mail is sent', async () => {
  await using office = await open()
  const peer = office.peer('192.0.2.2', { script: { RCPT: knowing('bob') } })
  expect(await verify(office, 'bob')).toEqual({
    forwardPath: 'bob@two.test',
    destination: 'mx.two.test:25',
    answer: 'known',
    reply: '250 2.1.5 Ok',
    askedAt: office.clock.now(),
  })
  expect(await answer(office, 'eve')).toBe('refused 550 5.1.1 Who is that?')
  await office.advance(0)
  expect(peer.sessions.map(({ commands }) => commands.slice(1))).toEqual([
    ['MAIL FROM:<>', 'RCPT TO:<bob@two.test>', 'RSET', 'QUIT'],
    ['MAIL FROM:<>', 'RCPT TO:<eve@two.test>', 'RSET', 'QUIT'],
  ])
  expect(peer.transactions).toEqual([])
})

test('a yes is kept for a day, a no for an hour', async () => {
  await using office = await open()
  const peer = office.peer('192.0.2.2', { script: { RCPT: knowing('bob') } })
  const both = async () => [await answer(office, 'bob'), await answer(office, 'eve')]
  const said = await both()
  await office.advance(hour - 1)
  expect(await both()).toEqual(said)
  expect(asked(peer)).toHaveLength(2)
  await office.advance(1)
  await both()
  expect(asked(peer)).toEqual(['RCPT TO:<bob@two.test>', 'RCPT TO:<eve@two.test>', 'RCPT TO:<eve@two.test>'])
  await office.advance(day - hour)
  await both()
  expect(asked(peer).slice(3)).toEqual(['RCPT TO:<bob@two.test>', 'RCPT TO:<eve@two.test>'])
})

test('who guesses addresses displaces the oldest guesses, and nobody who is known', async () => {
  await using office = await open({ limits: { answersKept: 2 } })
  const peer = office.peer('192.0.2.2', { script: { RCPT: knowing('bob') } })
  for (const name of ['bob', 'a', 'b', 'c', 'bob', 'c', 'b', 'a']) await verify(office, name)
  expect(asked(peer).map((line) => line.slice(9, -10))).toEqual(['bob', 'a', 'b', 'c', 'a'])
})

test('a next hop that is away refuses nobody, and is called once a minute', async () => {
  await using office = await open()
  expect(await answer(office, 'bob')).toMatch(/^unsaid 451 4\.4\.1 .*ECONNREFUSED/)
  expect(await answer(office, 'eve')).toMatch(/^unsaid 451 4\.4\.1 It could not be reached a moment ago/)
  await office.advance(minute - 1)
  await verify(office, 'bob')
  expect(office.dialled).toHaveLength(1)
  office.peer('192.0.2.2', { script: { RCPT: knowing('bob') } })
  await office.advance(1)
  expect(await answer(office, 'eve')).toMatch(/^refused/)
})

test('a next hop without an address refuses nobody', async () => {
  await using office = await open()
  const delivery = { kind: 'relay', forwardPath: 'bob@two.test', trace: '', nextHop: 'branch.invalid' } as const
  expect(await office.relay.verifyRecipient(delivery)).toMatchObject({ answer: 'unsaid' })
})

test('a next hop that says nothing holds nobody up for longer than ten seconds, and the others not at all', async () => {
  for (const step of ['GREETING', 'EHLO', 'MAIL', 'RCPT'] as const) {
    await using office = await open()
    const peer = office.peer('192.0.2.2', { script: { [step]: {} } })
    const told: string[] = []
    const verifying = verify(office, 'bob').then(({ answer, reply }) => told.push(`${answer} ${reply}`))
    await office.advance(9999)
    expect(told).toEqual([])
    await office.advance(1)
    await verifying
    expect(told).toEqual(['unsaid no answer in time'])
    expect(await answer(office, 'eve')).toMatch(/^unsaid .*no answer in time/)
    expect(peer.sessions).toHaveLength(1)
  }
})

test('leave is taken when the answer has been told, and is not waited for', async () => {
  await using office = await open()
  office.peer('192.0.2.2', { script: { QUIT: {} } })
  expect(await answer(office, 'bob')).toBe('known 250 2.1.5 Ok')
})

test('who is put off by greylisting is taken, and asked for again when it has had its time', async () => {
  await using office = await open()
  const answers: Answer[] = ['451 4.7.1 Come again', '250 2.1.5 Ok']
  const peer = office.peer('192.0.2.2', { script: { RCPT: () => answers.shift() } })
  expect(await answer(office, 'bob')).toBe('unsaid 451 4.7.1 Come again')
  await office.advance(5 * minute - 1)
  expect(await answer(office, 'bob')).toBe('unsaid 451 4.7.1 Come again')
  expect(asked(peer)).toHaveLength(1)
  await office.advance(1)
  expect(await answer(office, 'bob')).toBe('known 250 2.1.5 Ok')
})

test('only a reply to RCPT refuses a recipient', async () => {
  const scripts: Record<string, Answer>[] = [
    { GREETING: '554 5.7.1 You are listed' },
    { GREETING: '521 We take no mail' },
    { EHLO: '550 5.7.1 Go away', HELO: '550 5.7.1 Go away' },
    { MAIL: '550 5.7.1 No bounces, please' },
    { RCPT: '421 4.3.2 Closing' },
    { RCPT: { drop: true } },
  ]
  for (const script of scripts) {
    await using office = await open()
    const peer = office.peer('192.0.2.2', { script })
    expect(await answer(office, 'bob')).toMatch(/^unsaid /)
    await verify(office, 'eve')
    expect(peer.sessions).toHaveLength(1)
  }
})

test('what a next hop says of us to everybody refused all recipients for good', async () => {
  const refusals = ['554 5.7.1 Client host blocked using list.test', '530 Authentication required', '554 Blocked']
  for (const words of refusals) {
    await using office = await open()
    const said: Record<string, string> = { bob: words, nobody: words }
    const peer = office.peer('192.0.2.2', { script: { RCPT: (argument) => said[/\w+(?=[@-])/.exec(argument)![0]] } })
    expect(await answer(office, 'bob')).toBe(`refused-us ${words}`)
    expect(asked(peer)).toEqual(['RCPT TO:<bob@two.test>', expect.stringMatching(/^RCPT TO:<nobody-\w{16}@two.test>$/)])
    const { destination, since } = office.relay.unasked()[0]!
    expect([destination, since]).toEqual(['mx.two.test:25', office.clock.now()])
    // It is mended.
    said.bob = '250 Ok'
    await office.advance(5 * minute)
    expect(await answer(office, 'bob')).toBe('known 250 Ok')
    expect(office.relay.unasked()).toEqual([])
    // One recipient is not for everybody.
    Object.assign(said, { staff: words, nobody: '550 5.1.1 Who is that?' })
    expect(await answer(office, 'staff')).toBe(`refused ${words}`)
  }
})

test('who is nobody was put off for good by a next hop that says so in the words of one that refuses us', async () => {
  await using office = await open()
  const nobody = '511 sorry, no mailbox here by that name (#5.1.1 - chkuser)'
  let known = 'bob'
  const peer = office.peer('192.0.2.2', {
    script: { RCPT: (argument) => (argument.startsWith(`TO:<${known}@`) ? undefined : nobody) },
  })
  expect(await answer(office, 'eve')).toBe(`refused-us ${nobody}`)
  expect(await answer(office, 'bob')).toBe('known 250 2.1.5 Ok')
  await office.advance(5 * minute)
  expect(await answer(office, 'eve')).toBe(`refused ${nobody}`)
  expect(asked(peer).slice(3)).toEqual([
    'RCPT TO:<eve@two.test>',
    expect.stringMatching(/^RCPT TO:<nobody-/),
    'RCPT TO:<bob@two.test>',
  ])
  expect(office.relay.unasked()).toEqual([])
  // Bob has left, or it takes nothing more from us.
  known = 'carol'
  expect(await answer(office, 'mallory')).toBe(`refused-us ${nobody}`)
})

test('a next hop that closes when it is asked a second time refuses nobody', async () => {
  await using office = await open()
  office.peer('192.0.2.2', {
    script: { RCPT: (argument) => (argument.includes('nobody-') ? { drop: true } : '550 5.7.1 Blocked') },
  })
  expect(await answer(office, 'bob')).toBe('refused-us 550 5.7.1 Blocked')
})

test('nobody saw that a next hop could not be asked', async () => {
  await using office = await open()
  const since = office.clock.now()
  await verify(office, 'bob')
  await office.advance(hour)
  const { reply } = await verify(office, 'bob')
  expect(office.relay.unasked()).toEqual([{ destination: 'mx.two.test:25', since, askedAt: since + hour, reply }])
  await office.advance(day)
  expect(office.relay.unasked()).toEqual([])
  await verify(office, 'bob')
  expect(office.relay.unasked()).toHaveLength(1)
  office.peer('192.0.2.2', { script: { RCPT: knowing('bob') } })
  await office.advance(minute)
  await verify(office, 'eve')
  expect(office.relay.unasked()).toEqual([])
})

test('an address that cannot be asked for there is taken, and the next hop is asked for others', async () => {
  await using office = await open()
  const peer = office.peer('192.0.2.2', { capabilities: ['ENHANCEDSTATUSCODES'] })
  expect(await answer(office, 'zoë')).toMatch(/^unsaid 550 5\.6\.7 /)
  expect(await answer(office, 'bob')).toMatch(/^known /)
  expect(asked(peer)).toEqual(['RCPT TO:<bob@two.test>'])
})

test('an address is asked for once at a time, and a next hop about five', async () => {
  await using office = await open()
  const held: (() => void)[] = []
  const peer = office.peer('192.0.2.2', {
    script: { RCPT: { reply: '250 2.1.5 Ok', delayMs: 1000 } },
    clock: { after: (_, run) => ({ refresh() {}, [Symbol.dispose]() {}, at: held.push(run) }) },
  })
  const names = ['a', 'a', 'b', 'c', 'd', 'e', 'f', 'g']
  const verifying = Promise.all(names.map((name) => answer(office, name)))
  await expect.poll(() => held.length).toBe(5)
  await office.advance(0)
  expect(peer.sessions).toHaveLength(5)
  held.shift()!()
  await expect.poll(() => held.length).toBe(5)
  expect(peer.sessions).toHaveLength(6)
  while (held.length > 0) held.shift()!()
  await expect.poll(() => held.length).toBe(1)
  held.shift()!()
  expect(new Set(await verifying)).toEqual(new Set(['known 250 2.1.5 Ok']))
  expect(asked(peer)).toHaveLength(7)
})

test('those who wait for their turn behind a next hop that hangs are taken with the others', async () => {
  await using office = await open()
  const peer = office.peer('192.0.2.2', { script: { RCPT: {} } })
  const verifying = Promise.all(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => answer(office, name)))
  await expect.poll(() => asked(peer).length).toBe(5)
  await office.advance(10_000)
  expect((await verifying).every((each) => each.startsWith('unsaid '))).toBe(true)
  expect(peer.sessions).toHaveLength(5)
})

test('a next hop that takes all makes everybody known', async () => {
  await using office = await open()
  office.peer('192.0.2.2')
  expect(new Set([await answer(office, 'bob'), await answer(office, 'eve')])).toEqual(new Set(['known 250 2.1.5 Ok']))
})

test('a store that is handed on to by LMTP is asked the same', async () => {
  await using office = await open()
  const peer = office.peer('192.0.2.2', { protocol: 'lmtp', script: { RCPT: knowing('bob') } })
  const ask = (name: string) => {
    const forwardPath = `${name}@two.test`
    return office.relay.verifyRecipient({ kind: 'relay', forwardPath, trace: '', nextHop: 'lmtp:mx.two.test:24' })
  }
  expect([(await ask('bob')).answer, (await ask('eve')).answer]).toEqual(['known', 'refused'])
  expect(peer.sessions[0]!.commands[0]).toMatch(/^LHLO /)
})

test('the login of the route is said before anything is asked', async () => {
  const smarthost = { host: 'mx.two.test', port: 25, username: 'us', password: 'secret' }
  await using office = await open({ routes: createRoutes({ port: 25, smarthost }) })
  const peer = office.peer('192.0.2.2', { capabilities: ['AUTH PLAIN'] })
  office.zone('two.test', [['mx', 'A', '127.0.0.1']])
  office.peers.set('127.0.0.1', peer)
  expect(await answer(office, 'bob')).toMatch(/^known /)
  const verbs = peer.sessions[0]!.commands.map((line) => line.slice(0, 4))
  expect(verbs.slice(0, 4)).toEqual(['EHLO', 'AUTH', 'MAIL', 'RCPT'])
})
