import { virtualClock } from '@pennypost/model/testing'
import type { SmtpClient } from '@pennypost/smtp'
import { describe, expect, test } from 'vitest'
import { type Acquired, ConnectionPool } from './connection-pool.ts'
import type { NextHop } from './next-hop.ts'
import type { Opened } from './open-connection.ts'
import { deferred } from './verdict.ts'

const way = { destination: 'two.test', security: 'policy' } as const

/** A pool whose connections open when the test says so. */
function pooled(limits: { connectionsPerDestination?: number; keptConnections?: number } = {}) {
  const opening: ((opened: Opened) => void)[] = []
  const quitted: NextHop[] = []
  const clock = virtualClock()
  const pool = new ConnectionPool({
    open: () => new Promise((resolve) => opening.push(resolve)),
    clock,
    limits: {
      attempts: 100,
      connectionsPerDestination: 20,
      keptConnections: 10,
      idleMs: 5000,
      transactionsPerConnection: 10,
      backOffMs: 1000,
      backOffMaxMs: 4000,
      ...limits,
    },
  })
  const hop = (destination = 'two.test'): NextHop => {
    const made = { ...way, destination, host: 'mx', address: '192.0.2.1', port: 25, tls: undefined, tlsReason: '' }
    const client = { usable: true, transactions: 1, quit: async () => void quitted.push(all), close() {} }
    const all: NextHop = { ...made, dns: [], openedMs: 1, lines: [], client: client as unknown as SmtpClient }
    return all
  }
  const open = async (destination?: string): Promise<NextHop> => {
    const opened = hop(destination)
    opening.shift()!({ ok: true, hop: opened, tried: [] })
    await turn()
    return opened
  }
  const fail = async (): Promise<void> => {
    opening.shift()!({
      ok: false,
      verdict: deferred('4.4.1', 'no'),
      tried: [{ host: 'mx', address: '', elapsedMs: 1, transcript: ['S: no'] }],
    })
    await turn()
  }
  const acquire = (count: number, got: Acquired[] = []): Acquired[] => {
    for (let at = 0; at < count; at++) void pool.acquire(way).then((acquired) => got.push(acquired))
    return got
  }
  return { pool, opening, quitted, clock, open, fail, acquire }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('opening', () => {
  test('begins with one, and grows by as many as stand, up to the limit', async () => {
    const { opening, open, acquire } = pooled({ connectionsPerDestination: 5 })
    acquire(30)
    const stages: number[] = []
    while (opening.length > 0) {
      stages.push(opening.length)
      for (const _ of [...opening]) await open()
    }
    expect(stages[0]).toBe(1)
    expect(stages.reduce((sum, each) => sum + each)).toBe(5)
  })

  test('that fails while none stands answers for all; only the first has the transcript', async () => {
    const { opening, fail, acquire } = pooled()
    const got = acquire(3)
    await fail()
    expect(got.map(({ ok }) => ok)).toEqual([false, false, false])
    expect(got.map(({ tried }) => tried[0]!.transcript)).toEqual([['S: no'], undefined, undefined])
    expect(opening).toEqual([])
  })

  test('that fails while others stand leaves the work to them', async () => {
    const { opening, open, fail, acquire, pool } = pooled()
    const got = acquire(3)
    const first = await open()
    await fail()
    expect(got).toHaveLength(1)
    expect(opening).toEqual([])
    pool.release(first)
    await turn()
    expect(got[1]).toMatchObject({ ok: true, hop: first, reused: true })
  })
})

test('who came while a connection to another address was being opened waited without end when none came about', async () => {
  const { pool, opening, open, fail, acquire } = pooled()
  acquire(1)
  const first = await open()
  Object.assign(first.client, { usable: false, isBroken: true })
  pool.release(first)
  const apart = pool.acquire(way, { avoid: new Set([first.address]) })
  const got = acquire(1)
  expect(opening).toHaveLength(1)
  await fail()
  expect(await apart).toMatchObject({ ok: false })
  await turn()
  const second = await open()
  expect(got).toMatchObject([{ ok: true, hop: second }])
})

test('a connection is used as often as the one that broke was of use, and after some that were one more time', async () => {
  const { pool, quitted, open, acquire } = pooled()
  acquire(100)
  const broken = await open()
  Object.assign(broken.client, { usable: false, isBroken: true, transactions: 4 })
  pool.release(broken)
  for (let inOrder = 0; inOrder < 14; inOrder++) {
    const hop = await open()
    Object.assign(hop.client, { transactions: 3 })
    pool.release(hop)
    expect(quitted.at(-1)).toBe(hop)
  }
  const kept = await open()
  Object.assign(kept.client, { transactions: 3 })
  pool.release(kept)
  expect(quitted).not.toContain(kept)
})

test('a destination that was down got as many connections as ever before one of them was of use', async () => {
  const { opening, open, fail, acquire, pool } = pooled()
  acquire(1)
  await fail()
  const got: Acquired[] = []
  const retry = () => void pool.acquire(way, { isRetry: true }).then((acquired) => got.push(acquired))
  for (let count = 0; count < 5; count++) retry()
  const first = await open()
  expect(opening).toHaveLength(0)
  pool.release(first)
  await turn()
  expect(opening).toHaveLength(1)
  await open()
  expect(opening).toHaveLength(2)
  expect(got).toHaveLength(3)
})

test('so many are kept idle and no more, and none longer than its time', async () => {
  const { pool, quitted, clock, open, acquire } = pooled({ keptConnections: 1 })
  acquire(2)
  const first = await open()
  const second = await open()
  pool.release(first)
  pool.release(second)
  expect(quitted).toEqual([second])
  await clock.advance(6000)
  const got = acquire(1)
  await turn()
  expect(quitted).toEqual([second, first])
  expect(got).toEqual([])
})

test('what is kept is closed when its time is over, though nobody asks for it', async () => {
  const { pool, quitted, clock, open, acquire } = pooled({ keptConnections: 2 })
  acquire(2)
  const [first, second] = [await open(), await open()]
  pool.release(first)
  await clock.advance(4999)
  pool.release(second)
  expect(quitted).toEqual([])
  await clock.advance(1)
  expect(quitted).toEqual([first])
  const got = acquire(2)
  await turn()
  expect(got).toMatchObject([{ hop: second }])
  await clock.advance(5000)
  expect(quitted).toEqual([first])
})

test('draining sends away who waits, and closes what is idle, released, or only now open', async () => {
  const { pool, quitted, open, acquire } = pooled()
  const got = acquire(2)
  const first = await open()
  pool.drain()
  await turn()
  expect(got[1]).toMatchObject({ ok: false, verdict: { own: true } })
  pool.release(first)
  const late = await open()
  expect(quitted).toEqual([first, late])
  expect(await pool.acquire(way, { avoid: new Set(['192.0.2.1']) })).toMatchObject({ ok: false })
})

describe('how many stand adapts', () => {
  test('half as many after one breaks, one more for as many that are given back', async () => {
    const { pool, opening, open, acquire } = pooled({ connectionsPerDestination: 4 })
    const got = acquire(20)
    const hops: NextHop[] = []
    while (opening.length > 0) hops.push(await open())
    expect(hops).toHaveLength(4)
    const [broken, ...others] = hops as [NextHop, ...NextHop[]]
    Object.assign(broken.client, { usable: false, isBroken: true })
    pool.release(broken)
    expect(opening).toHaveLength(0)
    for (const hop of others.slice(0, 2)) {
      Object.assign(hop.client, { usable: false })
      pool.release(hop)
    }
    // One stands and two may.
    expect(opening).toHaveLength(1)
    const second = await open()
    const last = others[2] as NextHop
    for (const hop of [last, second, last]) pool.release(hop)
    expect(opening.length).toBeGreaterThan(0)
    expect(got.length).toBeGreaterThan(4)
  })
})
