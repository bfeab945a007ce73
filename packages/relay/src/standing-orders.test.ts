import { type LeasedEntry, type MemoryNote, silentLog } from '@pennypost/model'
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
  const orders = new StandingOrders({ memory: { list }, clock, log: silentLog })
  const entry = { recipients: [{ index: 0, forwardPath: 'bob@two.test' }] } as unknown as LeasedEntry
  const verdicts = await Promise.all([orders.suppressed(entry), orders.suppressed(entry)])
  expect(verdicts.map((verdict) => verdict?.get(0)?.outcome)).toEqual(['failed', 'failed'])
})
