/** The contract of claims and leases: who gets what, and until when. */
import { describe, expect } from 'vitest'
import type { QueueEntryId } from '../ids.ts'
import type { ClaimRequest, LeasedEntry, Queue, Settlement } from '../ports/queue.ts'
import { accept, acceptance, entry, filing, type OpenEngine, refusal, type World, worldTest } from './engine.ts'

export function describeClaims(open: OpenEngine): void {
  describe('claim', () => describeClaim(open))
  describe('claim is fair', () => describeFairness(open))
  describe('leases', () => describeLeases(open))
  describe('claimOne', () => describeClaimOne(open))
}

const claimOne = ({ store, clock }: World, id: QueueEntryId): Promise<LeasedEntry | undefined> =>
  store.queue.claimOne(id, clock.now(), 60_000)

export const claimAll = (world: World, more: Partial<ClaimRequest> = {}): Promise<LeasedEntry[]> =>
  world.store.queue.claim({ now: world.clock.now(), slots: 100, perDestination: 100, leaseMs: 60_000, ...more })

/** A settlement in which everybody is deferred. */
export const deferring = (leased: LeasedEntry, nextAttemptAt: number, more: Partial<Settlement> = {}): Settlement => ({
  entry: leased.id,
  lease: leased.lease,
  dueAt: leased.dueAt,
  nextAttemptAt,
  attempted: true,
  delayNotified: [],
  accept: [],
  flow: [],
  outcomes: leased.recipients.map(({ index }) => ({ index, outcome: 'deferred' as const, reply: '451 4.3.0 later' })),
  ...more,
})

export async function enqueue(world: World, ...destinations: string[]): Promise<QueueEntryId[]> {
  return [...(await accept(world, { queue: destinations.map((destination) => entry(destination)) })).queued]
}

/** Makes `count` entries for a destination that have been tried once and are due again. */
async function enqueueRetries(world: World, destination: string, count: number): Promise<void> {
  await enqueue(world, ...new Array<string>(count).fill(destination))
  const { queue } = world.store
  for (const leased of await claimAll(world, { slots: count, perDestination: count })) {
    await queue.settle(deferring(leased, world.clock.now()))
  }
}

const destinations = (leased: readonly LeasedEntry[]) => leased.map((row) => row.destination)

/** How many of each destination. */
function tally(leased: readonly LeasedEntry[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of destinations(leased)) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

function describeClaim(open: OpenEngine): void {
  const it = worldTest(open)

  it('gives the entry as it was queued, with a lease', async (world) => {
    const { clock } = world
    const queued = entry('three.test', 'dave@three.test', 'erin@three.test')
    const full = {
      ...queued,
      envelope: { ...queued.envelope, ret: 'HDRS' as const, envid: 'E1', smtpUtf8: true, requireTls: true },
      recipients: [
        {
          forwardPath: 'dave@three.test',
          notify: ['SUCCESS', 'DELAY'] as const,
          orcpt: 'rfc822;x@y',
          also: [{ orcpt: 'rfc822;z@y' }, { notify: ['NEVER'] as const }],
          trace: 'T: x\r\n',
        },
        { forwardPath: 'erin@three.test', account: world.alice },
      ],
    }
    const { journey, queued: ids } = await accept(world, { queue: [full] })
    const [leased, ...others] = await claimAll(world)
    expect(others).toEqual([])
    const { lease, ...rest } = leased!
    expect(lease).toMatch(/^.{1,100}$/)
    expect(rest).toEqual(await world.store.queue.get(ids[0]!))
    expect(rest).toMatchObject({
      id: ids[0],
      journey,
      destination: 'three.test',
      route: 'remote',
      envelope: full.envelope,
      held: false,
      acceptedAt: clock.now(),
      dueAt: clock.now(),
      attempts: 0,
      messageId: 'hello@three.test',
      recipients: full.recipients.map((given, index) => ({ ...given, index, lastReply: '', delayNotified: false })),
    })
  })

  it('gives only what is due and not held', async (world) => {
    const { store, clock } = world
    const [first, second, third] = await enqueue(world, 'a.test', 'b.test', 'c.test')
    await store.queue.hold([second!])
    const later = (await claimAll(world)).find((leased) => leased.id === third)
    await store.queue.settle(deferring(later!, clock.now() + 1000))
    await clock.advance(61_000)
    await store.queue.hold([first!])
    expect((await claimAll(world)).map((leased) => leased.id)).toEqual([third])
    expect(await claimAll(world, { now: clock.now() - 61_000 })).toEqual([])
  })

  it('gives an entry to one claim only, also of two at once', async (world) => {
    await enqueue(world, ...Array.from({ length: 10 }, (_, index) => `d${index}.test`))
    const both = await Promise.all([claimAll(world, { slots: 7 }), claimAll(world, { slots: 7 })])
    const ids = both.flat().map((leased) => leased.id)
    expect(ids).toHaveLength(10)
    expect(new Set(ids).size).toBe(10)
    expect(new Set(both.flat().map((leased) => leased.lease)).size).toBe(10)
  })

  it('gives at most as many as there are slots, the longest due of a destination first', async (world) => {
    const ids = await enqueue(world, 'a.test', 'a.test', 'a.test')
    expect((await claimAll(world, { slots: 2 })).map((leased) => leased.id)).toEqual(ids.slice(0, 2))
    expect(await claimAll(world, { slots: 0 })).toEqual([])
    expect((await claimAll(world, { slots: 2 })).map((leased) => leased.id)).toEqual(ids.slice(2))
  })

  it('gives what has been due for longer first, whichever came first', async (world) => {
    const { store, clock } = world
    const ids = await enqueue(world, 'a.test', 'a.test')
    const start = clock.now()
    for (const leased of await claimAll(world)) {
      await store.queue.settle(deferring(leased, start + (leased.id === ids[0] ? 2000 : 1000)))
    }
    await clock.advance(3000)
    expect((await claimAll(world, { slots: 1 })).map((leased) => leased.id)).toEqual([ids[1]])
  })

  it('counts living leases against the limit per destination', async (world) => {
    await enqueue(world, ...new Array<string>(5).fill('a.test'), 'b.test')
    expect(tally(await claimAll(world, { perDestination: 2 }))).toEqual({ 'a.test': 2, 'b.test': 1 })
    expect(await claimAll(world, { perDestination: 2 })).toEqual([])
    expect(tally(await claimAll(world, { perDestination: 3 }))).toEqual({ 'a.test': 1 })
    await world.clock.advance(60_000)
    expect(tally(await claimAll(world, { perDestination: 2 }))).toEqual({ 'a.test': 2, 'b.test': 1 })
  })
}

function describeFairness(open: OpenEngine): void {
  const it = worldTest(open)

  it('ten thousand entries of a dead destination do not delay another', async (world) => {
    const { store } = world
    const many = Array.from({ length: 10_000 }, () => entry('dead.test'))
    for (let at = 0; at < many.length; at += 1000) {
      await store.mail.accept([await acceptance(world, { queue: many.slice(at, at + 1000) })])
    }
    expect(tally(await claimAll(world, { slots: 20, perDestination: 5 }))).toEqual({ 'dead.test': 5 })
    await enqueue(world, 'alive.test')
    expect(destinations(await claimAll(world, { slots: 15, perDestination: 5 }))).toEqual(['alive.test'])
  })

  it('goes round robin over destinations', async (world) => {
    await enqueue(world, ...new Array<string>(8).fill('big.test'), 'a.test', 'z.test', 'z.test')
    const counts = tally(await claimAll(world, { slots: 6 }))
    expect(counts).toEqual({ 'a.test': 1, 'big.test': 3, 'z.test': 2 })
  })

  it('claims of one slot each serve all destinations in turn', async (world) => {
    await enqueue(world, ...new Array<string>(5).fill('a.test'), ...new Array<string>(5).fill('b.test'), 'c.test')
    const served = []
    for (let count = 0; count < 6; count++) served.push(...destinations(await claimAll(world, { slots: 1 })))
    expect(served.slice(0, 3).sort()).toEqual(['a.test', 'b.test', 'c.test'])
    expect(served.slice(3).sort()).not.toContain('c.test')
    expect(new Set(served.slice(3, 5)).size).toBe(2)
  })

  it('at most half of the slots are retries while first attempts wait, and the other way round', async (world) => {
    await enqueueRetries(world, 'old.test', 20)
    await enqueue(world, ...new Array<string>(20).fill('new.test'))
    expect(tally(await claimAll(world, { slots: 10 }))).toEqual({ 'new.test': 5, 'old.test': 5 })
    expect(tally(await claimAll(world, { slots: 30 }))).toEqual({ 'new.test': 15, 'old.test': 15 })
  })

  it('slots that one kind does not need go to the other', async (world) => {
    await enqueueRetries(world, 'old.test', 12)
    await enqueue(world, 'new.test', 'new.test')
    expect(tally(await claimAll(world, { slots: 10 }))).toEqual({ 'new.test': 2, 'old.test': 8 })
    await enqueue(world, ...new Array<string>(9).fill('new.test'))
    expect(tally(await claimAll(world, { slots: 10 }))).toEqual({ 'new.test': 6, 'old.test': 4 })
  })

  it('an odd slot goes to either kind in turn, first attempts first', async (world) => {
    await enqueueRetries(world, 'old.test', 10)
    await enqueue(world, ...new Array<string>(10).fill('new.test'))
    const served = []
    // One that nobody took was nobody's.
    expect(await claimAll(world, { slots: 1, now: 0 })).toEqual([])
    for (let count = 0; count < 4; count++) served.push(...destinations(await claimAll(world, { slots: 1 })))
    expect(served).toEqual(['new.test', 'old.test', 'new.test', 'old.test'])
    expect(tally(await claimAll(world, { slots: 3 }))).toEqual({ 'new.test': 2, 'old.test': 1 })
  })

  it('`retries` bounds the retries whatever else waits', async (world) => {
    await enqueueRetries(world, 'old.test', 10)
    await enqueue(world, 'new.test')
    expect(tally(await claimAll(world, { slots: 10, retries: 2 }))).toEqual({ 'new.test': 1, 'old.test': 2 })
    expect(await claimAll(world, { slots: 10, retries: 0 })).toEqual([])
  })

  it('what was tried before is a retry, though its last lease ended without an attempt', async (world) => {
    await enqueueRetries(world, 'old.test', 1)
    const [leased] = await claimAll(world)
    await world.store.queue.settle(deferring(leased!, world.clock.now(), { attempted: false }))
    expect(await claimAll(world, { retries: 0 })).toEqual([])
    expect(await claimAll(world)).toHaveLength(1)
  })

  it('what was never tried is no retry, though a lease of it ended', async (world) => {
    await enqueue(world, 'new.test')
    const [leased] = await claimAll(world)
    await world.store.queue.settle(deferring(leased!, world.clock.now(), { attempted: false }))
    expect(await claimAll(world, { retries: 0 })).toHaveLength(1)
  })

  it('a destination at its limit gives its slots away', async (world) => {
    await enqueueRetries(world, 'old.test', 10)
    await enqueue(world, 'old.test', 'new.test', 'new.test', 'new.test')
    expect(tally(await claimAll(world, { slots: 8, perDestination: 3 }))).toEqual({ 'new.test': 3, 'old.test': 3 })
  })
}

function describeLeases(open: OpenEngine): void {
  const it = worldTest(open)
  const leaseOf = ({ id, lease }: LeasedEntry) => ({ entry: id, lease })
  const renew = (queue: Queue, world: World, ...leased: LeasedEntry[]) =>
    queue.renew(leased.map(leaseOf), world.clock.now(), 60_000)

  it('run out: then the entry is there for the next claim', async (world) => {
    const [id] = await enqueue(world, 'a.test')
    const [first] = await claimAll(world)
    await world.clock.advance(59_999)
    expect(await claimAll(world)).toEqual([])
    await world.clock.advance(1)
    const [second] = await claimAll(world)
    expect(second?.id).toBe(id)
    expect(second?.lease).not.toBe(first?.lease)
  })

  it('can be renewed', async (world) => {
    await enqueue(world, 'a.test')
    const [leased] = await claimAll(world)
    await world.clock.advance(50_000)
    expect(await renew(world.store.queue, world, leased!)).toEqual([])
    await world.clock.advance(50_000)
    expect(await claimAll(world)).toEqual([])
    await world.clock.advance(10_000)
    expect(await claimAll(world)).toHaveLength(1)
  })

  it('says until when somebody has an entry', async (world) => {
    const { queue } = world.store
    const [id] = await enqueue(world, 'a.test')
    const leasedUntil = async () => (await queue.get(id!))?.leasedUntil
    expect(await leasedUntil()).toBeNull()
    const [leased] = await claimAll(world)
    expect([leased?.leasedUntil, await leasedUntil()]).toEqual(Array(2).fill(world.clock.now() + 60_000))
    await world.clock.advance(50_000)
    await renew(queue, world, leased!)
    expect(await leasedUntil()).toBe(world.clock.now() + 60_000)
    await world.clock.advance(60_000)
    expect(await leasedUntil()).toBeNull()
    await queue.settle(deferring(leased!, world.clock.now() + 1000))
    expect(await leasedUntil()).toBeNull()
  })

  it('renew tells which are lost: taken by another, settled, removed', async (world) => {
    const { queue } = world.store
    await enqueue(world, 'a.test', 'b.test', 'c.test', 'd.test')
    const [a, b, c, d] = await claimAll(world)
    await world.clock.advance(60_000)
    expect(await renew(queue, world, b!, c!, d!)).toEqual([])
    await claimAll(world)
    await queue.settle(deferring(b!, world.clock.now() + 1000))
    await queue.remove([c!.id])
    expect((await renew(queue, world, a!, b!, c!, d!)).sort()).toEqual([a!.id, b!.id, c!.id].sort())
  })

  it('a lost lease settles nothing', async (world) => {
    const { store, clock, alice } = world
    await enqueue(world, 'a.test')
    const [lost] = await claimAll(world)
    await clock.advance(60_000)
    const [current] = await claimAll(world)
    const dsn = await acceptance(world, { filings: [filing(alice)] })
    const settlement = deferring(lost!, clock.now() + 1000, { accept: [dsn] })
    await expect(store.queue.settle(settlement)).rejects.toEqual(refusal('lease-lost'))
    expect(await store.flow.journey(dsn.journey)).toBeUndefined()
    await expect(Array.fromAsync(dsn.message.content.read())).rejects.toThrow()
    expect((await store.queue.get(lost!.id))?.attempts).toBe(0)
    await store.queue.settle(deferring(current!, clock.now() + 1000))
  })

  it('one that ran out and that a claim passed over is not lost: it renews and settles', async (world) => {
    const { store, clock } = world
    await enqueue(world, 'a.test', 'b.test')
    const leased = await claimAll(world)
    await store.queue.hold(leased.map(({ id }) => id))
    await clock.advance(60_000)
    expect(await claimAll(world)).toEqual([])
    expect(await renew(store.queue, world, leased[0]!)).toEqual([])
    await store.queue.release([leased[0]!.id], clock.now())
    expect([await claimAll(world), await store.queue.nextDueAt()]).toEqual([[], null])
    for (const one of leased) await store.queue.settle(deferring(one, clock.now() + 1000))
    expect((await store.queue.get(leased[1]!.id))?.attempts).toBe(1)
    await store.queue.release([leased[1]!.id], clock.now() + 2000)
    // It was let go for being tried, and is due for that.
    expect(await store.queue.nextDueAt()).toBe(clock.now())
  })

  it('one that ran out is waited for no more when it is renewed or settled all the same', async (world) => {
    const { store, clock } = world
    await enqueue(world, 'a.test', 'b.test', 'c.test')
    const due = clock.now()
    const [renewed, settled, held] = await claimAll(world)
    await store.queue.hold([held!.id])
    await clock.advance(60_000)
    // Notices that they ran out, and takes none.
    await claimAll(world, { slots: 0 })
    await renew(store.queue, world, renewed!)
    expect(await store.queue.nextDueAt()).toBe(due)
    await store.queue.settle(deferring(settled!, clock.now() + 1000))
    expect(await store.queue.nextDueAt()).toBe(clock.now() + 1000)
  })

  it('one that only ran out still settles', async (world) => {
    await enqueue(world, 'a.test')
    const [leased] = await claimAll(world)
    await world.clock.advance(120_000)
    await world.store.queue.settle(deferring(leased!, world.clock.now() + 1000))
    expect((await world.store.queue.get(leased!.id))?.attempts).toBe(1)
  })
}

function describeClaimOne(open: OpenEngine): void {
  const it = worldTest(open)

  it('gives an entry as it is: waiting, due or held', async (world) => {
    const { store, clock } = world
    const [waiting, due, held] = await enqueue(world, 'a.test', 'b.test', 'c.test')
    await store.queue.settle(deferring((await claimOne(world, waiting!))!, clock.now() + 900_000))
    await store.queue.hold([held!])
    for (const id of [waiting!, due!, held!]) {
      const before = (await store.queue.get(id))!
      const { lease, ...claimed } = (await claimOne(world, id))!
      expect(lease).toMatch(/^.{1,100}$/)
      expect(claimed).toEqual({ ...before, leasedUntil: clock.now() + 60_000 })
      expect(await store.queue.get(id)).toEqual(claimed)
    }
  })

  it('gives nothing of what somebody has, or is gone', async (world) => {
    const { queue } = world.store
    const [a, b, c] = await enqueue(world, 'a.test', 'b.test', 'c.test')
    await claimAll(world, { slots: 1 })
    expect(await claimOne(world, a!)).toBeUndefined()
    await claimOne(world, b!)
    expect(await claimOne(world, b!)).toBeUndefined()
    await queue.remove([c!])
    expect(await claimOne(world, c!)).toBeUndefined()
    await world.clock.advance(60_000)
    expect((await claimOne(world, a!))?.id).toBe(a)
  })

  it('no claim gives what it gave, as long as the lease lasts', async (world) => {
    const { store, clock } = world
    const [id, other] = await enqueue(world, 'a.test', 'a.test')
    const first = await claimOne(world, id!)
    expect(await claimAll(world, { perDestination: 1 })).toEqual([])
    expect((await claimAll(world)).map((leased) => leased.id)).toEqual([other])
    expect(await store.queue.nextDueAt()).toBeNull()
    await clock.advance(60_000)
    expect((await claimAll(world)).map((leased) => leased.id)).toEqual([id, other])
    await expect(store.queue.settle(deferring(first!, clock.now()))).rejects.toEqual(refusal('lease-lost'))
  })

  it('a held entry is still held when its lease is over, however it ended', async (world) => {
    const { store, clock } = world
    const [settled, expired] = await enqueue(world, 'a.test', 'b.test')
    await store.queue.hold([settled!, expired!])
    await store.queue.settle(deferring((await claimOne(world, settled!))!, clock.now()))
    await claimOne(world, expired!)
    await clock.advance(60_000)
    expect(await claimAll(world)).toEqual([])
    expect(await store.queue.nextDueAt()).toBeNull()
    expect(await store.queue.get(expired!)).toMatchObject({ held: true, leasedUntil: null, attempts: 0 })
    expect(await store.queue.release([settled!, expired!], clock.now())).toBe(2)
    expect((await claimAll(world)).map((leased) => leased.id).sort()).toEqual([settled, expired].sort())
  })

  it('its lease settles: an entry goes, held or not', async (world) => {
    const { queue } = world.store
    const ids = await enqueue(world, 'a.test', 'b.test')
    await queue.hold([ids[0]!])
    for (const id of ids) {
      const leased = (await claimOne(world, id))!
      const outcomes = leased.recipients.map(({ index }) => ({ index, outcome: 'failed' as const, reply: '554 no' }))
      await queue.settle(deferring(leased, 0, { outcomes }))
    }
    expect(await queue.counts(world.clock.now())).toMatchObject({ held: 0, due: 0, waiting: 0, leased: 0 })
  })
}
