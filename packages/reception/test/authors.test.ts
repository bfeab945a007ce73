/**
 * Authors in every disguise: whoever may send for two.test writes From fields that readers could take for bank.test, whose
 * DMARC policy is to reject. None of them reaches an INBOX.
 */
import { createStaticResolver, zone } from '@pennypost/dns'
import { createChecker, defaultPolicy } from '@pennypost/message-auth'
import { silentLog, systemDeadline } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { expect, it, onTestFinished } from 'vitest'
import { defaultBudget, type InboundChecks } from '../src/index.ts'
import { testReception } from './test-reception.ts'

function checks(): InboundChecks {
  const resolver = createStaticResolver([zone('bank.test', [['_dmarc', 'TXT', 'v=DMARC1; p=reject']])])
  const parts = { resolver, clock: virtualClock(), deadline: systemDeadline, log: silentLog }
  const checker = createChecker({ ...parts, hostname: 'mail.one.test' })
  onTestFinished(() => checker[Symbol.asyncDispose]())
  return { checker, policy: defaultPolicy, exempt: [], ownAddresses: [], ...defaultBudget }
}

const refused = [
  'From: a@bank.test',
  'From : a@bank.test',
  'From\t: a@bank.test',
  'Resent-From: a@two.test\r\nFrom: a@bank.test',
  'From: <a@sub.bank.test>',
  'From: <a@BANK.TEST.>',
  'From: <a@bank . test>',
  'From: a (comment) @ bank.test',
  'From: <a@bank.test(@two.test)>',
  'From: (a@two.test) a@bank.test',
  'From: <@two.test:a@bank.test>',
  'From: <"a@two.test"@bank.test>',
  'From: x:a@bank.test;',
  'From: ,;:a@bank.test',
  'From: <a@bank.test',
  'From: a@bank.test>',
  'From: <a@\uff42ank.test>',
  'From: <a@bank\u3002test>',
  'From: <a@ba\u00adnk.test>',
  `From: ${'('.repeat(3000)}${')'.repeat(3000)} a@bank.test`,
  `From: ${'x'.repeat(70_000)} <a@bank.test>`,
  'no field\r\nFrom: a@bank.test',
  'From: MISSING_MAILBOX@bank.test',
]

const doubtful = [
  'From: a@bank.test\r\nFrom: a@two.test',
  'From: a@two.test\r\nFrom: a@bank.test',
  'From: a@two.test\r\nFrom : a@bank.test',
  'FROM: a@two.test\r\nno field\r\nfrom: a@bank.test',
  'From: a@two.test, b@bank.test',
  'From: a@two.test; b@bank.test',
  'From: a@two.test\r\n\t, b@bank.test',
  'From: <a@two.test> <b@bank.test>',
  'From: a@two.test, MISSING_MAILBOX@bank.test',
  'From: a@two.test, "MISSING_"MAILBOX@bank.test',
  'From: <a@two.test>\\,<b@bank.test>',
  'From: x:a@bank.test;, a@two.test',
  'From: <a@bank.test@two.test>',
  'From: <<a@bank.test>@two.test>',
  'From: <a@two.test@bank.test>',
  'From: <a@=?utf-8?q?bank.test?=>',
  'From: =?utf-8?q?a=40bank.test?=',
  'From: "a@bank.test',
  'From: (a@bank.test',
  'From: <a@bank.test\x01>',
  'From: <a@bank..test>',
  `From: <a@${'a'.repeat(70)}.bank.test>`,
  'From: <a\uff20bank.test>',
  ' From: a@bank.test',
  'Sender: a@bank.test',
  `From: ${'a@two.test, '.repeat(2000)}a@bank.test`,
]

it.each([
  ...refused.map((header) => [header, /^550 5\.7\.26 /m, 0] as const),
  ...doubtful.map((header) => [header, /^250 .*queued as/m, 1] as const),
])('%s', async (header, reply, junk) => {
  const host = await testReception({ checks: checks() })
  const client = host.connect()
  await client.beginData()
  client.say(Buffer.from(`${header}\r\nSubject: x\r\n\r\nhello\r\n.\r\n`))
  await client.until(/^[25]50 \S+ (?!Ok\r)[^\r]*\r\n$/m)
  expect(client.text).toMatch(reply)
  expect(await host.messages()).toBe(0)
  const account = await host.store.directory.accountByLogin('bob@one.test')
  const mailboxes = account ? await host.store.mail.mailboxes(account.id) : []
  expect(mailboxes.find(({ name }) => name === 'Junk')?.messages).toBe(junk)
})
