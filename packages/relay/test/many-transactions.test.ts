/** One message that takes several transactions: who has it stays settled, whatever becomes of the others. */
import { StoreError } from '@pennypost/model'
import type { Script } from '@pennypost/smtp/scripted-server'
import { expect, test } from 'vitest'
import { PostOffice } from './post-office.ts'

const recipients = ['bob', 'carol', 'dave', 'eve'].map((name) => ({ forwardPath: `${name}@two.test` }))

/** One recipient in each transaction. */
const RCPT: Script = (_, __, { commands }) => {
  const since = commands.slice(commands.findLastIndex((line) => line.startsWith('MAIL ')))
  return since.filter((line) => line.startsWith('RCPT ')).length > 1 ? '452 4.5.3 one at a time' : undefined
}

test('a letter went to all of them again when the process ended before the last', async () => {
  await using office = await PostOffice.open()
  const isOver = Promise.withResolvers<void>()
  const DATA: Script = (_, nth) => {
    if (nth < 2) return undefined
    isOver.resolve()
    return {}
  }
  office.peer('192.0.2.2', { script: { RCPT, DATA } })
  const journey = await office.accept({ recipients })
  void office.advance(0)
  await isOver.promise
  expect(await office.queue()).toMatchObject([{ attempts: 0, recipients: recipients.slice(2) }])
  const attempt = 'attempt mx.two.test 192.0.2.2'
  const reply = '250 2.0.0 Ok: queued as SCRIPTED'
  expect(await office.trace(journey)).toEqual([
    attempt,
    `delivered bob@two.test ${reply}`,
    attempt,
    `delivered carol@two.test ${reply}`,
  ])
})

test('of a host that takes one transaction over each connection, the others waited for hours', async () => {
  await using office = await PostOffice.open()
  const MAIL: Script = (_, nth) => (nth > 0 ? '421 4.7.0 one for each connection' : undefined)
  const mx = office.peer('192.0.2.2', { script: { RCPT, MAIL } })
  await office.send({ recipients })
  expect(mx.transactions.map((transaction) => transaction.recipients.length)).toEqual([1, 1, 1, 1])
  expect(await office.queue()).toEqual([])
})

test('many letters to a host that takes one over each connection: some waited as if it were away', async () => {
  await using office = await PostOffice.open()
  const MAIL: Script = (_, nth) => (nth > 0 ? '421 4.7.0 one for each connection' : undefined)
  const mx = office.peer('192.0.2.2', { script: { MAIL } })
  for (let count = 0; count < 100; count++) await office.accept()
  await office.advance(0)
  expect(mx.transactions).toHaveLength(100)
  // Those that stood when the first said so had to be tried.
  expect(mx.sessions.length).toBeLessThan(130)
})

test('of thousands who are reached one by one, each cost the store as much as all who were left', async () => {
  const settled: number[] = []
  await using office = await PostOffice.open(({ store }) => {
    const settle: typeof store.queue.settle = (settlement) => {
      settled.push(settlement.outcomes.length)
      return store.queue.settle(settlement)
    }
    return { store: { ...store, queue: { ...store.queue, settle } } }
  })
  office.peer('192.0.2.2')
  const many = Array.from({ length: 201 }, (_, nth) => ({ forwardPath: `u${nth}@two.test`, trace: `X: ${nth}\r\n` }))
  await office.send({ recipients: many })
  expect([settled[0], settled.at(-1)]).toEqual([3, 1])
  expect(await office.queue()).toEqual([])
})

test('whom the store could not settle on the way is settled with the rest', async () => {
  let settlements = 0
  await using office = await PostOffice.open(({ store }) => {
    const settle: typeof store.queue.settle = (settlement) => {
      if (++settlements === 1) return Promise.reject(new StoreError('unavailable', 'not now'))
      return store.queue.settle(settlement)
    }
    return { store: { ...store, queue: { ...store.queue, settle } } }
  })
  const mx = office.peer('192.0.2.2', { script: { RCPT } })
  const journey = await office.send({ recipients })
  expect(mx.transactions.map((transaction) => transaction.recipients.length)).toEqual([1, 1, 1, 1])
  const delivered = await office.events(journey, 'delivered')
  expect(delivered.map(({ forwardPath }) => ({ forwardPath }))).toEqual(recipients)
  expect(await office.queue()).toEqual([])
})
