import type { LeasedEntry, MemoryNote } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { StandingOrders } from './standing-orders.ts'

test('of all entries of the first claim, only the first knew who is suppressed', async () => {
  const clock = virtualClock()
  const { memory } = createMemoryStore({ clock, random: seededRandom(1) })
  const note: MemoryNote = { kind: 'suppressed', key: 'bob@two.test', at: 0, expiresAt: clock.now() + 1000, value: '' }
  await memory.note([note])
  const list: typeof memory.list = async (...asked) => {
    await new Promise((resolve) => setImmediate(resolve))
    return memory.list(...asked)
  }
  const orders = new StandingOrders({ memory: { ...memory, list }, clock })
  const entry = { recipients: [{ index: 0, forwardPath: 'bob@two.test' }] } as unknown as LeasedEntry
  const verdicts = await Promise.all([orders.suppressed(entry), orders.suppressed(entry)])
  expect(verdicts.map((verdict) => verdict?.get(0)?.outcome)).toEqual(['failed', 'failed'])
})

test('what is looked up are the recipients, not all that are suppressed', async () => {
  const clock = virtualClock()
  const { memory } = createMemoryStore({ clock, random: seededRandom(1) })
  const expiresAt = clock.now() + 1000
  await memory.note(
    Array.from({ length: 500 }, (_, i) => ({
      kind: 'suppressed',
      key: `dead${i}@two.test`,
      at: 0,
      expiresAt,
      value: 'gone',
    })),
  )
  let read = 0
  const list: typeof memory.list = async (...asked) => {
    const found = await memory.list(...asked)
    read += found.length
    return found
  }
  const orders = new StandingOrders({ memory: { ...memory, list }, clock })
  const recipients = ['bob@two.test', 'dead7@two.test'].map((forwardPath, index) => ({ index, forwardPath }))
  const verdicts = await orders.suppressed({ recipients } as unknown as LeasedEntry)
  expect([...(verdicts ?? [])].map(([index, { reply }]) => [index, reply.lines.join()])).toEqual([
    [1, expect.stringContaining('gone')],
  ])
  expect(read).toBeLessThanOrEqual(2)
})

test('a list that was read before a rule came, and was told after it, hid the rule', async () => {
  const clock = virtualClock()
  const { memory } = createMemoryStore({ clock, random: seededRandom(1) })
  const released = Promise.withResolvers<void>()
  let isFirst = true
  const list: typeof memory.list = async (...asked) => {
    const found = await memory.list(...asked)
    if (isFirst) {
      isFirst = false
      await released.promise
    }
    return found
  }
  const orders = new StandingOrders({ memory: { ...memory, list }, clock })
  const mail = {
    destination: 'two.test',
    envelope: { reversePath: '' },
    recipients: [{ index: 0, forwardPath: 'bob@two.test', lastReply: '' }],
  }
  const before = orders.suppressed(mail)
  const expiresAt = clock.now() + 1000
  await memory.note([{ kind: 'suppressed', key: 'bob@two.test', at: 0, expiresAt, value: '' }])
  orders.reread()
  expect((await orders.suppressed(mail))?.size).toBe(1)
  released.resolve()
  await before
  expect((await orders.suppressed(mail))?.size).toBe(1)
})
