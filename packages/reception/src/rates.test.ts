import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hourMs, Rates, rateNote } from './rates.ts'

const limit = { windowMs: hourMs, limit: 10 }
const noon = 500_000 * hourMs

function open() {
  const { memory } = createMemoryStore({ clock: virtualClock(), random: seededRandom(1) })
  return { memory, rates: new Rates(memory) }
}

test('so many in an hour, and then again when their hour is over', async () => {
  const { memory, rates } = open()
  for (let sent = 0; sent < 10; sent++) {
    expect(await rates.waitMs('a', limit, 1, noon)).toBe(0)
    await memory.note([rateNote('a', limit, 1, noon)])
  }
  const wait = await rates.waitMs('a', limit, 1, noon)
  expect(wait).toBe(hourMs + hourMs / 10)
  expect(await rates.waitMs('a', limit, 1, noon + wait)).toBe(0)
  expect(await rates.waitMs('b', limit, 1, noon)).toBe(0)
})

test('the full hour clears nothing at once', async () => {
  const { memory, rates } = open()
  await memory.note([rateNote('a', limit, 10, noon + hourMs - 1)])
  expect(await rates.waitMs('a', limit, 1, noon + hourMs)).toBe(hourMs / 10)
})

test('without a limit nothing is read', async () => {
  const rates = new Rates({ recall: () => Promise.reject(new Error('asked')) })
  expect(await rates.waitMs('a', { windowMs: hourMs, limit: 0 }, 5, noon)).toBe(0)
})

test('one that is larger than the limit is taken when nothing came before it', async () => {
  const { rates } = open()
  expect(await rates.waitMs('a', limit, 1000, noon)).toBe(0)
})

test('who waits as long as he was told is taken', async () => {
  const events = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 * hourMs }), fc.integer({ min: 1, max: 20 })))
  await fc.assert(
    fc.asyncProperty(events, fc.integer({ min: 1, max: 20 }), async (came, wanted) => {
      const { memory, rates } = open()
      for (const [at, count] of came) await memory.note([rateNote('a', limit, count, noon + at)])
      const now = noon + 2 * hourMs
      const wait = await rates.waitMs('a', limit, wanted, now)
      expect(await rates.waitMs('a', limit, wanted, now + wait)).toBe(0)
    }),
  )
})
