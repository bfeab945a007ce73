import { setImmediate } from 'node:timers/promises'
import { type Uid, UidSet } from '@pennypost/model'
import { expect, test } from 'vitest'
import { password, sampleMessage, TestServer } from './dialogue/server.ts'

test('commands are answered though events never end', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  let wake = (): void => {}
  let looks = 0
  server.options.mail = {
    ...mail,
    watch(_, onWake) {
      wake = () => onWake(undefined)
      return { [Symbol.dispose]: () => {} }
    },
    async mailboxes(account) {
      looks++
      await setImmediate()
      wake()
      return mail.mailboxes(account)
    },
  }
  const client = server.connect()
  await client.response()
  client.send(
    Buffer.from(
      [
        `a1 LOGIN alice ${password}`,
        'a2 NOTIFY SET (PERSONAL (MailboxName))',
        ...['a3 NOOP', 'a4 NOOP', 'a5 LOGOUT', ''],
      ].join('\r\n'),
    ),
  )
  const said: string[] = []
  for (let line = await client.response(); line !== undefined; line = await client.response()) said.push(line)
  expect(said.map((line) => line.slice(0, 5))).toEqual(['a1 OK', 'a2 OK', 'a3 OK', 'a4 OK', '* BYE', 'a5 OK'])
  expect(looks).toBeGreaterThan(2)
  const before = looks
  for (let turn = 0; turn < 5; turn++) await setImmediate()
  // Nobody looks any more.
  expect(looks - before).toBeLessThan(2)
  await server.stop()
})

test('what comes into a new mailbox while its name is being read is told', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  let delivered = false
  server.options.mail = {
    ...mail,
    async mailboxes(account) {
      const found = await mail.mailboxes(account)
      if (!delivered && found.some(({ name }) => name === 'New')) {
        delivered = true
        await server.deliver('New', sampleMessage('simple'))
        await setImmediate()
      }
      return found
    },
  }
  const client = server.connect()
  await client.response()
  const lines = [`a1 LOGIN alice ${password}`, 'a2 NOTIFY SET (PERSONAL (MailboxName MessageNew MessageExpunge))', '']
  client.send(Buffer.from(lines.join('\r\n')))
  while (!(await client.response())?.startsWith('a2 OK'));
  await server.createMailbox('New')
  expect(await client.response()).toBe('* LIST (\\HasNoChildren) "/" New')
  expect(await client.response()).toBe('* STATUS New (UIDNEXT 2 MESSAGES 1)')
  await server.stop()
})

test('a COPY of very many messages is answered where NOTIFY leaves out what the session does itself', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  await server.deliver('INBOX', sampleMessage('simple'))
  const target = Array.from({ length: 200_000 }, (_, index) => (index + 1) as Uid)
  server.options.mail = {
    ...mail,
    copy: async (_, __, to) => {
      const found = await mail.mailbox(to)
      return { uidValidity: found!.uidValidity, source: UidSet.ofSorted(target), target }
    },
  }
  const client = server.connect()
  await client.response()
  const lines = [
    `a1 LOGIN alice ${password}`,
    'a2 EXAMINE INBOX',
    'a3 NOTIFY SET (PERSONAL (MessageNew MessageExpunge))',
  ]
  client.send(Buffer.from([...lines, 'a4 COPY 1 Sent', 'a5 LOGOUT', ''].join('\r\n')))
  const said: string[] = []
  for (let line = await client.response(); line !== undefined; line = await client.response()) said.push(line)
  expect(said).toContainEqual(expect.stringMatching(/^a4 OK \[COPYUID \d+ 1:200000 1:200000\]/))
  await server.stop()
})
