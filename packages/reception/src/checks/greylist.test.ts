import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { defaultGreylist, Greylist } from './greylist.ts'

test('a clock that is set back keeps nobody waiting until it has caught up', async () => {
  const clock = virtualClock()
  let aheadMs = 365 * 86_400_000
  const { memory } = createMemoryStore({ clock, random: seededRandom(1) })
  const greylist = new Greylist(defaultGreylist, memory, { ...clock, now: () => clock.now() + aheadMs })
  const facts = { clientAddress: '192.0.2.1', spf: undefined, reversePath: 'a@two.test', forwardPath: 'bob@one.test' }
  expect(await greylist.ask(facts)).toMatchObject({ result: 'wait' })
  aheadMs = 0
  expect(await greylist.ask(facts)).toMatchObject({ result: 'wait', retryAfterSeconds: 300 })
  await clock.advance(defaultGreylist.delayMs)
  expect(await greylist.ask(facts)).toMatchObject({ result: 'waited' })
})
