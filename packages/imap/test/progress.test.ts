import type { MailStore, UidSet } from '@pennypost/model'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DialogueClient } from './dialogue/client.ts'
import { password, sampleMessage, TestServer } from './dialogue/server.ts'

/** What a client is told while its search takes long (RFC 9585). */
describe('signs of life', () => {
  let server: TestServer
  /** Lets the store's search, which waits for it, go on. */
  let release: () => void

  beforeEach(async () => {
    server = await TestServer.start()
    await server.deliver('INBOX', sampleMessage('simple'))
    const { mail } = server.store
    const slow: Pick<MailStore, 'search'> = {
      async search(...args): Promise<UidSet> {
        await new Promise<void>((resolve) => {
          release = resolve
        })
        return mail.search(...args)
      },
    }
    server.options.mail = Object.assign(Object.create(mail), slow)
  })

  afterEach(() => server.stop())

  async function selected(): Promise<DialogueClient> {
    const client = server.connect()
    client.send(Buffer.from(`x LOGIN alice ${password}\r\ny SELECT INBOX\r\n`))
    for (let response = ''; !response.startsWith('y OK'); ) response = (await client.response()) ?? 'y OK'
    return client
  }

  async function turns(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  const commands = {
    'SEARCH TEXT bob': ['* SEARCH 1', 'NIL NIL'],
    'SORT (DATE) UTF-8 TEXT bob': ['* SORT 1', 'NIL NIL'],
    'THREAD REFERENCES UTF-8 TEXT bob': ['* THREAD (1)', 'NIL NIL'],
    'ESEARCH IN (mailboxes INBOX) RETURN (COUNT) TEXT bob': ['* ESEARCH', '0 1'],
  }
  test.each(Object.entries(commands))('%s', async (command, [answer = '', state]) => {
    const client = await selected()
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
    const client = await selected()
    client.send(Buffer.from('a1 SEARCH TEXT bob\r\n'))
    await turns()
    await server.time.advance(25_000)
    release()
    expect(await client.response()).toBe('* SEARCH 1')
  })
})
