/** The end of the drain, met in the midst of a commit. */
import { expect, test } from 'vitest'
import { testReception, turns } from './test-reception.ts'

test('who was told 421 while the mail was being committed had it, and sent it again', async () => {
  const host = await testReception()
  const asked = Promise.withResolvers<void>()
  const synced = Promise.withResolvers<void>()
  const { mail } = host.store
  const accept = mail.accept.bind(mail)
  mail.accept = async (acceptances) => {
    asked.resolve()
    await synced.promise
    return accept(acceptances)
  }
  const client = host.connect()
  client.say('EHLO a\r\nMAIL FROM:<a@two.test>\r\nRCPT TO:<bob@one.test>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n')
  await asked.promise
  const closed = host.listener.close({ drainMs: 1000 })
  await turns()
  await host.waits.advance(1000)
  await turns()
  expect(client.text).not.toMatch(/^421 /m)
  synced.resolve()
  await client.until(/^250 .*queued as .*\r\n421 4\.3\.2 /m)
  client.stream.end()
  await closed
  expect(await host.messages()).toBe(1)
})
