/** Connections that turned round (ATRN), when the relay stops. */
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
