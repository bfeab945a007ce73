import { type Acceptance, createJourneyId, type FlowFact, UidSet } from '@pennypost/model'
import { sampleMessage } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { TestAdministration } from '../../test/admin-context.ts'

const came = (reversePath: string, ...forwardPaths: string[]): FlowFact => ({
  kind: 'received',
  service: 'smtp',
  session: '1',
  peer: '192.0.2.7',
  reversePath,
  forwardPaths,
  size: 10,
  messageId: 'm@two.test',
})

/** Journeys, the first of them the oldest. */
async function world(...journeys: FlowFact[][]) {
  const admin = new TestAdministration()
  const { store, clock, random } = admin.context
  for (const facts of journeys) {
    const journey = createJourneyId(clock.now(), random)
    await store.flow.record(facts.map((fact) => ({ journey, at: clock.now(), ...fact })))
    await admin.clock.advance(1000)
  }
  const list = async (input: object) =>
    (await admin.call('trace.list', input)).map(({ from, to, outcomes }) => `${from} > ${to} : ${outcomes}`)
  return { admin, list, [Symbol.dispose]: () => admin[Symbol.dispose]() }
}

test('a message of which nobody knew an id could not be found', async () => {
  const nobody = { forwardPath: 'nobody@one.test', reply: '550 5.1.1 no such mailbox here' }
  const said = { status: '5.2.2', diagnostic: 'full', dsn: '' }
  using found = await world(
    [
      came('Carol@TWO.test', 'bob@one.test'),
      { kind: 'filed', login: 'bob@one.test', mailbox: 'Junk', uid: 1, forwardPaths: [] },
    ],
    [{ kind: 'refused', ...nobody, peer: '192.0.2.7', reversePath: 'carol@two.test' }],
    [{ kind: 'about', about: 'something' }],
    [
      came('bob@one.test', 'carol@two.test', 'dave@three.test'),
      { kind: 'queued', entry: 1, destination: 'two.test', forwardPaths: ['carol@two.test', 'dave@three.test'] },
      { kind: 'delivered', forwardPath: 'carol@two.test', host: 'mx.two.test', reply: '250 ok' },
      { kind: 'returned', forwardPath: 'carol@two.test', by: 'mx.two.test', action: 'failed', ...said },
    ],
    [came('', 'bob@one.test'), { kind: 'refused', reply: '550 5.7.1 no' }],
  )
  const lines = [
    ' > bob@one.test : refused 550',
    'bob@one.test > carol@two.test,dave@three.test : delivered,reported failed',
    'carol@two.test > nobody@one.test : refused 550',
    'Carol@TWO.test > bob@one.test : in Junk',
  ]
  expect(await found.list({})).toEqual(lines)
  expect(await found.list({ from: 'carol@two.test' })).toEqual([lines[2], lines[3]])
  expect(await found.list({ from: '' })).toEqual([lines[0]])
  expect(await found.list({ to: '@one.test', limit: 2 })).toEqual([lines[0], lines[2]])
  expect(await found.list({ from: 'carol@two.test', to: 'NOBODY@one.test' })).toEqual([lines[2]])
})

test('mail could be found by the alias that it was sent to alone, not by whom it reached', async () => {
  using found = await world([
    came('carol@two.test', 'Sales+Fair@one.test'),
    {
      kind: 'expanded',
      forwardPath: 'Sales+Fair@one.test',
      by: 'alias',
      targets: ['Eve+x@three.test', 'bob@one.test'],
    },
    { kind: 'filed', login: 'bob@one.test', mailbox: 'INBOX', uid: 1, forwardPaths: [] },
    {
      kind: 'queued',
      entry: 1,
      destination: 'three.test',
      forwardPaths: ['Eve+x@three.test'],
      reversePath: 'SRS0=ABCDEF=GH=two.test=carol@one.test',
    },
  ])
  const line = 'carol@two.test > Sales+Fair@one.test : in INBOX'
  for (const to of ['sales@one.test', 'sales+fair@one.test', 'bob@one.test', 'eve@three.test', '@three.test']) {
    expect(await found.list({ to })).toEqual([line])
  }
  for (const from of ['carol@two.test', 'srs0=abcdef=gh=TWO.test=carol@one.test']) {
    expect(await found.list({ from })).toEqual([line])
  }
  expect(await found.list({ to: 'fair@one.test' })).toEqual([])
  expect(await found.list({ to: 'sales+other@one.test' })).toEqual([])
})

test('mail that was filed later than it came was listed as waiting for ever, and held mail as waiting', async () => {
  using found = await world()
  const { store, clock, random } = found.admin.context
  await store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
  const { id: account } = await store.directory.addAccount(
    { login: 'bob@one.test', name: '', quota: 0, admin: false },
    0,
  )
  const journey = createJourneyId(clock.now(), random)
  const at = { journey, at: clock.now() }
  const acceptanceOf = async (rest: Partial<Acceptance>): Promise<Acceptance> => ({
    journey,
    acceptedAt: clock.now(),
    reversePath: 'carol@two.test',
    message: await sampleMessage(store.mail, 'Subject: x\n\nhello\n'),
    filings: [],
    queue: [],
    memory: [],
    flow: [],
    ...rest,
  })
  const envelope = { reversePath: 'carol@two.test', smtpUtf8: false, requireTls: false, autoSubmitted: false }
  const entry = {
    destination: 'local',
    route: 'local' as const,
    envelope,
    recipients: [{ forwardPath: 'all@one.test' }],
  }
  const first = await acceptanceOf({ queue: [entry], flow: [{ ...at, ...came('carol@two.test', 'all@one.test') }] })
  const [accepted] = await store.mail.accept([first])
  const line = 'carol@two.test > all@one.test : '
  expect(await found.list({})).toEqual([`${line}waiting`])
  await store.queue.hold(accepted!.queued)
  expect(await found.list({})).toEqual([`${line}held`])
  await store.queue.release(accepted!.queued, clock.now())
  const leased = (await store.queue.claimOne(accepted!.queued[0]!, clock.now(), 1000))!
  const filing = { account, mailbox: 'INBOX', flags: [], forwardPaths: ['all@one.test'], delivery: Buffer.alloc(0) }
  await store.queue.settle({
    entry: leased.id,
    lease: leased.lease,
    dueAt: leased.dueAt,
    outcomes: [{ index: 0, outcome: 'delivered', reply: '250 2.0.0 Ok' }],
    nextAttemptAt: 0,
    attempted: true,
    delayNotified: [],
    accept: [await acceptanceOf({ filings: [filing] })],
    flow: [],
  })
  expect(await found.list({})).toEqual([`${line}in INBOX`])
})

test('of a message that was moved it was told only where it had come', async () => {
  using admin = new TestAdministration()
  const { store, clock, random } = admin.context
  await store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
  const { id: account } = await store.directory.addAccount(
    { login: 'bob@one.test', name: '', quota: 0, admin: false },
    0,
  )
  const [journey, other] = [createJourneyId(clock.now(), random), createJourneyId(clock.now(), random)]
  for (const each of [other, journey]) {
    const filing = { account, mailbox: 'INBOX', flags: [], forwardPaths: ['bob@one.test'], delivery: Buffer.alloc(0) }
    const message = await sampleMessage(store.mail, 'Subject: x\n\nhello\n')
    const rest = { message, filings: [filing], queue: [], memory: [], flow: [] }
    await store.mail.accept([{ journey: each, acceptedAt: clock.now(), reversePath: '', ...rest }])
  }
  const kept = async () => (await admin.call('trace', { id: journey })).journeys[0]?.kept
  expect(await kept()).toEqual([{ login: 'bob@one.test', places: [{ mailbox: 'INBOX', uid: 2 }] }])
  const [inbox, archive, trash] = ['INBOX', 'Archive', 'Trash'].map((name) => store.mail.mailboxByName(account, name))
  const uid = UidSet.of(2)
  await store.mail.copy((await inbox)!.id, uid, (await archive)!.id)
  await store.mail.move((await inbox)!.id, uid, (await trash)!.id)
  const places = [
    { mailbox: 'Archive', uid: 1 },
    { mailbox: 'Trash', uid: 1 },
  ]
  expect(await kept()).toEqual([{ login: 'bob@one.test', places }])
  for (const mailbox of [archive, trash]) await store.mail.expunge((await mailbox)!.id, UidSet.of(1), 'all')
  expect(await kept()).toEqual([{ login: 'bob@one.test', places: [] }])
})

test('journeys of no message were counted as lines, so that fewer were listed than asked for', async () => {
  using found = await world(
    [came('carol@two.test', 'bob@one.test')],
    [{ kind: 'about', about: 'something' }],
    [{ kind: 'about', about: 'something else' }],
  )
  expect(await found.list({ limit: 1 })).toEqual(['carol@two.test > bob@one.test : '])
})

test('a caller that had gone was looked for on, through all journeys', async () => {
  using found = await world([came('carol@two.test', 'bob@one.test')])
  const list = found.admin.call('trace.list', {}, { signal: AbortSignal.abort() })
  await expect(list).rejects.toThrow('aborted')
})
