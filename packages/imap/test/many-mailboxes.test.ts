/** Commands on one mailbox cost the same however many mailboxes the account has. */
import type { MailStore } from '@pennypost/model'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DialogueClient } from './dialogue/client.ts'
import { sampleMessage, TestServer } from './dialogue/server.ts'

let server: TestServer
let client: DialogueClient

beforeEach(async () => {
  server = await TestServer.start()
  client = await server.alice()
})

afterEach(() => server.stop())

/** How it ends. */
async function say(command: string): Promise<string | undefined> {
  return (await client.say(command)).at(-1)
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
  await say('CREATE Elsewhere')
  await say('NOTIFY SET (PERSONAL (MessageNew MessageExpunge FlagChange))')
  await say('NOOP')
  const counted = countLists()
  await server.deliver('Elsewhere', sampleMessage('simple'))
  expect(await client.response()).toBe('* STATUS Elsewhere (UIDNEXT 2 MESSAGES 1 UNSEEN 1)')
  expect(counted.lists).toBe(0)
})

/** How many names a command looks at, at most, between two turns of the event loop. */
async function namesPerTurn(command: string): Promise<number> {
  const { mail } = server.store
  const { mailboxes, subscriptions } = mail
  let [most, now, over] = [0, 0, false]
  const turn = (): void => {
    now = 0
    if (!over) setImmediate(turn)
  }
  const look = (name: string): string => {
    most = Math.max(most, ++now)
    return name
  }
  mail.mailboxes = async (account) => {
    const found = await mailboxes(account)
    return found.map((one) =>
      Object.defineProperty({ ...one }, 'name', { enumerable: true, get: () => look(one.name) }),
    )
  }
  mail.subscriptions = async (account) => {
    const names = await subscriptions(account)
    // Others put them into a set.
    if (!command.startsWith('LSUB')) return names
    return Object.assign([...names], { [Symbol.iterator]: () => names.values().map(look) })
  }
  turn()
  expect(await say(command)).toMatch(/^x OK/)
  over = true
  Object.assign(mail, { mailboxes, subscriptions })
  return most
}

test('other sessions have their turns while all mailboxes are listed, searched or watched', async () => {
  const { id } = await server.account()
  for (let i = 0; i < 2000; i++) {
    await server.store.mail.createMailbox(id, `box${i}`)
    await server.store.mail.subscribe(id, `box${i}`, true)
  }
  for (const command of [
    'LIST "" *',
    'LIST "" % RETURN (STATUS (MESSAGES))',
    'LIST (SUBSCRIBED) "" *',
    'LSUB "" *',
    'ESEARCH IN (personal) ALL',
    'ESEARCH IN (subtree none) ALL',
    'NOTIFY SET (personal (MessageNew MessageExpunge))',
  ]) {
    const most = await namesPerTurn(command)
    expect(most, command).toBeGreaterThan(0)
    expect(most, command).toBeLessThan(1000)
  }
})
