/** What nobody has foreseen goes wrong amid a command: the session ends, said and logged, and nothing else does. */
import { setImmediate } from 'node:timers/promises'
import { type Log, silentLog } from '@pennypost/model'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DialogueClient } from './dialogue/client.ts'
import { sampleMessage, TestServer } from './dialogue/server.ts'

let server: TestServer
let errors: string[]
/** The next time that the service tells of new messages goes wrong. */
let fails: boolean

beforeEach(async () => {
  server = await TestServer.start()
  errors = []
  fails = false
  const log: Log = { ...silentLog, error: (_, text) => void errors.push(text), child: () => log }
  server.options.log = log
  const { mail } = server.store
  server.options.mail = {
    ...mail,
    // Not by a promise that rejects, as the store fails: by what may be thrown anywhere.
    claimRecent(...args) {
      if (fails) throw new Error('nobody has foreseen this')
      return mail.claimRecent(...args)
    },
  }
})

afterEach(() => server.stop())

async function expectEnded(client: DialogueClient, ...completed: string[]): Promise<void> {
  for (const said of ['* BYE [UNAVAILABLE] The server has failed here', ...completed])
    expect(await client.response()).toBe(said)
  expect(await client.response()).toBeUndefined()
  expect(errors).toEqual(['session failed'])
  client.end()
  await expect.poll(() => [server.service.sessions, server.service.openMailboxes]).toEqual([1, 1])
}

test('in what is told before a completion, once the changes have been read', async () => {
  const [client, other] = [await server.alice('SELECT INBOX'), await server.alice('SELECT Sent')]
  await server.deliver('INBOX', sampleMessage('simple'))
  fails = true
  client.send(Buffer.from('x NOOP\r\ny NOOP\r\n'))
  await expectEnded(client)
  expect(await other.say('NOOP')).toEqual(['x OK NOOP completed'])
})

test('in what is told at once, it took the whole process with it', async () => {
  const [client, other] = [await server.alice('SELECT INBOX'), await server.alice('EXAMINE INBOX')]
  await server.deliver('INBOX', sampleMessage('simple'))
  // What this one has had read, the other one need not wait for.
  await other.say('NOOP')
  fails = true
  client.send(Buffer.from('x NOOP\r\ny NOOP\r\n'))
  await expectEnded(client)
  expect(await other.say('NOOP')).toEqual(['x OK NOOP completed'])
})

test('in what is told while it idles, it took the whole process with it', async () => {
  const [client, other] = [await server.alice('SELECT INBOX'), await server.alice('SELECT Sent')]
  client.send(Buffer.from('x IDLE\r\n'))
  expect(await client.response()).toBe('+ idling')
  fails = true
  await server.deliver('INBOX', sampleMessage('simple'))
  await expectEnded(client, 'x OK IDLE completed')
  expect(await other.say('NOOP')).toEqual(['x OK NOOP completed'])
})

test('in what NOTIFY tells between commands', async () => {
  const events = '(SELECTED (MessageNew MessageExpunge))'
  const [client, other] = [
    await server.alice('SELECT INBOX', `NOTIFY SET ${events}`),
    await server.alice('SELECT Sent'),
  ]
  fails = true
  await server.deliver('INBOX', sampleMessage('simple'))
  for (let turn = 0; turn < 10; turn++) await setImmediate()
  expect(await other.say('NOOP')).toEqual(['x OK NOOP completed'])
  fails = false
  expect((await client.say('NOOP')).at(-1)).toBe('x OK NOOP completed')
})
