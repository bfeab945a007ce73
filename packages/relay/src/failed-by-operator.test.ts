import { type QueueEntry, queueEntryId } from '@pennypost/model'
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
