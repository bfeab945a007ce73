/** Messages that are built to be read, not to be written. Each gets a reply, and the session goes on. */
import { createStaticResolver, zone } from '@pennypost/dns'
import { createChecker, defaultPolicy } from '@pennypost/message-auth'
import { silentLog, systemDeadline } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { defaultBudget, type InboundChecks } from '../src/index.ts'
import { testReception } from './test-reception.ts'

/** A DNS in which everything fails that can, and nobody is refused for it: what is to be shown is that all gets a reply. */
function openChecks(): InboundChecks {
  const resolver = createStaticResolver([zone('two.test', [['_dmarc', 'TXT', 'v=DMARC1; p=none']])])
  const parts = { resolver, clock: virtualClock(), deadline: systemDeadline, log: silentLog }
  const checker = createChecker({ ...parts, hostname: 'mail.one.test' })
  onTestFinished(() => checker[Symbol.asyncDispose]())
  const policy = { ...defaultPolicy, author: 'accept' as const }
  return { checker, policy, exempt: [], ownAddresses: [], ...defaultBudget }
}

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
  ['ten thousand authors', `From: a@two.test${',\r\n a@two.test'.repeat(10_000)}\r\n\r\nx\r\n`],
  ['ten thousand From fields', `${'From: a@two.test\r\n'.repeat(10_000)}\r\nx\r\n`],
  [
    'ten thousand signatures',
    `${'DKIM-Signature: v=1; a=rsa-sha256; d=two.test; s=s; h=from; bh=x; b=x\r\n'.repeat(10_000)}\r\nx\r\n`,
  ],
  ['ten thousand seals', `${'ARC-Seal: i=1; a=rsa-sha256; d=two.test; s=s; cv=none; b=x\r\n'.repeat(10_000)}\r\nx\r\n`],
  ['a hundred thousand fields', `${'A:\r\n'.repeat(100_000)}\r\nx\r\n`],
  ['no header, no body', ''],
]

/** The same for strangers whose mail is checked: the checks read what is built to be read. */
describe.each(['taken as it comes', 'checked'])('%s', (how) => {
  it.each(accepted)('%s', async (_, content) => {
    const host = await testReception(how === 'checked' ? { checks: openChecks() } : {})
    const client = host.connect()
    await client.beginData()
    client.say(content, '\r\n.\r\nNOOP\r\n')
    await client.until(/^250 2\.0\.0 Ok: queued[\s\S]*^250 2\.0\.0 Ok\r\n/m)
    expect(await host.messages()).toBe(1)
    expect(host.errors).toEqual([])
  })
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
