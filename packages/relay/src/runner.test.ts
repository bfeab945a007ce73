import { type LeasedEntry, nextTurn, type Queue, silentLog } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { describe, expect, test } from 'vitest'
import { PostOffice } from '../test/post-office.ts'
import type { Work } from './attempt-result.ts'
import { defaultRelayLimits } from './limits.ts'
import { Runner } from './runner.ts'

test('hundreds of attempts that are claimed at once do not begin in one turn of the event loop', async () => {
  const clock = virtualClock()
  let claims = 0
  const entries = Array.from({ length: 300 }, (_, id) => ({ id, attempts: 0 }) as unknown as LeasedEntry)
  const queue = {
    claim: async () => (claims++ === 0 ? entries : []),
    nextDueAt: async () => null,
    watch: () => ({ [Symbol.dispose]() {} }),
    async *list() {},
  } as unknown as Queue
  let [most, now, begun] = [0, 0, 0]
  const turn = (): void => {
    now = 0
    if (begun < entries.length) setImmediate(turn)
  }
  turn()
  const runner = new Runner({
    queue,
    clock,
    log: silentLog,
    limits: defaultRelayLimits,
    stuck: () => ({ entries: 0, retries: 0 }),
    longestWaitMs: () => 0,
    onDone: () => {},
    attempt: async () => {
      begun++
      most = Math.max(most, ++now)
      return { verdicts: new Map(), flow: [] }
    },
    conclude: async () => ({ isOver: true }),
  })
  runner.start()
  await expect.poll(() => begun).toBe(300)
  await runner.stop()
  expect(most).toBeLessThanOrEqual(60)
})

/** A runner for 4 entries and what is stuck besides; what is in work ends with `stop`. */
function smallRunner() {
  const time = virtualClock()
  const clock = { ...time, busy: () => ({ [Symbol.dispose]() {} }) }
  const due: LeasedEntry[] = []
  const queue = {
    claim: async ({ slots, retries }: { slots: number; retries: number }) => {
      const isFree = ({ attempts }: LeasedEntry) => slots > 0 && (attempts === 0 || retries-- > 0) && slots-- > 0
      const claimed = due.filter(isFree)
      due.splice(0, due.length, ...due.filter((entry) => !claimed.includes(entry)))
      return claimed
    },
    nextDueAt: async () => null,
    watch: () => ({ [Symbol.dispose]() {} }),
    async *list() {},
    renew: async () => [],
  } as unknown as Queue
  const ends: (() => void)[] = []
  const stuck = { entries: 0, retries: 0 }
  let id = 0
  const runner = new Runner({
    queue,
    clock,
    log: silentLog,
    limits: { ...defaultRelayLimits, attempts: 4 },
    stuck: () => stuck,
    longestWaitMs: () => 0,
    onDone: () => {},
    attempt: () => new Promise((resolve) => ends.push(() => resolve({ verdicts: new Map(), flow: [] }))),
    conclude: async () => ({ isOver: true }),
  })
  return {
    stuck,
    due: (count: number, attempts: number) => {
      for (let at = 0; at < count; at++) due.push({ id: id++, attempts } as unknown as LeasedEntry)
    },
    start: () => runner.start(),
    /** How many are in work when it has looked again. */
    async working(): Promise<number> {
      await time.advance(1000)
      await new Promise(setImmediate)
      return ends.length
    },
    async [Symbol.asyncDispose]() {
      for (const end of ends) end()
      await runner.stop()
    },
  }
}

test('a runner that was full did not see that what it had in work only waits, until something ended', async () => {
  await using runner = smallRunner()
  runner.due(5, 0)
  runner.start()
  expect(await runner.working()).toBe(4)
  runner.stuck.entries = 1
  expect(await runner.working()).toBe(5)
})

test('retries took all places while new letters waited for silent destinations', async () => {
  await using runner = smallRunner()
  Object.assign(runner.stuck, { entries: 10, retries: 0 })
  runner.due(10, 0)
  runner.due(10, 1)
  runner.start()
  expect(await runner.working()).toBe(12)
})

test('retries waited for silent destinations, and all others behind them', async () => {
  await using runner = smallRunner()
  Object.assign(runner.stuck, { entries: 10, retries: 10 })
  runner.due(20, 1)
  runner.start()
  expect(await runner.working()).toBe(12)
})

/** A runner over entries that come due at these times after the start; an attempt ends with `stop`. */
function runnerOver(dueAfterMs: readonly number[], { claimTakesMs = 0, full = [] as readonly number[] } = {}) {
  let late = 0
  const time = virtualClock()
  const start = time.now()
  // Goes on while an attempt is under way.
  const clock = { ...time, now: () => time.now() + late, busy: () => ({ [Symbol.dispose]() {} }) }
  const dueAt = new Map(dueAfterMs.map((due, id) => [id, start + due]))
  const queue = {
    // One at a time, as a claim brings no more than it has looked for.
    claim: async ({ now }: { now: number }) => {
      const [id] = [...dueAt].find(([id, due]) => due <= now && !full.includes(id)) ?? []
      late += claimTakesMs
      if (id === undefined) return []
      dueAt.delete(id)
      return [{ id, attempts: 1 } as unknown as LeasedEntry]
    },
    nextDueAt: async () => [...dueAt.values()].sort((a, b) => a - b)[0] ?? null,
    watch: () => ({ [Symbol.dispose]() {} }),
    async *list() {},
  } as unknown as Queue
  const released = Promise.withResolvers<void>()
  const begun: unknown[] = []
  const runner = new Runner({
    queue,
    clock,
    log: silentLog,
    limits: defaultRelayLimits,
    stuck: () => ({ entries: 0, retries: 0 }),
    longestWaitMs: () => 86_400_000,
    onDone: () => {},
    attempt: async ({ entry }) => {
      begun.push(entry.id)
      await released.promise
      return { verdicts: new Map(), flow: [] }
    },
    conclude: async () => ({ isOver: true }),
  })
  runner.start()
  const stop = (): Promise<void> => {
    released.resolve()
    return runner.stop()
  }
  return { clock, begun, stop }
}

describe('while a next hop takes its time over a letter', () => {
  test('what came due waited for the end of that', async () => {
    const { clock, begun, stop } = runnerOver([0, 0, 60_000])
    await clock.advance(59_999)
    expect(begun).toEqual([0, 1])
    await clock.advance(1)
    expect(begun).toEqual([0, 1, 2])
    await stop()
  })

  test('what came due during a claim waited for the end of that', async () => {
    const { clock, begun, stop } = runnerOver([0, 7], { claimTakesMs: 5 })
    await clock.advance(1)
    expect(begun).toEqual([0, 1])
    await stop()
  })

  test('what came due behind a destination that has its share waited for the end of that', async () => {
    const { clock, begun, stop } = runnerOver([0, 0, 60_000], { full: [1] })
    await clock.advance(70_000)
    expect(begun).toEqual([0, 2])
    await stop()
  })
})

test('a relay that was stopped seemed to start again, with connections that stay closed', async () => {
  await using office = await PostOffice.open()
  await office.relay.stop(0)
  expect(() => office.relay.start()).toThrow('not started again')
})

test('an attempt was given up as lost, because the one before it had ended while its lease was being renewed', async () => {
  const time = virtualClock()
  const clock = { ...time, busy: () => ({ [Symbol.dispose]() {} }) }
  const leases = ['first', 'second']
  const { promise: answered, resolve: answer } = Promise.withResolvers<number[]>()
  const queue = {
    claim: async () => leases.splice(0, 1).map((lease) => ({ id: 1, attempts: 0, lease }) as unknown as LeasedEntry),
    nextDueAt: async () => null,
    watch: () => ({ [Symbol.dispose]() {} }),
    renew: () => answered,
  } as unknown as Queue
  const works: Work[] = []
  const ends: (() => void)[] = []
  const runner = new Runner({
    queue,
    clock,
    log: silentLog,
    limits: { ...defaultRelayLimits, attempts: 1 },
    stuck: () => ({ entries: 0, retries: 0 }),
    longestWaitMs: () => 0,
    onDone: () => {},
    attempt: (work) => {
      works.push(work)
      return new Promise((resolve) => ends.push(() => resolve({ verdicts: new Map(), flow: [] })))
    },
    conclude: async ({ lease }) => ({ isOver: false, lease }),
  })
  runner.start()
  await time.advance(defaultRelayLimits.leaseMs / 3)
  ends[0]!()
  await nextTurn()
  answer([1])
  await nextTurn()
  expect(works.map(({ entry, lost }) => [entry.lease, lost])).toEqual([
    ['first', false],
    ['second', false],
  ])
  ends[1]!()
  await runner.stop()
})
