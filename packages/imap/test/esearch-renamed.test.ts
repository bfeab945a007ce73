/** Mailboxes that get other names while one ESEARCH goes through them (RFC 7377 §2). */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sampleMessage, TestServer } from './dialogue/server.ts'

let server: TestServer
beforeEach(async () => {
  server = await TestServer.start()
})
afterEach(() => server.stop())

test('each is told once, under the name that it had when the command began', async () => {
  for (const name of ['A', 'B', 'C']) {
    await server.createMailbox(name)
    await server.deliver(name, sampleMessage('simple'))
  }
  await server.deliver('C', sampleMessage('simple'))
  const { mail } = server.store
  const { id } = await server.account()
  const validity = Object.fromEntries(
    await Promise.all(['A', 'B', 'C'].map(async (name) => [name, (await server.mailbox(name)).uidValidity])),
  )
  let renamed = false
  server.options.mail = {
    ...mail,
    async search(...args) {
      if (!renamed) {
        renamed = true
        for (const [from, to] of [
          ['C', 'X'],
          ['A', 'C'],
          ['B', 'A'],
        ] as const)
          await mail.renameMailbox(id, from, to)
      }
      return mail.search(...args)
    },
  }
  const client = await server.alice()
  expect(await client.say('ESEARCH IN (mailboxes (A B C)) RETURN (COUNT) ALL')).toEqual([
    `* ESEARCH (TAG "x" MAILBOX A UIDVALIDITY ${validity.A}) UID COUNT 1`,
    `* ESEARCH (TAG "x" MAILBOX B UIDVALIDITY ${validity.B}) UID COUNT 1`,
    `* ESEARCH (TAG "x" MAILBOX C UIDVALIDITY ${validity.C}) UID COUNT 2`,
    'x OK ESEARCH completed',
  ])
  // The names stand for what they are now from the next command on.
  expect(await client.say('ESEARCH IN (mailboxes (A B C)) RETURN (COUNT) ALL')).toEqual([
    `* ESEARCH (TAG "x" MAILBOX A UIDVALIDITY ${validity.B}) UID COUNT 1`,
    `* ESEARCH (TAG "x" MAILBOX C UIDVALIDITY ${validity.A}) UID COUNT 1`,
    'x OK ESEARCH completed',
  ])
})

test('INBOX, whose messages RENAME takes to a mailbox that is not meant, is empty from then on', async () => {
  await server.deliver('INBOX', sampleMessage('simple'))
  await server.createMailbox('A')
  await server.deliver('A', sampleMessage('simple'))
  const { mail } = server.store
  const { id } = await server.account()
  let renamed = false
  server.options.mail = {
    ...mail,
    async mailbox(...args) {
      if (!renamed) await mail.renameMailbox(id, 'INBOX', 'Old')
      renamed = true
      return mail.mailbox(...args)
    },
  }
  const client = await server.alice()
  expect(await client.say('ESEARCH IN (mailboxes (INBOX A)) RETURN (COUNT) ALL')).toEqual([
    expect.stringMatching(/^\* ESEARCH \(TAG "x" MAILBOX A UIDVALIDITY \d+\) UID COUNT 1$/),
    'x OK ESEARCH completed',
  ])
})
