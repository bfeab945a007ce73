import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { password, TestServer } from './dialogue/server.ts'

test('commands are answered though events never end', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  let wake = (): void => {}
  let looks = 0
  server.options.mail = {
    ...mail,
    watch(_, onWake) {
      wake = onWake
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
