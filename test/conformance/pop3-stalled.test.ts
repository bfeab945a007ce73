/** POP3 clients that do not read what they asked for, that ask for very much at once, and a store that takes its time. */
import type { Duplex } from 'node:stream'
import type { Clock } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom } from '@pennypost/model/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { playDialogue } from './dialogue.ts'
import { type Host, openHost } from './host.ts'

const lines = '0123456789'.repeat(7).concat('\r\n').repeat(14_000)
const delivery = `
@service lmtp
S: 220 *
C+ LHLO client.test\\r\\nMAIL FROM:<a@two.test>\\r\\nRCPT TO:<bob@one.test>\\r\\nDATA\\r\\n
S...
S: 250 *
S: 250 *
S: 354 *
C+ Subject: x\\r\\n\\r\\n${lines.replaceAll('\r\n', '\\r\\n')}.\\r\\n
S: 250 *
`

let host: Host
let time: Clock
let client: Duplex
let received: string
let ended: boolean

beforeEach(async () => {
  host = await openHost(async (clock) => createMemoryStore({ clock: (time = clock), random: seededRandom(2) }))
  await host.direct('set', ['require-tls', 'off'], '')
  await playDialogue(delivery, host)
  client = await host.connect('pop3')
  received = ''
  ended = false
  client.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
  })
  for (const event of ['end', 'close', 'error']) client.on(event, () => (ended = true))
  client.write('USER bob@one.test\r\nPASS secret\r\n')
  await expect.poll(() => received).toMatch(/\+OK 1 message\r\n$/)
  received = ''
  client.pause()
})

afterEach(async () => {
  client.destroy()
  await host[Symbol.asyncDispose]()
})

/** Until nothing happens any more. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
}

async function wait(time: string): Promise<void> {
  await host.direct('wait', [time], '')
  await quiet()
}

it('a client that takes nothing of a message loses its connection after five minutes, not before', async () => {
  const readBody = host.store.mail.readBody.bind(host.store.mail)
  let read = 0
  host.store.mail.readBody = async function* (...range) {
    for await (const chunk of readBody(...range)) {
      read += chunk.length
      yield chunk
    }
  }
  client.write('RETR 1\r\n')
  await quiet()
  await wait('4m')
  expect(ended).toBe(false)
  // Nothing is read ahead of it.
  expect(read).toBeLessThanOrEqual(256 * 1024)
  await wait('1m')
  client.resume()
  await quiet()
  expect(ended).toBe(true)
  expect(received).toMatch(/^\+OK \d+ octets\r\n/)
  expect(received).not.toContain('-ERR')
  expect(received.length).toBeLessThan(lines.length)
})

it('a client that takes its time gets the whole message', async () => {
  client.write('RETR 1\r\nNOOP\r\n')
  await quiet()
  await wait('4m')
  client.resume()
  await quiet()
  expect(received).toContain(`\r\n\r\n${lines}.\r\n+OK\r\n`)
})

it.each(['CAPA', 'LIST', 'LIST 1', 'NOOP', 'XYZ'])(
  'commands wait while a client takes nothing of the answers before: %s',
  async (command) => {
    client.write(`${command}\r\nNOOP\r\n`.repeat(100_000))
    await quiet()
    await wait('5m')
    client.resume()
    await quiet()
    expect(ended).toBe(true)
    expect(received.length).toBeLessThan(256 * 1024)
  },
)

it('a maildrop was lost to the next login for the time that we had taken ourselves', async () => {
  const disk = Promise.withResolvers<void>()
  const readBody = host.store.mail.readBody.bind(host.store.mail)
  host.store.mail.readBody = async function* (...range) {
    await disk.promise
    yield* readBody(...range)
  }
  client.resume()
  client.write('TOP 1 1\r\n')
  await quiet()
  await host.direct('advance', ['59s'], '')
  disk.resolve()
  await quiet()
  expect(received).toMatch(/\r\n\.\r\n$/)
  await host.direct('advance', ['2s'], '')
  const next = await host.connect('pop3')
  let told = ''
  next.on('data', (chunk: Buffer) => (told += chunk.toString('latin1')))
  next.write('USER bob@one.test\r\nPASS secret\r\n')
  await expect.poll(() => told).toContain('Send PASS')
  await quiet()
  await wait('5s')
  await expect.poll(() => told).toMatch(/\[IN-USE\]|1 message/)
  next.destroy()
  expect(told).toContain('[IN-USE]')
  expect(ended).toBe(false)
})

it('a server that goes down ends a session behind the message that is being sent', async () => {
  client.write('RETR 1\r\nNOOP\r\n')
  await quiet()
  await host.direct('drain', [], '')
  client.resume()
  await quiet()
  expect(received).toMatch(/\r\n\.\r\n-ERR \[SYS\/TEMP\] Server is shutting down\r\n$/)
})

it.each(['NOOP', 'STAT', 'TOP 1 0', 'UIDL 1'])(
  'thousands of commands sent at once held up another session: %s',
  async (command) => {
    let reads = 0
    time.elapsed = () => reads++
    client.resume()
    client.write(`${command}\r\n`.repeat(1000))
    let turns = 0
    while (received.split('+OK').length <= 1000) {
      await new Promise((resolve) => setImmediate(resolve))
      turns++
    }
    // Each takes a millisecond or more; in each turn the other session is heard.
    expect(turns).toBeGreaterThan(150)
  },
)
