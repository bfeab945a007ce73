/** The clock of dates is set, ahead or back, while mail waits. */
import { expect, test } from 'vitest'
import { day, hour, inTurn, minute, PostOffice } from './post-office.ts'

test('a clock that jumps bounces nothing untried', async () => {
  await using office = await PostOffice.open()
  office.peer('192.0.2.2', { script: { RCPT: inTurn('451 4.7.1 later', '250 ok') } })
  await office.send()
  await office.store.queue.hold((await office.queue()).map(({ id }) => id))
  await office.advance(30 * day)
  await office.store.queue.release(
    (await office.queue()).map(({ id }) => id),
    office.clock.now(),
  )
  await office.advance(0)
  expect(await office.queue()).toEqual([])
  expect(await office.inbox()).toEqual([])
})

test('a clock that is set back strands nothing', async () => {
  let aheadMs = 2 * day
  await using office = await PostOffice.open(({ clock }) => ({ clock: { ...clock, now: () => clock.now() + aheadMs } }))
  const mx = office.peer('192.0.2.2', { script: { RCPT: inTurn('451 4.7.1 later', '250 ok') } })
  await office.send()
  aheadMs = 0
  await office.advance(15 * minute)
  expect(mx.transactions).toHaveLength(1)
  expect(office.logged).toContainEqual(expect.objectContaining({ level: 'warn', facts: { entries: 1 } }))
})

test('a clock that is set back strands nothing behind mail that is due before it', async () => {
  let aheadMs = 2 * day
  await using office = await PostOffice.open(({ clock }) => ({ clock: { ...clock, now: () => clock.now() + aheadMs } }))
  const mx = office.peer('192.0.2.2', { script: { RCPT: inTurn('451 4.7.1 later', '250 ok') } })
  await office.send({ recipients: [{ forwardPath: 'bob@[192.0.2.3]' }], destination: '[192.0.2.3]' })
  const others = (await office.queue()).map(({ id }) => id)
  await office.store.queue.hold(others)
  await office.send()
  aheadMs = 0
  await office.store.queue.release(others, office.clock.now() + 3 * hour)
  await office.advance(15 * minute)
  expect(mx.transactions).toHaveLength(1)
})

test('what was put off before the start, by a clock that was ahead, is tried', async () => {
  let aheadMs = 2 * day
  await using office = await PostOffice.open(({ clock }) => ({ clock: { ...clock, now: () => clock.now() + aheadMs } }))
  const mx = office.peer('192.0.2.2', { script: { RCPT: inTurn('451 4.7.1 later', '250 ok') } })
  await office.send()
  await office.relay.stop(0)
  aheadMs = 0
  office.relay = office.createRelay()
  office.relay.start()
  await office.advance(minute)
  expect(mx.transactions).toHaveLength(1)
})

/** A post office whose clock of dates is `time.aheadMs` ahead. */
async function openAhead(aheadMs = 0) {
  const time = { aheadMs }
  const office = await PostOffice.open(({ clock }) => ({ clock: { ...clock, now: () => clock.now() + time.aheadMs } }))
  return { office, time }
}

const told = async (office: PostOffice) =>
  (await office.inbox()).map((notice) => /^Action: (.*)$/m.exec(notice)?.[1]?.trim())

test('a clock that is ten years ahead for some hours bounces nothing early, though attempts fail meanwhile', async () => {
  const { office, time } = await openAhead()
  await using _ = office
  await office.send()
  await office.advance(hour)
  time.aheadMs = 3650 * day
  await office.advance(6 * hour)
  time.aheadMs = 0
  await office.advance(5 * day - 8 * hour)
  expect(await told(office)).toEqual(['delayed'])
  await office.advance(hour)
  expect(await told(office)).toEqual(['delayed', 'failed'])
  expect(await office.queue()).toEqual([])
})

test('what was late for want of a turn, and not by the clock, is given up', async () => {
  const { office } = await openAhead()
  await using _ = office
  await office.send()
  const [entry] = await office.queue()
  // As if others were before it for five days.
  const claim = { slots: 1, perDestination: 1, leaseMs: 5 * day }
  await office.store.queue.claim({ ...claim, now: entry!.dueAt })
  await office.advance(5 * day + hour)
  expect(await told(office)).toEqual(['failed'])
})

test('what came while the clock was ten years ahead is given up when its attempts make up five days', async () => {
  const { office } = await openAhead()
  await using _ = office
  const acceptedAt = office.clock.now() + 3650 * day
  await office.send({ acceptedAt })
  await office.store.queue.retryNow(
    (await office.queue()).map(({ id }) => id),
    office.clock.now(),
  )
  await office.advance(4 * day)
  expect(await told(office)).toEqual(['delayed'])
  await office.advance(2 * day)
  expect(await told(office)).toEqual(['delayed', 'failed'])
})

test('after a clock is set back by three hours nothing waits longer than its step', async () => {
  const { office, time } = await openAhead(3 * hour)
  await using _ = office
  const mx = office.peer('192.0.2.2', { script: { RCPT: inTurn('451 4.7.1 later', '250 ok') } })
  await office.send()
  time.aheadMs = 0
  await office.advance(20 * minute)
  expect(mx.transactions).toHaveLength(1)
})

test('an attempt under way is not begun a second time when the clock jumps over the end of its lease', async () => {
  const { office, time } = await openAhead()
  await using _ = office
  const { promise: asked, resolve } = Promise.withResolvers<void>()
  const { promise: later, resolve: goOn } = Promise.withResolvers<void>()
  const { connect, secure } = office.dialer
  await office.relay.stop(0)
  const clock = { ...office.options.clock, busy: () => ({ [Symbol.dispose]() {} }) }
  office.relay = office.createRelay({
    clock,
    dialer: {
      secure,
      async connect(...to: Parameters<typeof connect>) {
        resolve()
        await later
        return connect(...to)
      },
    },
  })
  const mx = office.peer('192.0.2.2')
  office.relay.start()
  const journey = await office.accept()
  await asked
  time.aheadMs = day
  // A claim, before any renewal.
  await office.accept()
  await office.advance(0)
  goOn()
  while ((await office.queue()).length > 0) await new Promise((turn) => setImmediate(turn))
  await office.relay.stop(1000)
  expect(mx.transactions).toHaveLength(2)
  expect((await office.trace(journey)).filter((event) => event.startsWith('delivered'))).toHaveLength(1)
})

test('what had been delivered was sent again, because the clock jumped over the end of its lease as it was settled', async () => {
  let aheadMs = 0
  const { promise: claimed, resolve: claim } = Promise.withResolvers<void>()
  await using office = await PostOffice.open(({ store, clock }) => {
    const settle: typeof store.queue.settle = async (settlement) => {
      if (aheadMs === 0) {
        aheadMs = day
        await office.accept({ destination: 'three.test' })
        await claimed
      }
      return store.queue.settle(settlement)
    }
    const claimNoted: typeof store.queue.claim = async (request) => {
      const entries = await store.queue.claim(request)
      if (aheadMs > 0 && entries.length > 0) claim()
      return entries
    }
    const queue = { ...store.queue, settle, claim: claimNoted }
    return { clock: { ...clock, now: () => clock.now() + aheadMs }, store: { ...store, queue } }
  })
  const mx = office.peer('192.0.2.2')
  const journey = await office.send()
  await office.advance(hour)
  expect(mx.transactions).toHaveLength(1)
  expect(await office.events(journey, 'delivered')).toHaveLength(1)
})
