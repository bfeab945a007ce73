import type { FlowEvent, Journey, JourneyId } from '@pennypost/model'
import { expect, test } from 'vitest'
import { Arrivals } from './arrivals.ts'

const id = 'J' as JourneyId
const received = { kind: 'received' } as FlowEvent
const passed = { kind: 'finding', check: 'spf', result: 'pass' } as FlowEvent

test('the journey of a letter with thousands of entries is read once for all of them', async () => {
  let read = 0
  const journey = async (): Promise<Journey> => {
    read++
    return { id, events: [received, passed] }
  }
  const arrivals = new Arrivals({ journey })
  const found = await Promise.all(Array.from({ length: 1000 }, () => arrivals.of(id)))
  expect(found.every(({ sender }) => sender === 'known')).toBe(true)
  await arrivals.of(id)
  expect(read).toBe(1)
})

test('what is asked while the letter is being accepted is asked again', async () => {
  let events: FlowEvent[] = [{ kind: 'refused' } as FlowEvent]
  const arrivals = new Arrivals({ journey: async () => ({ id, events }) })
  expect(await arrivals.of(id)).toEqual({ sender: 'unchecked', isQuarantined: false })
  events = [received, passed, { kind: 'verdict', verdict: 'quarantine', reason: 'spam' } as FlowEvent]
  expect(await arrivals.of(id)).toEqual({ sender: 'known', isQuarantined: true })
})
