import { type QueueEntry, queueEntryId } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { FailedByOperator, type FailOptions } from './failed-by-operator.ts'

const id = queueEntryId(1)
const other = queueEntryId(2)
const trouble = async () => {
  throw new Error('the store stops')
}
const queue = { get: async () => ({}) as QueueEntry }
const limits = { leaseMs: 60_000 }
const failing = (workOutOfTurn: FailOptions['workOutOfTurn'], clock = virtualClock()) =>
  new FailedByOperator({ queue, clock, limits, workOutOfTurn })
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('a store that failed behind an attempt took the process with it', async () => {
  let calls = 0
  const operator = failing(async () => (++calls === 1 ? undefined : trouble()))
  const failed = operator.fail([id])
  const refused = expect(failed).rejects.toThrow('the store stops')
  await turn()
  operator.done(id)
  await refused
})

test('an entry whose failing was not possible did not fail later all the same', async () => {
  const worked: unknown[] = []
  const operator = failing(async (entry) => {
    worked.push(entry)
    return entry === id ? trouble() : undefined
  })
  await expect(operator.fail([id, other])).rejects.toThrow('the store stops')
  operator.done(other)
  await turn()
  expect(worked).toEqual([id, other])
})

test('an attempt that ended while the entry was asked for is not waited for', async () => {
  let calls = 0
  const operator: FailedByOperator = failing(async () => {
    if (++calls > 1) return true
    operator.done(id)
    return undefined
  })
  expect(await operator.fail([id])).toBe(1)
})

test('an entry whose attempt could not be concluded fails when its lease is over', async () => {
  const clock = virtualClock()
  let isLeased = true
  const operator = failing(async () => (isLeased ? undefined : true), clock)
  const failed = operator.fail([id])
  await turn()
  isLeased = false
  await clock.advance(limits.leaseMs)
  expect(await failed).toBe(1)
})

test('a server that stops ends the verb, whatever is under way', async () => {
  const operator = failing(async () => undefined)
  const failed = operator.fail([id, id, other])
  await turn()
  operator.giveUp()
  expect(await failed).toBe(0)
})
