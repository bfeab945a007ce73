/** Commands on one mailbox cost the same however many mailboxes the account has. */
import type { MailStore } from '@pennypost/model'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DialogueClient } from './dialogue/client.ts'
import { password, sampleMessage, TestServer } from './dialogue/server.ts'

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

/** Counts the looks at all mailboxes of an account. */
function countLists(): { lists: number; mailboxes: MailStore['mailboxes'] } {
  const { mail } = server.store
  const counted = { lists: 0, mailboxes: mail.mailboxes.bind(mail) }
  mail.mailboxes = (account) => {
    counted.lists++
    return counted.mailboxes(account)
  }
  return counted
}

test('names are made, moved and taken away without a look at all the others', async () => {
  await say(`LOGIN alice ${password}`)
  const counted = countLists()
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
  expect(counted.lists).toBe(0)
  expect((await counted.mailboxes((await server.account()).id)).map(({ name }) => name)).toEqual(
    expect.arrayContaining(['a', 'a/b', 'a/b/c', 'x', 'x/y']),
  )
})

test('NOTIFY tells what came into one mailbox without a look at all the others', async () => {
  await say(`LOGIN alice ${password}`)
  await say('CREATE Elsewhere')
  await say('NOTIFY SET (PERSONAL (MessageNew MessageExpunge FlagChange))')
  await say('NOOP')
  const counted = countLists()
  await server.deliver('Elsewhere', sampleMessage('simple'))
  expect(await client.response()).toBe('* STATUS Elsewhere (UIDNEXT 2 MESSAGES 1 UNSEEN 1)')
  expect(counted.lists).toBe(0)
})
