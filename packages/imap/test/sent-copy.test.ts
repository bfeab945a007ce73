import type { Uid } from '@pennypost/model'
import { expect, onTestFinished, test } from 'vitest'
import type { SupersededCopy } from '../src/index.ts'
import { TestServer } from './dialogue/server.ts'

/** APPEND to Sent takes the place of the copy that submission has filed there. */
const message = 'Message-ID: <a@b>\r\nSubject: x\r\n\r\nx\r\n'

async function appendBeside(copy: (server: TestServer) => SupersededCopy, mailbox: string): Promise<string[]> {
  const server = await TestServer.start()
  onTestFinished(() => server.stop())
  await server.deliver('Sent', Buffer.from(message))
  server.options.supersededCopy = copy(server)
  const client = await server.alice()
  const responses: string[] = []
  const commands = [`APPEND ${mailbox} {${message.length}+}\r\n${message}`, 'STATUS Sent (MESSAGES UIDNEXT)']
  for (const command of commands) responses.push(...(await client.say(command)))
  return responses
}

const copyIn = (mailbox: string) => (server: TestServer) => async (_: unknown, messageId: string) =>
  messageId === 'a@b' ? { mailbox: (await server.mailbox(mailbox)).id, uid: 1 as Uid } : undefined

test('the copy goes when its better one has come', async () => {
  expect(await appendBeside(copyIn('Sent'), 'Sent')).toContain('* STATUS Sent (MESSAGES 1 UIDNEXT 3)')
})

test('a copy elsewhere stays, and so does it for an APPEND elsewhere', async () => {
  expect(await appendBeside(copyIn('INBOX'), 'Sent')).toContain('* STATUS Sent (MESSAGES 2 UIDNEXT 3)')
  expect(await appendBeside(copyIn('Sent'), 'Drafts')).toContain('* STATUS Sent (MESSAGES 1 UIDNEXT 2)')
})

test('when nobody can say, both stay', async () => {
  const failing = () => () => Promise.reject(new Error('no memory'))
  expect(await appendBeside(failing, 'Sent')).toContain('* STATUS Sent (MESSAGES 2 UIDNEXT 3)')
})
