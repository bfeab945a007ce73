import { type LeasedEntry, type QueueEntry, queueEntryId } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { FailedByOperator, type FailOptions } from './failed-by-operator.ts'

const id = queueEntryId(1)
const trouble = async () => {
  throw new Error('the store stops')
}
const ok = async () => 1
const working = { get: async () => ({}) as QueueEntry, hold: ok, release: ok, retryNow: ok }
const failing = (queue: Partial<FailOptions['queue']>) =>
  new FailedByOperator({ queue: { ...working, ...queue }, clock: virtualClock() })

test('a store that failed behind an attempt took the process with it', async () => {
  let calls = 0
  const marked = failing({ retryNow: async () => (++calls === 1 ? 1 : trouble()) })
  const failed = marked.fail([id])
  await new Promise((resolve) => setImmediate(resolve))
  marked.done(id, false)
  expect(await failed).toBe(0)
})

test('an entry whose failing was not possible did not fail later all the same', async () => {
  const marked = failing({ release: trouble })
  await expect(marked.fail([id])).rejects.toThrow('the store stops')
  expect(marked.has(id)).toBe(false)
})

test('held mail that a stopping server could not fail any more was sent by the next', async () => {
  const held: unknown[] = []
  const marked = failing({
    get: async (entry) => ({ held: entry === id }) as QueueEntry,
    hold: async (ids) => held.push(...ids),
  })
  const failed = marked.fail([id, queueEntryId(2)])
  await new Promise((resolve) => setImmediate(resolve))
  await marked.giveUp()
  expect(await failed).toBe(0)
  expect(held).toEqual([id])
})

test('held mail that did not fail, for want of room for its bounce, was sent', async () => {
  const held: unknown[] = []
  const marked = failing({ get: async () => ({ held: true }) as QueueEntry, hold: async (ids) => held.push(...ids) })
  const failed = marked.fail([id])
  await new Promise((resolve) => setImmediate(resolve))
  await marked.attempt({ entry: { id, recipients: [] } as unknown as LeasedEntry, lost: false })
  marked.done(id, false)
  expect(await failed).toBe(0)
  expect(held).toEqual([id])
})

test('held mail that was let go but could not be made due was sent', async () => {
  const held: unknown[] = []
  const hold = async (ids: readonly unknown[]) => held.push(...ids)
  const marked = failing({ get: async () => ({ held: true }) as QueueEntry, hold, retryNow: trouble })
  await expect(marked.fail([id])).rejects.toThrow('the store stops')
  expect(held).toEqual([id])
})

test('held mail that is failed twice at once is still held mail', async () => {
  let isHeld = true
  const marked = failing({
    get: async () => ({ held: isHeld }) as QueueEntry,
    hold: async () => Number((isHeld = true)),
    release: async () => Number((isHeld = false)),
  })
  const first = marked.fail([id])
  await new Promise((resolve) => setImmediate(resolve))
  const second = marked.fail([id])
  expect(await first).toBe(0)
  await new Promise((resolve) => setImmediate(resolve))
  await marked.giveUp()
  expect(await second).toBe(0)
  expect(isHeld).toBe(true)
})

test('a store in trouble kept a server from stopping, and the verb from ending', async () => {
  const marked = failing({ get: async () => ({ held: true }) as QueueEntry, hold: trouble })
  const failed = marked.fail([id])
  await new Promise((resolve) => setImmediate(resolve))
  await marked.giveUp()
  expect(await failed).toBe(0)
})
