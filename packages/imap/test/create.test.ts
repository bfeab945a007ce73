import { expect, test } from 'vitest'
import { TestServer } from './dialogue/server.ts'

test('CREATE with a special use that another session gave away a moment before was an error of the server', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  server.options.mail = {
    ...mail,
    async mailboxes(account) {
      const found = await mail.mailboxes(account)
      await mail.createMailbox(account, 'Faster', '\\All')
      return found
    },
  }
  const client = await server.alice()
  client.send(Buffer.from('x CREATE Everything (USE (\\All))\r\n'))
  expect(await client.response()).toBe('x NO [USEATTR] Another mailbox has that use')
  await server.stop()
})
