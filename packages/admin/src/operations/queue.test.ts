import { type Acceptance, createJourneyId, type JourneyId } from '@pennypost/model'
import { sampleMessage, seededRandom } from '@pennypost/model/testing'
import { describe, expect, test } from 'vitest'
import { TestAdministration } from '../../test/admin-context.ts'

/** Puts a message to these addresses into the queue, one entry per domain. */
async function enqueue(admin: TestAdministration, reversePath: string, ...forwardPaths: string[]): Promise<JourneyId> {
  const { store, clock, random } = admin.context
  const journey = createJourneyId(clock.now(), random)
  const acceptance: Acceptance = {
    journey,
    acceptedAt: clock.now(),
    reversePath,
    message: await sampleMessage(store.mail, `Message-ID: <${journey}@one.test>\n\nhello\n`),
    filings: [],
    queue: forwardPaths.map((forwardPath) => ({
      destination: forwardPath.slice(forwardPath.indexOf('@') + 1),
      route: 'remote',
      envelope: { reversePath, smtpUtf8: false, requireTls: false, autoSubmitted: false },
      recipients: [{ forwardPath }],
    })),
    memory: [],
    flow: [
      {
        journey,
        at: clock.now(),
        kind: 'received',
        service: 'submission',
        session: '1',
        peer: '127.0.0.1',
        reversePath,
        forwardPaths,
        size: 60,
        messageId: `${journey}@one.test`,
      },
    ],
  }
  await store.mail.accept([acceptance])
  return journey
}

describe('queue', () => {
  test('mail that waited for the former next hop of a domain was told to nobody, and went on waiting there', async () => {
    using admin = new TestAdministration()
    await admin.call('domain.add', { name: 'far.test', relayTo: 'old.test:25' })
    await enqueue(admin, 'alice@one.test', 'bob@far.test', 'carol@two.test')
    const set = async (relayTo: string) => (await admin.call('domain.set', { name: 'far.test', relayTo })).waitsFor
    expect(await set('older.test:25')).toBe('')
    await admin.call('queue.redirect', { selection: { destination: 'far.test' }, nextHop: 'older.test:25' })
    expect(await set('older.test:25')).toBe('')
    expect(await set('new.test:25')).toBe('older.test:25')
    const selection = { destination: 'older.test:25' }
    expect(await admin.call('queue.redirect', { selection, nextHop: 'new.test:25' })).toMatchObject({ changed: 1 })
  })

  test('is listed whole, by conditions, and up to a limit', async () => {
    using admin = new TestAdministration()
    await enqueue(admin, 'alice@one.test', 'bob@two.test', 'carol@three.test')
    await admin.clock.advance(3_600_000)
    await enqueue(admin, '', 'dave@two.test')
    const list = async (filter: object) =>
      (await admin.call('queue.list', filter)).entries.map(({ recipients }) => recipients[0]?.forwardPath)
    expect(await list({})).toEqual(['bob@two.test', 'carol@three.test', 'dave@two.test'])
    expect(await list({ destination: 'TWO.test' })).toEqual(['bob@two.test', 'dave@two.test'])
    expect(await list({ from: '' })).toEqual(['dave@two.test'])
    expect(await list({ to: 'carol@three.test' })).toEqual(['carol@three.test'])
    expect(await list({ olderThanMs: 60_000 })).toEqual(['bob@two.test', 'carol@three.test'])
    const limited = await admin.call('queue.list', { limit: 2 })
    expect([limited.entries.length, limited.more]).toEqual([2, true])
    expect(limited.counts.due).toBe(3)
  })

  test('verbs take a queue id, an entry number, or conditions, and note it in the journey', async () => {
    using admin = new TestAdministration()
    const journey = await enqueue(admin, 'alice@one.test', 'bob@two.test', 'carol@three.test')
    const [first] = (await admin.call('queue.list', {})).entries
    expect(await admin.call('queue.hold', { ids: [String(first!.id)] })).toMatchObject({ selected: 1, changed: 1 })
    expect(await admin.call('queue.hold', { ids: [journey.toLowerCase()] })).toMatchObject({ selected: 2 })
    expect((await admin.call('queue.list', { held: true })).entries).toHaveLength(2)
    expect(await admin.call('queue.release', { held: true })).toMatchObject({ selected: 2, changed: 2 })
    expect(await admin.call('queue.retry', { destination: 'two.test' })).toMatchObject({ selected: 1 })
    const { journeys } = await admin.call('trace', { id: `<${journey}@one.test>` })
    const verbs = journeys[0]!.journey.events.filter(({ kind }) => kind === 'operator')
    expect(verbs.map((event) => event.kind === 'operator' && event.verb)).toEqual([
      'hold',
      'hold',
      'release',
      'release',
      'retry',
    ])
    expect(journeys[0]!.waiting).toHaveLength(2)
    expect(await admin.call('queue.remove', { all: true })).toMatchObject({ selected: 2, changed: 2 })
    expect((await admin.call('queue.list', {})).entries).toEqual([])
  })

  test.each([
    ['queue.remove', { all: true }, 'remove'],
    ['queue.redirect', { selection: { all: true }, nextHop: 'relay.test:25' }, 'redirect'],
  ] as const)(
    'a server that ended in the middle of %s left journeys that told nothing of it',
    async (name, input, verb) => {
      using admin = new TestAdministration()
      const journey = await enqueue(admin, 'alice@one.test', 'bob@two.test')
      const { store } = admin.context
      let events: unknown
      // What would be there if the process ended now.
      const done = async () => {
        events = (await store.flow.journey(journey))?.events
        return 1
      }
      admin.context.store = {
        ...store,
        queue: { ...store.queue, list: (filter) => store.queue.list(filter), remove: done, redirect: done },
      }
      await admin.call(name, input)
      expect(events).toContainEqual(expect.objectContaining({ kind: 'operator', verb }))
    },
  )

  test('retry of what is held did nothing, and its journey said that it had been tried', async () => {
    using admin = new TestAdministration()
    const journey = await enqueue(admin, 'alice@one.test', 'bob@two.test', 'carol@three.test')
    const [first] = (await admin.call('queue.list', {})).entries
    const ids = [String(first!.id)]
    await admin.call('queue.hold', { ids })
    const none = { missing: [] as string[] }
    expect(await admin.call('queue.retry', { ids })).toEqual({ selected: 1, changed: 0, untouched: 1, ...none })
    expect(await admin.call('queue.retry', { all: true })).toEqual({ selected: 2, changed: 1, untouched: 1, ...none })
    expect(await admin.call('queue.hold', { all: true })).toEqual({ selected: 2, changed: 1, untouched: 1, ...none })
    await admin.call('queue.release', { ids })
    expect(await admin.call('queue.release', { ids })).toEqual({ selected: 1, changed: 0, untouched: 1, ...none })
    const { events } = await admin.call('queue.show', { id: journey })
    const noted = events.flatMap((event) =>
      event.kind === 'operator' ? [`${event.verb} ${event.entry === first!.id ? 'first' : 'second'}`] : [],
    )
    expect(noted).toEqual(['hold first', 'retry second', 'hold second', 'release first'])
  })

  test('a list of ids was refused whole because one of them had left the queue', async () => {
    using admin = new TestAdministration()
    await enqueue(admin, 'alice@one.test', 'bob@two.test', 'carol@three.test')
    const [first] = (await admin.call('queue.list', {})).entries
    expect(await admin.call('queue.remove', { ids: ['17', String(first!.id)] })).toEqual({
      selected: 1,
      changed: 1,
      untouched: 0,
      missing: ['17'],
    })
    expect((await admin.call('queue.list', {})).entries).toHaveLength(1)
    await expect(admin.call('queue.remove', { ids: ['17', '18'] })).rejects.toMatchObject({
      message: 'Nothing in the queue has the id 17 or 18.',
    })
  })

  test('a verb for everything must say so', async () => {
    using admin = new TestAdministration()
    await expect(admin.call('queue.remove', {})).rejects.toMatchObject({ reason: 'bad-input' })
    await expect(admin.call('queue.remove', { all: true, held: true })).rejects.toMatchObject({ reason: 'bad-input' })
    await expect(admin.call('queue.remove', { ids: ['17'] })).rejects.toMatchObject({ reason: 'not-found' })
  })

  test('an address that is none was said to be invalid input', async () => {
    using admin = new TestAdministration()
    const text = 'from: "@one.test" is no address; write e.g. alice@one.example'
    await expect(admin.call('queue.list', { from: '@one.test' })).rejects.toMatchObject({ message: text })
  })

  test('only the running server bounces', async () => {
    using admin = new TestAdministration()
    await enqueue(admin, 'alice@one.test', 'bob@two.test')
    await expect(admin.call('queue.fail', { all: true })).rejects.toMatchObject({ reason: 'needs-server' })
    const failed: number[] = []
    admin.context.running = {
      failEntries: async (entries: number[]) => failed.push(...entries),
    } as never
    expect(await admin.call('queue.fail', { all: true })).toMatchObject({ selected: 1, changed: 1 })
    expect(failed).toHaveLength(1)
  })

  test('an entry is shown with its journey', async () => {
    using admin = new TestAdministration()
    const journey = await enqueue(admin, 'alice@one.test', 'bob@two.test')
    const shown = await admin.call('queue.show', { id: journey })
    expect(shown.entries[0]).toMatchObject({ destination: 'two.test', attempts: 0 })
    expect(shown.events.map(({ kind }) => kind)).toEqual(['received', 'queued'])
    // Only journeys can be looked up when they have left, not entries.
    const advice = async (id: string) => (await admin.call('queue.show', { id }).catch((error) => error)).advice
    expect(await advice('17')).toBe('`pennypost queue list` shows what waits.')
    expect(await advice(createJourneyId(0, seededRandom(9)))).toMatch(
      / `pennypost trace [^`]+` what became of the message\.$/,
    )
  })

  test('the journey of an unknown message is said to be unknown', async () => {
    using admin = new TestAdministration()
    for (const id of ['0000000000000000', '<x@y>', 'nonsense']) {
      await expect(admin.call('trace', { id })).rejects.toMatchObject({ reason: 'not-found' })
    }
  })
})

test('entries are sent another way, and back to the MX of their own domain', async () => {
  using admin = new TestAdministration()
  const journey = await enqueue(admin, 'alice@one.test', 'bob@two.test', 'carol@three.test')
  const selection = { ids: [], all: true }
  const destinations = async () => (await admin.call('queue.list', {})).entries.map(({ destination }) => destination)
  const away = await admin.call('queue.redirect', { selection, nextHop: 'mx.four.test:25' })
  expect(away).toMatchObject({ selected: 2, changed: 2 })
  expect(await destinations()).toEqual(['mx.four.test:25', 'mx.four.test:25'])
  await admin.call('queue.redirect', { selection, nextHop: 'direct' })
  expect(await destinations()).toEqual(['two.test', 'three.test'])
  await expect(admin.call('queue.redirect', { selection, nextHop: 'a b' })).rejects.toMatchObject({
    reason: 'bad-input',
  })
  const { events } = await admin.call('queue.show', { id: journey })
  expect(events.filter((event) => event.kind === 'operator' && event.verb === 'redirect')).toHaveLength(4)
})
