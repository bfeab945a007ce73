/** What there is can be read where nothing can be written. */
import { StoreError } from '@pennypost/model'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DialogueClient } from './dialogue/client.ts'
import { sampleMessage, TestServer } from './dialogue/server.ts'

let server: TestServer
let client: DialogueClient

async function full(): Promise<never> {
  throw new StoreError('no-room', 'the file system is full')
}

beforeEach(async () => {
  server = await TestServer.start()
  server.options.mail = { ...server.store.mail, updateFlags: full, claimRecent: full }
  await server.deliver('INBOX', sampleMessage('simple'))
  client = await server.alice()
})

afterEach(() => server.stop())

test('a mailbox with new messages could not be selected', async () => {
  for (let twice = 0; twice < 2; twice++) {
    const said = await client.say('SELECT INBOX')
    expect(said).toContain('* 1 EXISTS')
    expect(said.at(-1)).toBe('x OK [READ-WRITE] SELECT completed')
  }
})

test('no message could be read that was not \\Seen', async () => {
  await client.say('SELECT INBOX')
  const said = await client.say('FETCH 1 (BODY[TEXT])')
  expect(said).toEqual(['* 1 FETCH (BODY[TEXT] {26}\r\nHello Bob.\r\nHow are you?\r\n)', 'x OK FETCH completed'])
  expect(await client.say('STORE 1 +FLAGS (\\Seen)')).toEqual([expect.stringMatching(/^x NO \[UNAVAILABLE\]/)])
})
