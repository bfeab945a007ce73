/** What operators order: entries that fail now, recipients who get nothing more, mail that is held when it comes. */
import { type QueueEntry, StoreError } from '@pennypost/model'
import { describe, expect, test } from 'vitest'
import { day, inTurn, minute, onDisk, PostOffice } from './post-office.ts'

describe('failNow', () => {
  test('bounces what it is given, held or not, and says how many', async () => {
    await using office = await PostOffice.open()
    await office.send()
    const held = await office.send()
    const [, entry] = await office.queue()
    await office.store.queue.hold([entry!.id])
    const ids = (await office.queue()).map(({ id }) => id)
    expect(await office.relay.failNow([...ids, ...ids])).toBe(2)
    expect(await office.queue()).toEqual([])
    expect(await office.inbox()).toHaveLength(2)
    expect(office.dialled).toHaveLength(1)
    expect((await office.trace(held)).at(-2)).toMatch(
      /^failed bob@two\.test 554 5\.7\.0 Returned by the administrator; last/,
    )
    expect(await office.relay.failNow(ids)).toBe(0)
  })

  test('waits for an attempt under way, and fails what that leaves', async () => {
    await using office = await PostOffice.open()
    let answer: () => void = () => {}
    const { promise, resolve } = Promise.withResolvers<void>()
    office.peer('192.0.2.2')
    const connect = office.dialer.connect
    await office.relay.stop(0)
    office.relay = office.createRelay({
      dialer: {
        ...office.dialer,
        async connect(...to) {
          resolve()
          await new Promise<void>((go) => {
            answer = go
          })
          office.peers.delete('192.0.2.2')
          return connect(...to)
        },
      },
    })
    office.relay.start()
    await office.accept()
    await promise
    const failed = office.relay.failNow((await office.queue()).map(({ id }) => id))
    await new Promise((go) => setImmediate(go))
    answer()
    expect(await failed).toBe(1)
    expect(await office.inbox()).toHaveLength(1)
  })

  test('counted an entry that stayed, because there was no room for its bounce', async () => {
    const disk = { isFull: true }
    await using office = await PostOffice.open((opened) => onDisk(opened, disk))
    await office.send()
    const ids = (await office.queue()).map(({ id }) => id)
    expect(await office.relay.failNow(ids)).toBe(0)
    expect(await office.queue()).toHaveLength(1)
    disk.isFull = false
    expect(await office.relay.failNow(ids)).toBe(1)
    expect(await office.queue()).toEqual([])
  })

  test('held mail was let go for it, and sent when the process was killed before it failed', async () => {
    let asHeld: Promise<QueueEntry[]> | undefined
    await using office = await PostOffice.open((opened) => {
      const { store } = opened
      const stage: typeof store.mail.stage = (...promised) => {
        asHeld ??= opened.queue()
        return store.mail.stage(...promised)
      }
      return { store: { ...store, mail: { ...store.mail, stage } } }
    })
    await office.send()
    const ids = (await office.queue()).map(({ id }) => id)
    await office.store.queue.hold(ids)
    expect(await office.relay.failNow(ids)).toBe(1)
    expect(await asHeld).toMatchObject([{ held: true, leasedUntil: expect.any(Number) }])
    expect(await office.queue()).toEqual([])
  })

  test('held mail that did not fail, for want of room for its bounce, was sent', async () => {
    const disk = { isFull: true }
    await using office = await PostOffice.open((opened) => onDisk(opened, disk))
    await office.send()
    const before = await office.queue()
    const ids = before.map(({ id }) => id)
    await office.store.queue.hold(ids)
    const dialled = office.dialled.length
    const both = [office.relay.failNow(ids), office.relay.failNow(ids)]
    expect(await Promise.all(both)).toEqual([0, 0])
    await office.advance(10 * day)
    expect(await office.queue()).toEqual(before.map((entry) => ({ ...entry, held: true })))
    expect(office.dialled).toHaveLength(dialled)
  })

  test('needs a relay that runs', async () => {
    await using office = await PostOffice.open()
    await office.relay.stop(0)
    await expect(office.relay.failNow([])).rejects.toThrow('does not run')
  })
})

describe('standing orders', () => {
  const note = (office: PostOffice, kind: 'suppressed' | 'hold-rule', key: string, value = '') =>
    office.store.memory.note([{ kind, key, at: office.clock.now(), expiresAt: office.clock.now() + day, value }])

  test('what is for a suppressed recipient comes back, the others get theirs', async () => {
    await using office = await PostOffice.open()
    const mx = office.peer('192.0.2.2')
    await note(office, 'suppressed', 'dead@two.test', 'left the company')
    const recipients = [{ forwardPath: 'bob@two.test' }, { forwardPath: 'Dead@Two.test' }]
    const trace = await office.trace(await office.send({ recipients }))
    expect(mx.transactions[0]!.recipients).toEqual(['TO:<bob@two.test>'])
    expect(trace).toContain(
      'failed Dead@Two.test 550 5.1.1 <Dead@Two.test> is on the suppression list of this server: left the company',
    )
    expect(await office.inbox()).toHaveLength(1)
  })

  test.each(['destination two.test', 'from alice@one.test', 'from @one.test', 'to bob@two.test', 'to @two.test'])(
    'a rule holds what it fits, once: %s',
    async (rule) => {
      await using office = await PostOffice.open()
      const mx = office.peer('192.0.2.2')
      await office.send()
      await note(office, 'hold-rule', rule)
      office.relay.rereadOrders()
      const journey = await office.send()
      expect(mx.transactions).toHaveLength(1)
      const [entry] = await office.queue()
      expect(entry).toMatchObject({ held: true, attempts: 0 })
      expect(await office.events(journey, 'held')).toMatchObject([{ forwardPath: 'bob@two.test', rule }])
      expect(await office.events(journey, 'deferred')).toEqual([])
      await office.store.queue.release([entry!.id], office.clock.now())
      await office.advance(0)
      expect(mx.transactions).toHaveLength(2)
    },
  )

  test('a rule for the smarthost did not hold what goes there with a login', async () => {
    const smarthost = { host: '127.0.0.1', port: 587, username: 'one', password: 'x' }
    await using office = await PostOffice.open({}, { smarthost })
    const peer = office.peer('127.0.0.1')
    await note(office, 'hold-rule', 'destination 127.0.0.1:587')
    await office.send({ destination: '127.0.0.1:587;one' })
    expect([(await office.queue()).map(({ held }) => held), peer.sessions.length]).toEqual([[true], 0])
  })

  test('an entry that was released was held again after its first attempt', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', { script: { RCPT: inTurn('451 4.2.1 later', '250 ok') } })
    await note(office, 'hold-rule', 'to @two.test')
    const journey = await office.send()
    const [entry] = await office.queue()
    await office.store.queue.release([entry!.id], office.clock.now())
    await office.advance(0)
    expect(await office.queue()).toMatchObject([{ held: false, attempts: 1 }])
    await office.advance(20 * minute)
    expect((await office.trace(journey)).at(-1)).toMatch(/^delivered /)
  })

  test.each(['list', 'recall'] as const)(
    'mail went out that is to be held, as the rules could not be read: %s',
    async (verb) => {
      let isFailing = true
      await using office = await PostOffice.open(({ store }) => {
        const read = (...asked: never[]) =>
          isFailing
            ? Promise.reject(new StoreError('unavailable', 'not now'))
            : store.memory[verb](...(asked as [never, never, never]))
        return { store: { ...store, memory: { ...store.memory, [verb]: read } } }
      })
      const mx = office.peer('192.0.2.2')
      await note(office, 'hold-rule', 'to @two.test')
      await office.send()
      expect(mx.transactions).toEqual([])
      expect(await office.queue()).toMatchObject([{ held: false, attempts: 0 }])
      expect(office.logged.splice(0).map(({ level }) => level)).toEqual(['error'])
      isFailing = false
      await office.advance(20 * minute)
      expect(mx.transactions).toEqual([])
      expect(await office.queue()).toMatchObject([{ held: true, attempts: 0 }])
    },
  )

  test.each(['stopped', 'could not settle it'])(
    'what was held while the relay %s had no word of it in its journey, and was held again',
    async (what) => {
      let isTrouble = true
      await using office = await PostOffice.open((opened) => {
        const { memory, queue } = opened.store
        const recall: typeof memory.recall = (...asked) => {
          if (what === 'stopped') void opened.relay.stop(0)
          return memory.recall(...asked)
        }
        const settle: typeof queue.settle = (settlement) =>
          isTrouble && what !== 'stopped'
            ? Promise.reject(new StoreError('unavailable', 'not now'))
            : queue.settle(settlement)
        return { store: { ...opened.store, memory: { ...memory, recall }, queue: { ...queue, settle } } }
      })
      const mx = office.peer('192.0.2.2')
      await note(office, 'hold-rule', 'to @two.test')
      const journey = await office.send()
      await office.relay.stop(0)
      office.logged.length = 0
      expect(await office.queue()).toMatchObject([{ held: (await office.events(journey, 'held')).length > 0 }])
      isTrouble = false
      office.relay = office.createRelay({ store: office.store })
      office.relay.start()
      await office.advance(20 * minute)
      const [entry] = await office.queue()
      expect(entry).toMatchObject({ held: true, attempts: 0 })
      expect(await office.events(journey, 'held')).toMatchObject([{ rule: 'to @two.test' }])
      await office.store.queue.release([entry!.id], office.clock.now())
      await office.advance(0)
      expect(mx.transactions).toHaveLength(1)
    },
  )

  test('a rule for others holds nothing', async () => {
    await using office = await PostOffice.open()
    const mx = office.peer('192.0.2.2')
    await note(office, 'hold-rule', 'to @three.test')
    await office.send()
    expect(mx.transactions).toHaveLength(1)
  })
})

test('what an operator retried before its settlement was answered was not tried until another lease ran out', async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  const { promise: claimed, resolve: claim } = Promise.withResolvers<void>()
  await using office = await PostOffice.open(({ store }) => {
    const settle: typeof store.queue.settle = async (settlement) => {
      const accepted = await store.queue.settle(settlement)
      await answered
      return accepted
    }
    let given = 0
    const claimNoted: typeof store.queue.claim = async (request) => {
      const entries = await store.queue.claim(request)
      given += entries.length
      if (given === 2) claim()
      return entries
    }
    return { store: { ...store, queue: { ...store.queue, settle, claim: claimNoted } } }
  })
  const retried = (): Promise<unknown> =>
    office.queue().then(([entry]) => office.store.queue.retryNow([entry!.id], office.clock.now() - 1))
  let asked = 0
  const RCPT = () => {
    if (asked++ > 0) return undefined
    void retried()
    return '450 4.2.0 greylisted'
  }
  const mx = office.peer('192.0.2.2', { script: { RCPT } })
  await office.accept()
  await claimed
  answer()
  await office.advance(minute)
  expect(mx.transactions).toHaveLength(1)
})
