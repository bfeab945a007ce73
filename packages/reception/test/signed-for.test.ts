/** In whose name what accounts send is signed, and who is looked for. */
import { expect, it } from 'vitest'
import { testReception } from './test-reception.ts'

it.each([
  ['From: bob@one.test', 'one.test'],
  ['Subject: no author', 'one.test'],
  // Anybody may resend what anybody has written, and it was signed as if its author had sent it.
  ['Resent-From: bob@one.test\r\nFrom: eve@other.test', 'one.test'],
  ['From: eve@other.test\r\nResent-From: bob@one.test\r\nResent-From: eve@other.test', 'one.test'],
])('%s is signed for %s', async (header, domain) => {
  const signed: string[] = []
  const sign = async (message: { domain: string }) => {
    signed.push(message.domain)
    return ''
  }
  const host = await testReception({ sign })
  const account = await host.store.directory.accountByLogin('bob@one.test')
  if (account) host.options.trusted = new Map([['192.0.2.7', account]])
  await host.store.directory.addDomain({ name: 'other.test', kind: 'local', target: '', catchAll: '' })
  const client = host.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<bob@one.test>\r\nRCPT TO:<bob@one.test>\r\nDATA\r\n')
  await client.until(/^354 /m)
  client.say(`${header}\r\n\r\nhello\r\n.\r\n`)
  await client.until(/^250 .*queued as/m)
  expect(signed).toEqual([domain])
})

it.each([
  ['From', `bob@one.test, ${'x:;'.repeat(600)} eve@other.test`],
  ['From', `bob@one.test, ${'nobody, '.repeat(1000)}eve@other.test`],
  ['Resent-From', `bob@one.test, ${'x:;'.repeat(600)} eve@other.test`],
])('a %s with an author behind more than is looked at is refused', async (name, value) => {
  const host = await testReception()
  const account = await host.store.directory.accountByLogin('bob@one.test')
  if (account) host.options.trusted = new Map([['192.0.2.7', account]])
  const client = host.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<bob@one.test>\r\nRCPT TO:<bob@one.test>\r\nDATA\r\n')
  await client.until(/^354 /m)
  client.say(`${name}: ${value}\r\n\r\nhello\r\n.\r\n`)
  await client.until(/^554 5\.6\.0 From has more than/m)
})
