import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sampleMessage, TestServer } from './dialogue/server.ts'

/** What a client is told while its search takes long (RFC 9585). */
describe('signs of life', () => {
  let server: TestServer
  /** Lets the store's search, which waits for it, go on. */
  let release: () => void

  beforeEach(async () => {
    server = await TestServer.start()
    await server.deliver('INBOX', sampleMessage('simple'))
    const { mail } = server.store
    server.options.mail = {
      ...mail,
      async search(...args) {
        await new Promise<void>((resolve) => {
          release = resolve
        })
        return mail.search(...args)
      },
    }
  })

  afterEach(() => server.stop())

  async function turns(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) await setImmediate()
  }

  const commands = {
    'SEARCH TEXT bob': ['* SEARCH 1', 'NIL NIL'],
    'SORT (DATE) UTF-8 TEXT bob': ['* SORT 1', 'NIL NIL'],
    'THREAD REFERENCES UTF-8 TEXT bob': ['* THREAD (1)', 'NIL NIL'],
    'ESEARCH IN (mailboxes INBOX) RETURN (COUNT) TEXT bob': ['* ESEARCH', '0 1'],
  }
  test.each(Object.entries(commands))('%s', async (command, [answer = '', state]) => {
    const client = await server.alice('SELECT INBOX')
    client.send(Buffer.from(`a1 ${command}\r\n`))
    await turns()
    await server.time.advance(25_000)
    expect(await client.response()).toBe(`* OK [INPROGRESS ("a1" ${state})] Still at it`)
    expect(await client.response()).toBe(`* OK [INPROGRESS ("a1" ${state})] Still at it`)
    release()
    expect((await client.response())?.startsWith(answer)).toBe(true)
    expect(await client.response()).toMatch(/^a1 OK/)
    await server.time.advance(60_000)
    expect(client.unread).toBe('')
  })

  test('not a word when it is disabled', async () => {
    server.options.disable = ['INPROGRESS']
    const client = await server.alice('SELECT INBOX')
    client.send(Buffer.from('a1 SEARCH TEXT bob\r\n'))
    await turns()
    await server.time.advance(25_000)
    release()
    expect(await client.response()).toBe('* SEARCH 1')
  })
})
