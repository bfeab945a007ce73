/** Commands on one mailbox cost the same however many mailboxes the account has. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DialogueClient } from './dialogue/client.ts'
import { password, TestServer } from './dialogue/server.ts'

let server: TestServer
let client: DialogueClient

beforeEach(async () => {
  server = await TestServer.start()
  client = server.connect()
  await client.response()
})

afterEach(() => server.stop())

async function say(text: string): Promise<string | undefined> {
  client.send(Buffer.from(`x ${text}\r\n`))
  for (;;) {
    const response = await client.response()
    if (response === undefined || response.startsWith('x ')) return response
  }
}

test('names are made, moved and taken away without a look at all the others', async () => {
  await say(`LOGIN alice ${password}`)
  const { mail } = server.store
  let lists = 0
  const mailboxes = mail.mailboxes.bind(mail)
  mail.mailboxes = (account) => {
    lists++
    return mailboxes(account)
  }
  for (const command of [
    'CREATE a/b/c',
    'CREATE a/b/d',
    'RENAME a/b/d x/y/d',
    'SUBSCRIBE x/y/d',
    'STATUS x/y/d (MESSAGES)',
    'DELETE x/y/d',
  ]) {
    expect(await say(command)).toMatch(/^x OK/)
  }
  expect(lists).toBe(0)
  expect((await mailboxes((await server.account()).id)).map(({ name }) => name)).toEqual(
    expect.arrayContaining(['a', 'a/b', 'a/b/c', 'x', 'x/y']),
  )
})
