/** Much of something: what it may cost is counted, never timed. */

import { virtualClock } from '@pennypost/model/testing'
import { createDuplexPair } from '@pennypost/transport/duplex-pair'
import { expect, it } from 'vitest'
import { defaultReceptionLimits } from '../src/index.ts'
import { TestClient, testReception, turns } from './test-reception.ts'

const limits = { ...defaultReceptionLimits, tarpitMs: 0, errors: 1e9, idleCommands: 1e9 }

it.each([
  ['dots', '..\r\n'],
  ['empty lines', '\r\n'],
  ['bare LF', '\n'],
  ['bare CR', '\r'],
  ['dots behind bare LF', '\n.\n'],
])('a flood of %s makes few pieces and is stored', async (_, junk) => {
  const host = await testReception({ limits })
  let pieces = 0
  const stage = host.store.mail.stage.bind(host.store.mail)
  host.store.mail.stage = () => {
    const made = stage()
    const write = (chunk: Buffer) => {
      pieces++
      return made.write(chunk)
    }
    return { ...made, write }
  }
  const client = host.connect()
  await client.beginData()
  const flood = Buffer.from(junk.repeat(Math.floor(1_000_000 / junk.length)), 'latin1')
  for (let at = 0; at < flood.length; at += 65_536) client.say(flood.subarray(at, at + 65_536))
  client.say('\r\n.\r\n')
  await client.until(/^250 2\.0\.0 Ok: queued/m)
  // 2 MB at most, in pieces of 16 KB or what one read brought.
  expect(pieces).toBeLessThan(300)
  expect(await host.messages()).toBe(1)
})

it('a client that sends commands without end and reads nothing is read no further', async () => {
  const host = await testReception({ limits })
  const { client: stream, server } = createDuplexPair()
  host.listener.admit(server, { address: '192.0.2.7', port: 1 }, { address: '127.0.0.1', port: 25 })
  const client = new TestClient(stream, false)
  const commands = Buffer.from('HELP\r\n'.repeat(10_000))
  for (let at = 0; at < 50; at++) client.say(commands)
  await turns(2000)
  // 3 MB were offered; most of it waits on the client's side, and few replies on ours.
  expect(stream.writableLength).toBeGreaterThan(2_500_000)
  expect(server.writableLength).toBeLessThan(200_000)
  // It has its time for reading as for a command, and is dropped when it does not take its last reply either.
  await host.waits.advance(6 * 60_000)
  await host.waits.advance(60_000)
  await turns()
  expect(host.listener.open).toBe(0)
})

it('ten thousand recipients: as many as fit get 250, the others 452, and the message arrives once', async () => {
  const host = await testReception({ limits })
  const client = host.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<a@two.test>\r\n', 'RCPT TO:<bob@one.test>\r\n'.repeat(10_000), 'DATA\r\n')
  await client.until(/^354 /m)
  const codes = Map.groupBy(client.replies(), (line) => line.slice(0, 3))
  expect(codes.get('452')).toHaveLength(9_000)
  client.say('Subject: many\r\n\r\n.\r\n')
  await client.until(/^250 2\.0\.0 Ok: queued/m)
  expect(await host.messages()).toBe(1)
})

it.each([
  ['that ask the store', 'RCPT TO:<nobody@one.test>', '550'],
  ['that are answered at once', 'NOOP', '250 2.0.0'],
])('commands %s leave others their turn, in one piece or in many', async (_, command, code) => {
  let reads = 0
  const host = await testReception({ limits, clock: { ...virtualClock(), elapsed: () => reads++ } })
  const clients = [host.connect(), host.connect()]
  const piece = `${command}\r\n`
  const hello = 'EHLO client.test\r\nMAIL FROM:<a@two.test>\r\n'
  clients[0]?.say(hello, piece.repeat(1000))
  // As TLS brings what was written so, all in one turn.
  clients[1]?.say(hello, ...Array.from({ length: 1000 }, () => piece))
  const answered = (): number =>
    clients.flatMap((each) => each.replies().filter((line) => line.startsWith(code))).length
  let needed = 0
  for (; answered() < 2000; needed++) await turns(1)
  // Each takes a millisecond or more, and both clients have five of a turn.
  expect(needed).toBeGreaterThan(300)
})

it('ten thousand unknown recipients end the session long before', async () => {
  const host = await testReception()
  const client = host.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<a@two.test>\r\n')
  for (let at = 0; at < 10_000; at++) client.say(`RCPT TO:<guess${at}@one.test>\r\n`)
  const replies = await client.until(/^421 /m)
  expect(replies.filter((line) => line.startsWith('550'))).toHaveLength(20)
  await turns()
  expect(client.closed).toBe(true)
})

it('a line without end is not kept, and refused once', async () => {
  const host = await testReception({ limits })
  const client = host.connect()
  client.say('NOOP ')
  const chunk = Buffer.alloc(65_536, 'x')
  for (let at = 0; at < 160; at++) client.say(chunk)
  client.say('\r\nNOOP\r\n')
  const replies = await client.until(/^250 2\.0\.0 Ok\r\n/m)
  expect(replies.slice(1)).toEqual(['500 5.5.2 Line too long', '250 2.0.0 Ok'])
})

it('five thousand sessions of one address, its limit lifted, sleep and end together', async () => {
  const host = await testReception()
  const clients = Array.from({ length: 5000 }, () => host.connect())
  await turns()
  for (const client of clients) client.say('EHLO client.test\r\n')
  await turns()
  expect(host.listener.open).toBe(5000)
  expect(clients.every((client) => client.text.includes('250 HELP\r\n'))).toBe(true)
  await host.waits.advance(6 * 60_000)
  await turns()
  expect(clients.every((client) => /^421 4\.4\.2 /m.test(client.text) && client.closed)).toBe(true)
  for (const client of clients) client.stream.end()
  await turns()
  expect(host.listener.open).toBe(0)
  expect(host.waits.nextTimerAt()).toBeUndefined()
})
