/** Connections that turned round (ATRN), when the relay stops, and while others are being opened. */
import { ScriptedServer } from '@pennypost/smtp/scripted-server'
import { expect, test } from 'vitest'
import { PostOffice } from './post-office.ts'

/** What waits for two.test is offered to a host that fetches it. */
async function offered() {
  const office = await PostOffice.open()
  office.peer('192.0.2.2', { script: { RCPT: () => '450 4.2.0 later' } })
  await office.send()
  const peer = new ScriptedServer({})
  const offer = await office.relay.turnRound('two.test')
  if (typeof offer !== 'object') throw new Error(offer)
  const stream = peer.connect()
  const take = () => offer.take({ stream, address: '192.0.2.9', port: 4000, tls: undefined })
  return { office, peer, stream, take }
}

test('a connection that had turned round and had no mail yet held up the end of the server', async () => {
  const { office, peer, stream, take } = await offered()
  await using _office = office
  await using _peer = peer
  take()
  await office.relay.stop(0)
  expect(stream.destroyed).toBe(true)
})

test('a connection that turned round as the relay stopped held up the end of the server', async () => {
  const { office, peer, stream, take } = await offered()
  await using _office = office
  await using _peer = peer
  const stopped = office.relay.stop(0)
  take()
  await stopped
  expect(stream.destroyed).toBe(true)
})

test('a host got no mail by a connection of its own, as long as its usual address was called in vain', async () => {
  await using office = await PostOffice.open()
  await office.relay.stop(0)
  const { promise: called, resolve: call } = Promise.withResolvers<void>()
  const { promise: silence, reject: fail } = Promise.withResolvers<never>()
  const connect = () => {
    call()
    return silence
  }
  office.relay = office.createRelay({ dialer: { ...office.dialer, connect } })
  office.relay.start()
  await office.accept()
  await called
  const { promise: taken, resolve: take } = Promise.withResolvers<void>()
  const CONTENT = () => {
    take()
    return undefined
  }
  await using peer = new ScriptedServer({ script: { CONTENT } })
  const offer = await office.relay.turnRound('two.test')
  if (typeof offer !== 'object') throw new Error(offer)
  offer.take({ stream: peer.connect(), address: '192.0.2.9', port: 4000, tls: undefined })
  await taken
  fail(new Error('connect ETIMEDOUT'))
  await office.relay.stop(1000)
  expect(await office.queue()).toEqual([])
})

test('thousands that waited for a host were begun in one go, and held up everybody else', async () => {
  const sizes: number[] = []
  await using office = await PostOffice.open(({ store }) => {
    const retryNow: typeof store.queue.retryNow = (entries, now) => {
      sizes.push(entries.length)
      return store.queue.retryNow(entries, now)
    }
    return { store: { ...store, queue: { ...store.queue, retryNow } } }
  })
  for (let count = 0; count < 600; count++) await office.accept()
  await office.advance(0)
  await using peer = new ScriptedServer({})
  const offer = await office.relay.turnRound('two.test')
  if (typeof offer !== 'object') throw new Error(offer)
  offer.take({ stream: peer.connect(), address: '192.0.2.9', port: 4000, tls: undefined })
  await office.advance(0)
  expect(peer.transactions).toHaveLength(600)
  expect(Math.max(...sizes)).toBeLessThan(600)
})
