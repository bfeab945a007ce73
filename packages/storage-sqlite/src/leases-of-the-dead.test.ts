import { cpSync, rmSync } from 'node:fs'
import { createJourneyId, type NewQueueEntry, type QueueEntryId } from '@pennypost/model'
import { sampleMessage, seededRandom } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { openStore, temporaryDirectory } from '../test/temporary-store.ts'
import type { SqliteStore } from './open-sqlite-store.ts'

const entryFor = (destination: string): NewQueueEntry => ({
  destination,
  route: 'remote',
  envelope: { reversePath: '', smtpUtf8: false, requireTls: false, autoSubmitted: false },
  recipients: [{ forwardPath: `bob@${destination}` }],
})

async function enqueue({ mail }: SqliteStore, acceptedAt: number, ...destinations: string[]): Promise<QueueEntryId[]> {
  const [accepted] = await mail.accept([
    {
      journey: createJourneyId(acceptedAt, seededRandom(3)),
      acceptedAt,
      reversePath: '',
      filings: [],
      queue: destinations.map(entryFor),
      memory: [],
      flow: [],
      message: await sampleMessage(mail, 'Subject: hello\r\n\r\nHello.\r\n'),
    },
  ])
  return [...accepted!.queued]
}

test('what a killed process had leased is as it was: held mail held, the rest due', async () => {
  const directory = temporaryDirectory()
  const left = temporaryDirectory()
  try {
    await using store = await openStore(directory)
    const ids = await enqueue(store, 0, 'a.test', 'b.test')
    await store.queue.hold([ids[0]!])
    const before = (await Array.fromAsync(store.queue.list({}))).flat()
    for (const id of ids) expect(await store.queue.claimOne(id, 1, 600_000)).toMatchObject({ id, leasedUntil: 600_001 })
    // As the kill leaves it: nothing is closed.
    cpSync(directory, left, { recursive: true })
    await using next = await openStore(left)
    expect((await Array.fromAsync(next.queue.list({}))).flat()).toEqual(before)
    const interrupted = { kind: 'interrupted', at: expect.any(Number), journey: before[0]!.journey }
    expect((await next.flow.journey(before[0]!.journey))?.events.slice(-2)).toEqual(
      ids.map((entry) => ({ ...interrupted, entry })),
    )
    const claimed = await next.queue.claim({ now: 1, slots: 9, perDestination: 9, leaseMs: 1000 })
    expect(claimed.map(({ id }) => id)).toEqual([ids[1]])
  } finally {
    for (const each of [directory, left]) rmSync(each, { recursive: true, force: true })
  }
})

test('what a killed process had leased is due before what came later for the same destination', async () => {
  const directory = temporaryDirectory()
  const left = temporaryDirectory()
  try {
    await using store = await openStore(directory)
    const [first] = await enqueue(store, 2000, 'a.test')
    const [held] = await enqueue(store, 0, 'b.test')
    await enqueue(store, 5000, 'a.test')
    await store.queue.hold([held!])
    await store.queue.claimOne(first!, 3000, 600_000)
    cpSync(directory, left, { recursive: true })
    await using next = await openStore(left)
    expect(await next.queue.nextDueAt()).toBe(2000)
    const claimed = await next.queue.claim({ now: 3000, slots: 9, perDestination: 9, leaseMs: 1000 })
    expect(claimed.map(({ id }) => id)).toEqual([first])
  } finally {
    for (const each of [directory, left]) rmSync(each, { recursive: true, force: true })
  }
})
