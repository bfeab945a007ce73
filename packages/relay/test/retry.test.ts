/** Waiting mail: when it is tried again, when it is given up, and what a restart or an operator does to it. */
import { type Deadline, StoreError, systemDeadline } from '@pennypost/model'
import { describe, expect, test } from 'vitest'
import { createRoutes } from '../src/index.ts'
import { day, hour, inTurn, minute, PostOffice } from './post-office.ts'

test('greylisted mail is tried again after a quarter of an hour, and delivered', async () => {
  await using office = await PostOffice.open()
  const mx = office.peer('192.0.2.2', { script: { RCPT: inTurn('451 4.7.1 greylisted', '250 ok') } })
  const journey = await office.send()
  await office.advance(13 * minute)
  expect(mx.transactions).toHaveLength(0)
  await office.advance(4 * minute)
  expect(mx.transactions).toHaveLength(1)
  expect(await office.trace(journey)).toEqual([
    'attempt mx.two.test 192.0.2.2',
    'deferred bob@two.test 451 4.7.1 greylisted',
    'attempt mx.two.test 192.0.2.2',
    expect.stringContaining('delivered bob@two.test'),
  ])
  const [deferred] = await office.events(journey, 'deferred')
  expect((deferred!.nextAttemptAt - deferred!.at) / minute).toBeCloseTo(15, -1)
})

test('the steps are kept, and the last one repeats until the message expires', async () => {
  await using office = await PostOffice.open({
    schedule: { retryMs: [minute, 10 * minute], delayWarningMs: 0, expireMs: hour },
  })
  const journey = await office.send()
  await office.advance(day)
  const attempts = await office.events(journey, 'attempt')
  const minutes = attempts.map(({ at }) => (at - attempts[0]!.at) / minute)
  expect(minutes[1]).toBeGreaterThanOrEqual(0.9)
  expect(minutes[1]).toBeLessThanOrEqual(1.1)
  for (let at = 2; at < minutes.length - 1; at++) {
    expect(minutes[at]! - minutes[at - 1]!).toBeGreaterThanOrEqual(9)
    expect(minutes[at]! - minutes[at - 1]!).toBeLessThanOrEqual(11)
  }
  expect(minutes.at(-1)).toBe(60)
})

test('the sender is warned at 4 hours, once, and gets the message back at 5 days', async () => {
  await using office = await PostOffice.open()
  const journey = await office.send()
  await office.advance(4 * hour - 1)
  expect(await office.inbox()).toEqual([])
  await office.advance(1)
  const [warning] = await office.inbox()
  expect(warning).toContain('Action: delayed')
  expect(warning).toContain('Subject: Delayed mail')
  await office.advance(5 * day - 4 * hour - 1)
  expect(await office.inbox()).toHaveLength(1)
  await office.advance(1)
  const [, bounce] = await office.inbox()
  expect(bounce).toContain('Action: failed')
  expect(bounce).toContain('Status: 4.4.7')
  expect(bounce).toContain('Hello Bob.')
  expect(await office.queue()).toEqual([])
  expect((await office.events(journey, 'dsn')).map(({ action }) => action)).toEqual(['delayed', 'failed'])
  expect((await office.trace(journey)).at(-2)).toMatch(/^failed bob@two\.test 451 4\.4\.1 .* \(given up\)$/)
})

test('a message whose content cannot be read is given up in time, and its sender told', async () => {
  await using office = await PostOffice.open(({ store }) => ({
    store: Object.create(store, {
      mail: {
        value: Object.create(store.mail, {
          readBody: {
            // biome-ignore lint/correctness/useYield: it has nothing to give.
            async *value() {
              throw new Error('the file is shorter than it was')
            },
          },
        }),
      },
    }),
  }))
  const mx = office.peer('192.0.2.2')
  await office.send()
  await office.advance(6 * day)
  expect(mx.transactions).toEqual([])
  expect(await office.queue()).toEqual([])
  const bounce = (await office.inbox()).at(-1)?.replace(/\s+/g, ' ')
  expect(bounce).toContain('Action: failed')
  expect(bounce).toContain('The content of the message cannot be read here')
  // Where it is kept stands in the log alone.
  expect(bounce).not.toContain('shorter')
  expect(office.logged.splice(0)).toContainEqual(
    expect.objectContaining({ level: 'error', text: 'the content of a message cannot be read' }),
  )
})

test('who had the message got it again, because the store failed when it was to be encoded for another host', async () => {
  let isFailing = false
  await using office = await PostOffice.open(({ store }) => {
    const readBody: typeof store.mail.readBody = (...asked) => {
      if (isFailing) throw new StoreError('unavailable', 'not now')
      return store.mail.readBody(...asked)
    }
    return { store: { ...store, mail: { ...store.mail, readBody } } }
  })
  office.zone('two.test', [
    ['@', 'MX', '10 mx'],
    ['@', 'MX', '20 old'],
    ['old', 'A', '192.0.2.3'],
  ])
  const MAIL = (_: string, nth: number) => {
    if (nth !== 1) return undefined
    isFailing = true
    return { drop: true }
  }
  const GREETING = inTurn('220 ready', '421 4.3.2 closing', '220 ready')
  const mx = office.peer('192.0.2.2', { script: { GREETING, MAIL } })
  office.peer('192.0.2.3', { capabilities: ['PIPELINING'] })
  const recipients = [
    { forwardPath: 'bob@two.test' },
    { forwardPath: 'carol@two.test', trace: 'Delivered-To: team@one.test\r\n' },
  ]
  await office.send({ recipients, source: Buffer.from(`Subject: large\r\n\r\n${'grüße\r\n'.repeat(30_000)}`) })
  isFailing = false
  expect(await office.queue()).toMatchObject([{ recipients: [{ forwardPath: 'carol@two.test' }] }])
  await office.advance(hour)
  expect(mx.transactions.map(({ recipients: to }) => to)).toEqual([['TO:<bob@two.test>'], ['TO:<carol@two.test>']])
  expect(office.logged.splice(0).filter(({ level }) => level === 'error')).toHaveLength(1)
})

test('a held entry neither goes nor expires', async () => {
  await using office = await PostOffice.open()
  const mx = office.peer('192.0.2.2', { script: { GREETING: inTurn('421 later', '220 ready') } })
  await office.send()
  await office.store.queue.hold((await office.queue()).map(({ id }) => id))
  await office.advance(10 * day)
  expect(mx.transactions).toHaveLength(0)
  expect(await office.queue()).toMatchObject([{ held: true }])
  expect(await office.inbox()).toEqual([])
})

test('an operator’s retry is at once', async () => {
  await using office = await PostOffice.open()
  await office.send()
  const mx = office.peer('192.0.2.2')
  await office.store.queue.retryNow(
    (await office.queue()).map(({ id }) => id),
    office.clock.now(),
  )
  await office.advance(0)
  expect(mx.transactions).toHaveLength(1)
})

describe('leases', () => {
  test('an entry that is taken out under way is settled by nobody', async () => {
    await using office = await PostOffice.open()
    const mx = office.peer('192.0.2.2', {
      script: {
        MAIL: () => {
          void office.queue().then((entries) => office.store.queue.remove(entries.map(({ id }) => id)))
          return undefined
        },
      },
    })
    const journey = await office.send()
    expect(mx.transactions).toHaveLength(1)
    expect(await office.queue()).toEqual([])
    // It told nothing of the host that had it all the same.
    expect(await office.trace(journey)).toEqual([
      expect.stringMatching(/^attempt mx\.two\.test/),
      expect.stringMatching(/^delivered bob@two\.test/),
    ])
    expect(office.logged.map(({ text }) => text)).toContain('the lease was lost, its outcomes do not count')
  })

  test('the journey of what was taken out while a host refused it told of no attempt', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', {
      script: {
        RCPT: () => {
          void office.queue().then((entries) => office.store.queue.remove(entries.map(({ id }) => id)))
          return '550 5.1.1 nobody of that name'
        },
      },
    })
    const journey = await office.send()
    expect(await office.trace(journey)).toEqual([expect.stringMatching(/^attempt mx\.two\.test/)])
    expect(await office.inbox()).toEqual([])
    // Nor is it tried again.
    expect(office.logged.map(({ text }) => text)).toEqual(['the lease was lost, its outcomes do not count'])
  })

  test('what a runner that died had in work goes on when its lease ends', async () => {
    await using office = await PostOffice.open()
    await office.relay.stop(0)
    await office.accept()
    const claim = { now: office.clock.now(), slots: 1, perDestination: 1, leaseMs: 10 * minute }
    expect(await office.store.queue.claim(claim)).toHaveLength(1)
    const mx = office.peer('192.0.2.2')
    office.relay = office.createRelay()
    office.relay.start()
    await office.advance(9 * minute)
    expect(mx.transactions).toHaveLength(0)
    await office.advance(11 * minute)
    expect(mx.transactions).toHaveLength(1)
  })
})

describe('a long attempt', () => {
  /** A dialer that waits until told, and time that moves meanwhile. */
  async function waiting() {
    const office = await PostOffice.open()
    await office.relay.stop(0)
    const { promise: dialled, resolve } = Promise.withResolvers<void>()
    const { promise: told, resolve: goOn } = Promise.withResolvers<void>()
    const { connect, secure } = office.dialer
    const dialer = {
      secure,
      async connect(...to: Parameters<typeof connect>) {
        resolve()
        await told
        return connect(...to)
      },
    }
    const clock = { ...office.clock, busy: () => ({ [Symbol.dispose]() {} }) }
    office.relay = office.createRelay({ dialer, clock })
    const mx = office.peer('192.0.2.2')
    office.relay.start()
    const journey = await office.accept()
    await dialled
    return { office, mx, journey, goOn }
  }

  test('keeps its lease, and nobody else takes the entry', async () => {
    const { office, mx, goOn } = await waiting()
    await using _ = office
    await office.advance(45 * minute)
    const now = office.clock.now()
    expect(await office.store.queue.claim({ now, slots: 1, perDestination: 1, leaseMs: 1 })).toEqual([])
    goOn()
    await office.relay.stop(1000)
    expect(mx.sessions).toHaveLength(1)
  })

  test('that lost its lease sends nothing', async () => {
    const { office, mx, goOn } = await waiting()
    await using _ = office
    await office.store.queue.remove((await office.queue()).map(({ id }) => id))
    await office.advance(5 * minute)
    goOn()
    await office.relay.stop(1000)
    expect(mx.sessions.flatMap(({ commands }) => commands).filter((line) => line.startsWith('MAIL'))).toEqual([])
  })
})

describe('stop', () => {
  test('breaks what does not end in time; it is due at the next start', async () => {
    await using office = await PostOffice.open()
    const { promise: asked, resolve } = Promise.withResolvers<void>()
    const silent = () => {
      resolve()
      return {}
    }
    office.peer('192.0.2.2', { script: { MAIL: silent } })
    await office.accept()
    await asked
    await office.relay.stop(0)
    expect(await office.queue()).toMatchObject([{ attempts: 0, dueAt: office.clock.now() }])
    const mx = office.peer('192.0.2.2')
    office.relay = office.createRelay()
    office.relay.start()
    await office.advance(0)
    expect(mx.transactions).toHaveLength(1)
  })

  test('waits for what ends in time', async () => {
    await using office = await PostOffice.open()
    const { promise: asked, resolve } = Promise.withResolvers<void>()
    const mx = office.peer('192.0.2.2', { script: { MAIL: () => void resolve() } })
    await office.accept()
    await asked
    await office.relay.stop(10_000)
    expect(mx.transactions).toHaveLength(1)
    expect(await office.queue()).toEqual([])
  })

  test('does not wait for a peer that never greets', async () => {
    await using office = await PostOffice.open()
    const { promise: asked, resolve } = Promise.withResolvers<void>()
    const silent = () => {
      resolve()
      return {}
    }
    office.peer('192.0.2.2', { script: { GREETING: silent } })
    await office.accept()
    await asked
    await office.relay.stop(0)
    expect(await office.queue()).toMatchObject([{ attempts: 0 }])
  })
})

const turns = async (): Promise<void> => {
  for (let count = 0; count < 20; count++) await new Promise((resolve) => setImmediate(resolve))
}

test('10 000 entries for a dead destination do not keep another waiting', async () => {
  await using office = await PostOffice.open({
    routes: createRoutes({ port: 25 }),
    limits: { attempts: 50, leasesPerDestination: 20 },
  })
  await office.relay.stop(0)
  // A peer that never answers: every connection to it stays where it is.
  const dead = office.peer('192.0.2.13', { script: { GREETING: {} } })
  office.zone('dead.test', [
    ['@', 'MX', '10 mx'],
    ['mx', 'A', '192.0.2.13'],
  ])
  const recipients = [{ forwardPath: 'x@dead.test' }]
  const { promise: delivered, resolve } = Promise.withResolvers<void>()
  office.peer('192.0.2.2', { script: { CONTENT: () => void resolve() } })
  const journey = await office.accept({ destination: 'dead.test', recipients })
  for (let count = 1; count < 10_000; count++)
    await office.accept({ destination: 'dead.test', recipients, source: 'a: b\n\n' })
  office.relay = office.createRelay()
  office.relay.start()
  await new Promise((go) => setImmediate(go))
  await office.accept()
  await delivered
  expect(office.clock.now() - (await office.events(journey, 'queued'))[0]!.at).toBe(0)
  expect(dead.sessions).toHaveLength(1)
})

describe('a destination that cannot be had', () => {
  test('was warned of with each letter that waits, each time that it came by', async () => {
    await using office = await PostOffice.open()
    for (let nth = 0; nth < 2; nth++) await office.send()
    const nextAttemptAt = expect.stringMatching(/^20..-..-..T/)
    expect(office.logged).toMatchObject([{ level: 'info', text: 'deferred', facts: { attempts: 1, nextAttemptAt } }])
  })

  test('costs one connection for all that comes in the next minute, and none of it is lost', async () => {
    await using office = await PostOffice.open()
    const first = await office.send()
    const second = await office.send()
    expect(office.dialled).toHaveLength(1)
    expect((await office.trace(second)).at(-1)).toContain('It could not be reached a moment ago; it said 451 4.4.1')
    expect((await office.queue()).map(({ attempts }) => attempts)).toEqual([1, 0])
    await office.advance(minute)
    expect(office.dialled).toHaveLength(2)
    const mx = office.peer('192.0.2.2')
    await office.advance(17 * minute)
    expect(mx.transactions).toHaveLength(2)
    expect((await office.trace(first)).at(-1)).toContain('delivered')
  })

  test('that says 421 to the first of many was asked for each of them', async () => {
    await using office = await PostOffice.open()
    let isBusy = true
    const mx = office.peer('192.0.2.2', {
      script: { MAIL: () => (isBusy ? '421 4.7.0 Too much from you' : undefined) },
    })
    for (let nth = 0; nth < 12; nth++) await office.accept({})
    await office.advance(0)
    expect(mx.sessions.length).toBeLessThan(5)
    // It was the answer to all of them, and counts as such: their senders hear of the delay, and none waits for ever.
    expect((await office.queue()).map(({ attempts }) => attempts)).toEqual(new Array(12).fill(1))
    isBusy = false
    await office.advance(17 * minute)
    expect(mx.transactions).toHaveLength(12)
  })

  test('is asked less and less often, and at once when an operator says so', async () => {
    await using office = await PostOffice.open()
    const dialledAfter = async (waitMs: number): Promise<number> => {
      await office.advance(waitMs)
      const before = office.dialled.length
      await office.send({ from: 'alice@one.test', entry: {} })
      return office.dialled.length - before
    }
    expect(await dialledAfter(0)).toBe(1)
    expect(await dialledAfter(30_000)).toBe(0)
    // A minute after the first, two after the second, four after the third; what comes meanwhile waits.
    expect(await dialledAfter(2 * minute)).toBe(0)
    expect(await dialledAfter(minute)).toBe(0)
    await office.advance(4 * minute)
    expect(office.dialled).toHaveLength(4)
    office.relay.forgive(['two.test'])
    expect(await dialledAfter(0)).toBe(1)
    expect(await dialledAfter(30_000)).toBe(0)
  })

  /** A peer that says nothing to `verb`, and what ends the patience with the connection that has been silent longest. */
  async function stalling(verb: 'MAIL' | 'RCPT' | 'DATA' | 'CONTENT') {
    const patienceMs = 12_345
    const running = new Set<() => void>()
    const after: Deadline['after'] = (ms, expire) => {
      if (ms !== patienceMs) return systemDeadline.after(ms, expire)
      running.add(expire)
      return { refresh() {}, [Symbol.dispose]: () => void running.delete(expire) }
    }
    const timeouts = { mailMs: patienceMs, rcptMs: patienceMs, dataMs: patienceMs, dotMs: patienceMs }
    const office = await PostOffice.open({ timeouts, deadline: { ...systemDeadline, after } })
    let heard = () => {}
    const silence = () => {
      heard()
      return {}
    }
    const mute = office.peer('192.0.2.2', { capabilities: [], script: { [verb]: silence } })
    /** Sends a letter, which reaches the silence. */
    const send = async (): Promise<void> => {
      const { promise: asked, resolve } = Promise.withResolvers<void>()
      heard = resolve
      await office.accept()
      await asked
    }
    const expire = () => [...running][0]!()
    return { office, mute, send, expire }
  }

  test.each(['MAIL', 'RCPT', 'DATA', 'CONTENT'] as const)(
    'that is silent at %s cost each letter its whole patience',
    async (verb) => {
      const { office, mute, send, expire } = await stalling(verb)
      await using _office = office
      await send()
      await send()
      expire()
      // The second connection stands, and is as silent; nobody waits behind it.
      await turns()
      await office.accept()
      await turns()
      expect((await office.queue()).map(({ attempts }) => attempts)).toEqual([1, 0, 0])
      expect(mute.sessions).toHaveLength(2)
      expire()
      await office.advance(0)
      expect((await office.queue()).map(({ attempts }) => attempts)).toEqual([1, 1, 0])
    },
  )

  test('had more connections than there may be in all, for letters that only wait', async () => {
    await using office = await PostOffice.open({ limits: { attempts: 5 } })
    const mute = office.peer('192.0.2.2', { script: { CONTENT: {} } })
    for (let count = 0; count < 30; count++) await office.accept()
    for (let count = 0; count < 20; count++) await turns()
    expect(mute.sessions).toHaveLength(5)
  })

  test('with some others like it kept all mail waiting for minutes', async () => {
    const limits = { attempts: 6, stuck: 20, leasesPerDestination: 3 }
    await using office = await PostOffice.open({ limits })
    const silent = [1, 2, 3, 4].map((nth) => {
      office.zone(`silent${nth}.test`, [
        ['@', 'MX', '10 mx'],
        ['mx', 'A', `192.0.2.10${nth}`],
      ])
      return office.peer(`192.0.2.10${nth}`, { script: { GREETING: {} } })
    })
    const mx = office.peer('192.0.2.2')
    for (const nth of [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]) {
      const destination = `silent${nth}.test`
      await office.accept({ destination, recipients: [{ forwardPath: `x@${destination}` }] })
      await turns()
    }
    await office.accept()
    for (let count = 0; count < 20; count++) await turns()
    expect(mx.transactions).toHaveLength(1)
    expect(silent.map(({ sessions }) => sessions.length)).toEqual([1, 1, 1, 1])
  })

  test('was tried once by a server that works on one entry at a time, and never again', async () => {
    await using office = await PostOffice.open({ limits: { attempts: 1 } })
    await office.send()
    expect((await office.queue()).map(({ attempts }) => attempts)).toEqual([1])
    await office.advance(17 * minute)
    expect((await office.queue()).map(({ attempts }) => attempts)).toEqual([2])
  })

  test('does not keep mail for others waiting', async () => {
    await using office = await PostOffice.open({ limits: { attempts: 2, leasesPerDestination: 2 } })
    office.zone('three.test', [
      ['@', 'MX', '10 mx'],
      ['mx', 'A', '192.0.2.3'],
    ])
    const mx = office.peer('192.0.2.3')
    for (let count = 0; count < 20; count++) await office.accept()
    await office.accept({ destination: 'three.test', recipients: [{ forwardPath: 'carol@three.test' }] })
    await office.advance(0)
    expect(mx.transactions).toHaveLength(1)
    expect(office.dialled.filter((place) => place.startsWith('192.0.2.2'))).toHaveLength(1)
  })
})
