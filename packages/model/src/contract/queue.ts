/** The contract of `Queue`. */
import { describe, expect } from 'vitest'
import { queueEntryId } from '../ids.ts'
import type { QueueEntry, QueueFilter } from '../ports/queue.ts'
import {
  accept,
  acceptance,
  entry,
  filing,
  inboxOf,
  kindsOf,
  type OpenEngine,
  refusal,
  uidsIn,
  type World,
  worldTest,
} from './engine.ts'
import { claimAll, deferring, describeClaims, enqueue } from './queue-claims.ts'

export function describeQueue(name: string, open: OpenEngine): void {
  describe(`${name}: Queue`, () => {
    describeClaims(open)
    describe('settle', () => describeSettle(open))
    describe('operators’ verbs', () => describeOperators(open))
    describe('nextDueAt and watch', () => describeDue(open))
    describe('list and counts', () => describeListing(open))
  })
}

function describeSettle(open: OpenEngine): void {
  const it = worldTest(open)
  const three = async (world: World) => {
    await accept(world, { queue: [entry('three.test', 'a@three.test', 'b@three.test', 'c@three.test')] })
    return (await claimAll(world))[0]!
  }

  it('takes out who has a final outcome and keeps the others with their last reply', async (world) => {
    const { queue } = world.store
    const leased = await three(world)
    await queue.settle(
      deferring(leased, world.clock.now() + 900_000, {
        outcomes: [
          { index: 0, outcome: 'delivered', reply: '250 2.0.0 ok' },
          { index: 1, outcome: 'deferred', reply: '452 4.2.2 full' },
        ],
      }),
    )
    const left = (await queue.get(leased.id))!
    expect(left).toMatchObject({ attempts: 1, dueAt: world.clock.now() + 900_000 })
    expect(left.recipients.map(({ index, lastReply }) => [index, lastReply])).toEqual([
      [1, '452 4.2.2 full'],
      [2, ''],
    ])
  })

  it('while the attempt goes on, the lease lasts, and nothing changes but who is left', async (world) => {
    const { store, clock } = world
    const { queue } = store
    const leased = await three(world)
    const outcomes = [{ index: 1, outcome: 'delivered' as const, reply: '250 2.0.0 ok' }]
    await queue.settle(deferring(leased, clock.now() + 900_000, { goesOn: true, outcomes }))
    expect(await claimAll(world)).toEqual([])
    const { lease: _, recipients, ...entryAsBefore } = leased
    const left = recipients.filter(({ index }) => index !== 1)
    expect(await queue.get(leased.id)).toEqual({ ...entryAsBefore, recipients: left })
    await queue.settle(deferring(leased, clock.now() + 1000, { outcomes: [] }))
    expect(await queue.get(leased.id)).toMatchObject({ attempts: 1, dueAt: clock.now() + 1000, recipients: left })
  })

  it('an entry goes with its last recipient, and so does its message', async (world) => {
    const { queue, mail } = world.store
    const leased = await three(world)
    const outcomes = leased.recipients.map(({ index }) => ({
      index,
      outcome: 'failed' as const,
      reply: '550 5.1.1 no',
    }))
    await queue.settle(deferring(leased, 0, { outcomes }))
    expect(await queue.get(leased.id)).toBeUndefined()
    expect(await mail.message(leased.message)).toBeUndefined()
    expect(await claimAll(world)).toEqual([])
  })

  it('without an attempt counts none, and ends the lease', async (world) => {
    const leased = await three(world)
    await world.store.queue.settle(deferring(leased, world.clock.now(), { attempted: false, outcomes: [] }))
    const [again] = await claimAll(world)
    expect(again).toMatchObject({ id: leased.id, attempts: 0 })
  })

  it('remembers who was told of the delay, and what was replied last', async (world) => {
    const { queue } = world.store
    const leased = await three(world)
    await queue.settle(deferring(leased, world.clock.now(), { delayNotified: [0, 2] }))
    const [again] = await claimAll(world)
    await queue.settle(deferring(again!, world.clock.now(), { attempted: false, outcomes: [] }))
    const left = (await queue.get(leased.id))!
    expect(left.recipients.map((recipient) => recipient.delayNotified)).toEqual([true, false, true])
    expect(left.recipients.map((recipient) => recipient.lastReply)).toEqual(Array(3).fill('451 4.3.0 later'))
  })

  it('DSNs, late filings and events ride in the same transaction', async (world) => {
    const { store, clock, alice } = world
    const leased = await three(world)
    const dsn = await acceptance(world, { reversePath: '', filings: [filing(alice)], queue: [entry('four.test')] })
    const failed = {
      journey: leased.journey,
      at: clock.now(),
      kind: 'failed',
      forwardPath: 'a@three.test',
      reply: '550',
    }
    const accepted = await store.queue.settle(
      deferring(leased, clock.now() + 1000, {
        outcomes: [{ index: 0, outcome: 'failed', reply: '550' }],
        accept: [dsn],
        flow: [failed as never],
      }),
    )
    expect(accepted).toMatchObject([
      { journey: dsn.journey, filed: [{ account: alice, uid: 1 }], queued: [expect.any(Number)] },
    ])
    expect(await uidsIn(world, await inboxOf(world))).toEqual([1])
    expect(await kindsOf(world, leased.journey)).toEqual(['queued', 'failed'])
    expect(await kindsOf(world, dsn.journey)).toEqual(['filed', 'queued'])
    expect((await store.queue.get(accepted[0]!.queued[0]!))?.destination).toBe('four.test')
  })

  it('does nothing at all when what rides along is impossible', async (world) => {
    const { store, clock } = world
    const leased = await three(world)
    const impossible = await acceptance(world, { filings: [filing(999_999 as never)] })
    const settlement = deferring(leased, clock.now() + 1000, { accept: [impossible] })
    await expect(store.queue.settle(settlement)).rejects.toEqual(refusal('no-such-account'))
    expect(await store.queue.get(leased.id)).toMatchObject({ attempts: 0, dueAt: clock.now() })
    expect(await store.queue.renew([{ entry: leased.id, lease: leased.lease }], clock.now(), 1000)).toEqual([])
  })
}

function describeOperators(open: OpenEngine): void {
  const it = worldTest(open)

  it('held entries stay until they are released, and are due then', async (world) => {
    const { store, clock } = world
    const [a, b] = await enqueue(world, 'a.test', 'b.test')
    expect(await store.queue.hold([a!, b!, queueEntryId(999_999)])).toBe(2)
    expect(await store.queue.hold([a!])).toBe(0)
    await clock.advance(864_000_000)
    expect(await claimAll(world)).toEqual([])
    expect(await store.queue.release([a!, a!], clock.now())).toBe(1)
    expect(await store.queue.release([a!], clock.now())).toBe(0)
    expect((await claimAll(world)).map((leased) => leased.id)).toEqual([a])
    expect(await store.queue.get(a!)).toMatchObject({ held: false, dueAt: clock.now() })
  })

  it('retryNow makes due what waits, but not what is held', async (world) => {
    const { store, clock } = world
    const ids = await enqueue(world, 'a.test', 'b.test')
    for (const leased of await claimAll(world)) await store.queue.settle(deferring(leased, clock.now() + 10_000))
    await store.queue.hold([ids[1]!])
    expect(await store.queue.retryNow(ids, clock.now())).toBe(1)
    expect((await claimAll(world)).map((leased) => leased.id)).toEqual([ids[0]])
  })

  it('redirect changes where remote entries go, and makes due what is not held', async (world) => {
    const { store, clock } = world
    const ids = await enqueue(world, 'a.test', 'b.test')
    for (const leased of await claimAll(world)) await store.queue.settle(deferring(leased, clock.now() + 10_000))
    await store.queue.hold([ids[1]!])
    const named = [...ids, ids[0]!, queueEntryId(999_999)]
    expect(await store.queue.redirect(named, 'c.test:25', clock.now())).toBe(2)
    expect(await store.queue.get(ids[1]!)).toMatchObject({ dueAt: clock.now() + 10_000 })
    const claimed = await claimAll(world)
    expect(claimed.map(({ id, destination }) => [id, destination])).toEqual([[ids[0], 'c.test:25']])
    expect(await store.queue.get(ids[1]!)).toMatchObject({ destination: 'c.test:25', held: true })
    // Under a lease it counts for the next attempt.
    expect(await store.queue.redirect([ids[0]!], 'd.test', clock.now())).toBe(1)
    await store.queue.settle(deferring(claimed[0]!, clock.now()))
    expect((await claimAll(world)).map(({ destination }) => destination)).toEqual(['d.test'])
    expect(await store.queue.release([ids[1]!], clock.now())).toBe(1)
    expect((await claimAll(world)).map(({ destination }) => destination)).toEqual(['c.test:25'])
  })

  it('what is being tried when it is to be tried at once, or elsewhere, does not wait its step', async (world) => {
    const { store, clock } = world
    const ids = await enqueue(world, 'a.test', 'b.test', 'c.test')
    const leased = await claimAll(world)
    await clock.advance(1000)
    const asked = clock.now()
    await store.queue.redirect([ids[0]!], 'd.test', asked)
    await store.queue.retryNow([ids[1]!], asked)
    await clock.advance(1000)
    for (const one of leased) await store.queue.settle(deferring(one, clock.now() + 900_000))
    expect((await claimAll(world)).map(({ destination, dueAt }) => [destination, dueAt])).toEqual([
      ['d.test', asked],
      ['b.test', asked],
    ])
    expect(await store.queue.nextDueAt()).toBe(clock.now() + 900_000)
  })

  it('what its settlement holds is claimed no more, until it is released', async (world) => {
    const { store, clock } = world
    await enqueue(world, 'a.test', 'b.test')
    const [leased, late] = await claimAll(world)
    await store.queue.settle(deferring(leased!, clock.now(), { attempted: false, hold: true }))
    // Its lease has run out, and it waits again by now.
    await clock.advance(60_000)
    expect(await store.queue.nextDueAt()).toBe(late!.dueAt)
    await store.queue.settle(deferring(late!, clock.now(), { attempted: false, hold: true }))
    expect([await store.queue.nextDueAt(), await claimAll(world)]).toEqual([null, []])
    expect(await store.queue.counts(clock.now())).toMatchObject({ held: 2, leased: 0 })
    await store.queue.release([leased!.id, late!.id], clock.now())
    expect(await claimAll(world)).toMatchObject([
      { attempts: 0, held: false },
      { attempts: 0, held: false },
    ])
  })

  it('remove takes out entry and message, even under a lease', async (world) => {
    const { store, clock } = world
    const ids = await enqueue(world, 'a.test', 'b.test')
    const [leased] = await claimAll(world, { slots: 1 })
    expect(await store.queue.remove([...ids, ids[0]!])).toBe(2)
    expect(await store.queue.remove(ids)).toBe(0)
    expect(await store.mail.message(leased!.message)).toBeUndefined()
    await expect(store.queue.settle(deferring(leased!, clock.now()))).rejects.toEqual(refusal('lease-lost'))
  })

  it('an attempt under way goes on when its entry is held', async (world) => {
    const { store, clock } = world
    await enqueue(world, 'a.test')
    const [leased] = await claimAll(world)
    expect(await store.queue.hold([leased!.id])).toBe(1)
    await store.queue.settle(deferring(leased!, clock.now()))
    expect(await store.queue.get(leased!.id)).toMatchObject({ held: true, attempts: 1 })
    expect(await claimAll(world)).toEqual([])
  })
}

function describeDue(open: OpenEngine): void {
  const it = worldTest(open)

  it('nextDueAt is the time of the first entry that nobody holds or works on', async (world) => {
    const { store, clock } = world
    const start = clock.now()
    expect(await store.queue.nextDueAt()).toBeNull()
    const ids = await enqueue(world, 'a.test', 'b.test', 'c.test')
    expect(await store.queue.nextDueAt()).toBe(start)
    const leased = await claimAll(world)
    expect(await store.queue.nextDueAt()).toBeNull()
    for (const [index, one] of leased.entries()) await store.queue.settle(deferring(one, start + 1000 * (index + 1)))
    expect(await store.queue.nextDueAt()).toBe(start + 1000)
    await store.queue.hold([ids[0]!])
    expect(await store.queue.nextDueAt()).toBe(start + 2000)
    await store.queue.remove([ids[1]!])
    expect(await store.queue.nextDueAt()).toBe(start + 3000)
  })

  it('is not of what is held or leased, whatever operators do with it, nor where an entry was before', async (world) => {
    const { queue } = world.store
    const [leased, held, other] = await enqueue(world, 'a.test', 'b.test', 'c.test')
    const both = [leased!, held!]
    await queue.hold([held!])
    for (const entry of [leased!, other!]) await queue.claimOne(entry, world.clock.now(), 600_000)
    expect(await queue.nextDueAt()).toBe(null)
    await queue.redirect(both, 'd.test', world.clock.now())
    expect(await queue.nextDueAt()).toBe(null)
    await queue.hold([leased!])
    await queue.release([leased!], world.clock.now())
    expect(await queue.nextDueAt()).toBe(null)
    await enqueue(world, 'e.test')
    await world.clock.advance(1000)
    const [free] = (await Array.fromAsync(queue.list({ destination: 'e.test' }))).flat()
    await queue.retryNow([free!.id], world.clock.now())
    expect(await queue.nextDueAt()).toBe(world.clock.now())
    await world.clock.advance(1000)
    await queue.redirect([free!.id], 'f.test', world.clock.now())
    expect(await queue.nextDueAt()).toBe(world.clock.now())
  })

  it('an entry whose lease ran out counts again', async (world) => {
    await enqueue(world, 'a.test')
    const due = world.clock.now()
    await claimAll(world)
    await world.clock.advance(60_000)
    expect(await world.store.queue.nextDueAt()).toBe(due)
  })

  it('wakes when something may have become due, until disposed', async (world) => {
    const { store, clock } = world
    let woken = 0
    const watch = store.queue.watch(() => woken++)
    const ids: number[] = []
    const steps = [
      async () => void ids.push(...(await enqueue(world, 'a.test'))),
      async () => store.queue.settle(deferring((await claimAll(world))[0]!, clock.now() + 1000)),
      () => store.queue.retryNow([ids[0] as never], clock.now()),
      () => store.queue.hold([ids[0] as never]).then(() => store.queue.release([ids[0] as never], clock.now())),
      // What else waits for the destination may have its turn now.
      async () => {
        const [leased] = await claimAll(world)
        await store.queue.settle(
          deferring(leased!, 0, { outcomes: [{ index: 0, outcome: 'delivered', reply: '250' }] }),
        )
      },
    ]
    for (const step of steps) {
      const before = woken
      await step()
      await expect.poll(() => woken).toBeGreaterThan(before)
    }
    watch[Symbol.dispose]()
    using _other = store.queue.watch(() => ids.push(0))
    const before = woken
    await enqueue(world, 'b.test')
    await expect.poll(() => ids).toContain(0)
    expect(woken).toBe(before)
  })

  it('filing alone wakes no runner', async (world) => {
    let woken = 0
    using _watch = world.store.queue.watch(() => woken++)
    await accept(world, { filings: [filing(world.alice)] })
    await enqueue(world, 'a.test')
    await expect.poll(() => woken).toBe(1)
  })
}

function describeListing(open: OpenEngine): void {
  const it = worldTest(open)
  const list = async (world: World, filter: QueueFilter): Promise<QueueEntry[]> =>
    (await Array.fromAsync(world.store.queue.list(filter))).flat()

  it('lists in order of acceptance, page after page', async (world) => {
    const { store, clock } = world
    const all = []
    for (let count = 0; count < 6; count++) {
      const destinations = Array.from({ length: 100 }, (_, index) => `d${(index * 7) % 10}.test`)
      all.push(...(await enqueue(world, ...destinations)))
      await clock.advance(1000)
    }
    const pages = await Array.fromAsync(store.queue.list({}))
    expect(pages.flat().map((row) => row.id)).toEqual(all)
    expect(pages.length).toBeGreaterThan(1)
    expect(pages.every((page) => page.length > 0)).toBe(true)
  })

  it('filters by every field, and by several at once', async (world) => {
    const { store, clock, alice } = world
    const first = await accept(world, { queue: [entry('a.test', 'x@a.test', 'y@a.test')] })
    await clock.advance(1000)
    const other = entry('a.test', 'z@a.test')
    const second = await accept(world, {
      queue: [{ ...other, envelope: { ...other.envelope, reversePath: '' } }, entry('b.test')],
    })
    await store.queue.hold([second.queued[1]!])
    const [one] = first.queued
    const [two, three] = second.queued
    const cases: [QueueFilter, unknown[]][] = [
      [{}, [one, two, three]],
      [{ destination: 'a.test' }, [one, two]],
      [{ destination: 'none.test' }, []],
      [{ reversePath: '' }, [two]],
      [{ forwardPath: 'y@a.test' }, [one]],
      [{ journey: second.journey }, [two, three]],
      [{ held: true }, [three]],
      [{ held: false }, [one, two]],
      [{ acceptedBefore: clock.now() }, [one]],
      [{ acceptedBefore: clock.now() - 1000 }, []],
      [{ destination: 'a.test', reversePath: 'alice@one.test' }, [one]],
    ]
    for (const [filter, ids] of cases) expect((await list(world, filter)).map((row) => row.id)).toEqual(ids)
    expect((await list(world, {}))[0]).toEqual(await store.queue.get(one!))
    expect(alice).toBeDefined()
  })

  it('mail for a host that wants a login was not found by the name of the host', async (world) => {
    const { queued } = await accept(world, { queue: [entry('b.test:587;joe')] })
    for (const destination of ['b.test:587', 'b.test:587;joe']) {
      expect((await list(world, { destination })).map((row) => row.id)).toEqual(queued)
    }
    expect(await list(world, { destination: 'b.test:58' })).toEqual([])
  })

  it('who was written in capitals, in quotes or by SRS was not found, by whatever was asked', async (world) => {
    const { envelope, ...other } = entry('a.test', 'Bob@A.test', '"c d"@a.test')
    const reversePath = 'SRS0=5NWC7E=D5=two.test=Dan@one.test'
    const { queued } = await accept(world, { queue: [{ ...other, envelope: { ...envelope, reversePath } }] })
    for (const forwardPath of ['bob@a.test', 'BOB@a.TEST', 'Bob@A.test', 'c d@a.test', '"c d"@a.test']) {
      expect((await list(world, { forwardPath })).map((row) => row.id)).toEqual(queued)
    }
    for (const asked of [reversePath, reversePath.toLowerCase()]) {
      expect((await list(world, { reversePath: asked })).map((row) => row.id)).toEqual(queued)
    }
    expect(await list(world, { reversePath: '' })).toEqual([])
    expect(await list(world, { forwardPath: 'bob@b.test' })).toEqual([])
  })

  it('a forward-path with a final outcome is found no more', async (world) => {
    const { queued } = await accept(world, { queue: [entry('a.test', 'x@a.test', 'y@a.test')] })
    const [leased] = await claimAll(world)
    const outcomes = [{ index: 0, outcome: 'delivered' as const, reply: '250' }]
    await world.store.queue.settle(deferring(leased!, world.clock.now() + 1, { outcomes }))
    expect(await list(world, { forwardPath: 'x@a.test' })).toEqual([])
    expect((await list(world, { forwardPath: 'y@a.test' })).map((row) => row.id)).toEqual([queued[0]])
  })

  it('counts each entry once: held, leased, due or waiting', async (world) => {
    const { store, clock } = world
    const nothing = { waiting: 0, due: 0, leased: 0, held: 0, oldestAcceptedAt: null }
    expect(await store.queue.counts(clock.now())).toEqual(nothing)
    const oldestAcceptedAt = clock.now()
    await enqueue(world, 'a.test', 'b.test')
    for (const leased of await claimAll(world)) await store.queue.settle(deferring(leased, clock.now() + 10_000))
    await clock.advance(1000)
    const [held] = await enqueue(world, 'c.test', 'd.test', 'e.test')
    await store.queue.hold([held!])
    await claimAll(world, { slots: 1 })
    expect(await store.queue.counts(clock.now())).toEqual({ waiting: 2, due: 1, leased: 1, held: 1, oldestAcceptedAt })
    await clock.advance(60_000)
    expect(await store.queue.counts(clock.now())).toMatchObject({ waiting: 0, due: 4, leased: 0, held: 1 })
  })
}
