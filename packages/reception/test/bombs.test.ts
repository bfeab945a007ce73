/** Messages that are built to be read, not to be written. Each gets a reply, and the session goes on. */
import { expect, it } from 'vitest'
import { testReception } from './test-reception.ts'

const nested = (depth: number): string => {
  let text = ''
  for (let at = 0; at < depth; at++) text += `Content-Type: multipart/mixed; boundary=b${at}\r\n\r\n--b${at}\r\n`
  return text
}
const messages = (depth: number): string => 'Content-Type: message/rfc822\r\n\r\n'.repeat(depth)

const accepted: [name: string, content: string][] = [
  ['ten thousand levels of multipart', nested(10_000)],
  ['ten thousand levels of message', messages(10_000)],
  ['one boundary for all levels', 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n'.repeat(10_000)],
  [
    'ten thousand parts',
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\nContent-Type: text/plain\r\n\r\nx\r\n'.repeat(10_000)}--b--\r\n`,
  ],
  ['ten thousand parameters', `Content-Type: text/plain${';\r\n a=b'.repeat(10_000)}\r\n\r\nx\r\n`],
  ['ten thousand comments in comments', `Date: ${'('.repeat(10_000)}x${')'.repeat(10_000)}\r\n\r\nx\r\n`],
  ['ten thousand addresses', `To: a@two.test${',\r\n a@two.test'.repeat(10_000)}\r\n\r\nx\r\n`],
  ['ten thousand encoded words', `Subject: x${'\r\n =?utf-8?q?=C3=B6?='.repeat(10_000)}\r\n\r\nx\r\n`],
  ['ten thousand references', `References: ${'<a@b>\r\n '.repeat(10_000)}\r\n\r\nx\r\n`],
  ['no header, no body', ''],
]

it.each(accepted)('%s', async (_, content) => {
  const host = await testReception()
  const client = host.connect()
  await client.beginData()
  client.say(content, '\r\n.\r\nNOOP\r\n')
  await client.until(/^250 2\.0\.0 Ok: queued[\s\S]*^250 2\.0\.0 Ok\r\n/m)
  expect(await host.messages()).toBe(1)
  expect(host.errors).toEqual([])
})

const refused: [name: string, content: string, reply: RegExp][] = [
  ['a header line of ten megabytes', `Subject: ${'x'.repeat(10_000_000)}\r\n\r\nx\r\n`, /^550 5\.6\.0 Header/m],
  [
    'ten megabytes of header',
    `${'X-Filler: abcdefghijklmnopqrstuvwxyz\r\n'.repeat(270_000)}\r\nx\r\n`,
    /^550 5\.6\.0 H/m,
  ],
  ['more hops than a letter makes', `${'Received: from x by y\r\n'.repeat(101)}\r\nx\r\n`, /^554 5\.4\.6 /m],
  ['NUL', 'Subject: x\0\r\n\r\n', /^550 5\.6\.0 /m],
]

it.each(refused)('%s is refused', async (_, content, reply) => {
  const host = await testReception()
  const client = host.connect()
  await client.beginData()
  client.say(content, '.\r\nNOOP\r\n')
  await client.until(reply)
  await client.until(/^250 2\.0\.0 Ok\r\n/m)
  expect(await host.messages()).toBe(0)
})
