/** What an account may send, when it sends by many sessions at once. */
import type { Account } from '@pennypost/model'
import { expect, test } from 'vitest'
import { type SubmissionLimits, SubmissionQuota } from '../src/index.ts'
import { type TestClient, testReception } from './test-reception.ts'

const unlimited = { messagesPerHour: 0, messagesPerDay: 0, recipientsPerHour: 0, recipientsPerDay: 0 }

async function submission(limits: Partial<SubmissionLimits>) {
  const trusted = new Map<string, Account>()
  const host = await testReception({ trusted }, 'submission')
  host.options.submissionQuota = new SubmissionQuota({ ...unlimited, ...limits }, host.store.memory)
  trusted.set('192.0.2.7', (await host.store.directory.accountByLogin('bob@one.test')) as Account)
  return host
}

const message = 'From: bob@one.test\r\n\r\nhello\r\n.\r\n'

async function begin(client: TestClient, recipients = 1): Promise<void> {
  client.say('EHLO client.test\r\nMAIL FROM:<bob@one.test>\r\n')
  for (let at = 0; at < recipients; at++) client.say(`RCPT TO:<${at}@two.test>\r\n`)
  client.say('DATA\r\n')
  await client.until(/^354 /m)
}

const final = async (client: TestClient): Promise<string> => (await client.until(/^(250 2.0.0|4\d\d) /m)).at(-1) ?? ''

test('sessions that had begun before one of them had sent all sent, whatever the limit', async () => {
  const host = await submission({ messagesPerHour: 2 })
  const clients = Array.from({ length: 5 }, () => host.connect())
  await Promise.all(clients.map((client) => begin(client)))
  for (const client of clients) client.say(message)
  const said = await Promise.all(clients.map(final))
  expect(said.map((line) => line.slice(0, 9)).sort()).toEqual([
    '250 2.0.0',
    '250 2.0.0',
    '450 4.7.1',
    '450 4.7.1',
    '450 4.7.1',
  ])
  expect((await host.store.queue.counts(host.clock.now())).due).toBe(2)
})

test('the same for recipients', async () => {
  const host = await submission({ recipientsPerDay: 5 })
  const clients = Array.from({ length: 3 }, () => host.connect())
  await Promise.all(clients.map((client) => begin(client, 3)))
  for (const client of clients) {
    client.say(message)
    await final(client)
  }
  const said = await Promise.all(clients.map(final))
  expect(said.map((line) => line.slice(0, 9))).toEqual(['250 2.0.0', '452 4.7.1', '452 4.7.1'])
})

test('what is not stored counts for nothing', async () => {
  const host = await submission({ messagesPerHour: 1 })
  const { mail } = host.store
  const { accept } = mail
  mail.accept = () => Promise.reject(new Error('no'))
  const client = host.connect()
  await begin(client)
  client.say(message)
  expect(await final(client)).toMatch(/^451 /)
  mail.accept = accept
  const again = host.connect()
  await begin(again)
  again.say(message)
  expect(await final(again)).toMatch(/^250 /)
})
