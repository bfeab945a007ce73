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
  ['From: bob@one.test, *eve@other.test', 'x:;', 600, /^553 .* eve@other/m],
  ['From: bob@one.test, *eve@other.test', 'nobody, ', 1000, /^553 .* eve@other/m],
  ['Resent-From: bob@one.test, *eve@other.test', 'x:;', 600, /^553 .* eve@other/m],
  ['From: *bob@one.test', '"\\"', 30_000, /^554 5\.6\.0 The From field is too long/m],
  ['Resent-From: *bob@one.test', 'x:;', 30_000, /^554 5\.6\.0 The From field is too long/m],
  ['*From: bob@one.test', 'From: bob@one.test\r\n', 4000, /^554 5\.6\.0 The From field is too long/m],
])('an author behind very much is found, or the message refused: %s', async (field, much, times, said) => {
  const host = await testReception()
  const account = await host.store.directory.accountByLogin('bob@one.test')
  if (account) host.options.trusted = new Map([['192.0.2.7', account]])
  const client = host.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<bob@one.test>\r\nRCPT TO:<bob@one.test>\r\nDATA\r\n')
  await client.until(/^354 /m)
  client.say(`${field.replace('*', () => much.repeat(times))}\r\n\r\nhello\r\n.\r\n`)
  await client.until(said)
})
