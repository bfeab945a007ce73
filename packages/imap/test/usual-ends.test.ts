/** What users do every day, to go or to delete a mailbox, while something is done beside a command: no warning, no stack. */
import { setImmediate } from 'node:timers/promises'
import { type Log, silentLog } from '@pennypost/model'
import type { DuplexEnd } from '@pennypost/transport/duplex-pair'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sampleMessage, TestServer } from './dialogue/server.ts'

let server: TestServer
let warned: string[]

beforeEach(async () => {
  server = await TestServer.start()
  warned = []
  const warn = (_: object, text: string): void => void warned.push(text)
  const log: Log = { ...silentLog, warn, error: warn, child: () => log }
  server.options.log = log
})
afterEach(() => server.stop())

test('a client that went while a result it keeps was searched left a warning that the session is over', async () => {
  const { mail } = server.store
  let searching = false
  server.options.mail = {
    ...mail,
    search: (...args) =>
      searching
        ? new Promise((_, reject) => args[3]?.addEventListener('abort', () => reject(args[3]?.reason)))
        : mail.search(...args),
  }
  const client = await server.alice('SELECT INBOX', 'SEARCH RETURN (UPDATE) BODY hello')
  client.send(Buffer.from('x IDLE\r\n'))
  expect(await client.response()).toBe('+ idling')
  searching = true
  await server.deliver('INBOX', sampleMessage('simple'))
  expect(await client.response()).toBe('* 1 EXISTS')
  for (let turn = 0; turn < 5; turn++) await setImmediate()
  ;(client.stream as DuplexEnd).resetAndDestroy()
  await expect.poll(() => server.service.sessions).toBe(0)
  for (let turn = 0; turn < 5; turn++) await setImmediate()
  expect(warned).toEqual([])
})

test.each(['NOOP', 'FETCH 1 BODY[]'])(
  'a mailbox that was deleted amid %s left a warning that there is none',
  async (command) => {
    const { mail } = server.store
    const { id } = await server.account()
    let deletes = false
    const meanwhile = async (): Promise<void> => {
      if (deletes) await mail.deleteMailbox(id, 'Gone')
    }
    server.options.mail = {
      ...mail,
      claimRecent: (...args) => meanwhile().then(() => mail.claimRecent(...args)),
      updateFlags: (...args) => meanwhile().then(() => mail.updateFlags(...args)),
    }
    await server.createMailbox('Gone')
    await server.deliver('Gone', sampleMessage('simple'))
    const client = await server.alice('SELECT Gone')
    deletes = true
    if (command === 'NOOP') await server.deliver('Gone', sampleMessage('simple'))
    expect((await client.say(command)).at(-1)).toMatch(/^x (OK|NO) /)
    for (let turn = 0; turn < 5; turn++) await setImmediate()
    expect(warned).toEqual([])
  },
)
