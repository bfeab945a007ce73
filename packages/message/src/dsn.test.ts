import { simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import { allParts, buildDsn, type DsnReport, scan, structureFor } from './index.ts'
import { partText } from './search-text.ts'

const original = Buffer.from(
  'From: alice@one.test\r\nTo: bob@two.test\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <1@one.test>\r\n\r\nHello Bob\r\n',
)
const { header, size } = scan(original)

const report: DsnReport = {
  reportingMta: 'mail.one.test',
  from: 'postmaster@one.test',
  to: 'alice@one.test',
  at: Date.UTC(2026, 10, 26, 9, 30),
  messageId: 'dsn-1@mail.one.test',
  boundary: 'boundary-1',
  arrivedAt: Date.UTC(2026, 10, 26, 9, 29),
  envelopeId: 'QQ314159',
  recipients: [
    {
      action: 'failed',
      finalRecipient: 'bob@two.test',
      originalRecipient: { type: 'rfc822', address: 'robert@one.test' },
      status: '5.1.1',
      remoteMta: 'mx.two.test',
      diagnostic: '550 5.1.1 <bob@two.test>: no such user\r\nBcc: x',
      lastAttemptAt: Date.UTC(2026, 10, 26, 9, 30),
    },
  ],
  original: { header, size, eightBitBody: false },
}

const whole = (changes: Partial<DsnReport> = {}): Buffer => {
  const { before, returns, after } = buildDsn({ ...report, ...changes })
  return returns === 'message' ? Buffer.concat([before, original, after]) : before
}

/** The decoded text of each part. */
function partsOf(message: Buffer): string[] {
  const scanned = scan(message)
  return allParts(scanned.index().parts)
    .filter(({ path }) => /^\d$/.test(path))
    .map((part) =>
      partText(part, message.subarray(scanned.headerSize + part.body.start, scanned.headerSize + part.body.end)),
    )
}

const types = (message: Buffer): string[] =>
  [...structureFor(scan(message).index().structure, 'BODY').matchAll(/\("(text|message)" "([\w-]+)"/g)].map(
    ([, type, subtype]) => `${type}/${subtype}`,
  )

describe('a failure', () => {
  test.each([
    ['192.0.2.2', '[192.0.2.2]'],
    ['2001:db8::2', '[IPv6:2001:db8::2]'],
    ['mx.two.test', 'mx.two.test'],
  ])('said by %s names it as dns; %s', (remoteMta, shown) => {
    const [recipient] = report.recipients
    const message = whole({ recipients: [{ ...recipient!, remoteMta }] }).toString()
    expect(message).toContain(`Remote-MTA: dns; ${shown}\r\n`)
  })

  test('is a multipart/report that returns the message to the octet', async () => {
    const message = whole()
    expect(types(message)).toEqual(['text/plain', 'message/delivery-status', 'message/rfc822', 'text/plain'])
    expect(partsOf(message)[2]).toBe(original.toString())
    const parsed = await simpleParser(message)
    expect(parsed.subject).toBe('Undelivered mail returned to sender')
    expect(parsed.headers.get('auto-submitted')).toBe('auto-replied')
    expect(parsed.from?.value).toEqual([{ name: 'Mail Delivery System', address: 'postmaster@one.test' }])
    expect(parsed.references).toEqual('<1@one.test>')
    expect(parsed.headers.get('content-type')).toMatchObject({
      value: 'multipart/report',
      params: { 'report-type': 'delivery-status' },
    })
  })

  test('says to programs what RFC 3464 asks for', () => {
    expect(partsOf(whole())[1]?.replace(/\r\n/g, '\n')).toBe(`Original-Envelope-Id: QQ314159
Reporting-MTA: dns; mail.one.test
Arrival-Date: Thu, 26 Nov 2026 09:29:00 +0000

Original-Recipient: rfc822; robert@one.test
Final-Recipient: rfc822; bob@two.test
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.two.test
Diagnostic-Code: smtp; 550 5.1.1 <bob@two.test>: no such user?Bcc: x
Last-Attempt-Date: Thu, 26 Nov 2026 09:30:00 +0000
`)
  })

  test('says to people what happened and why', () => {
    const text = partsOf(whole())[0] ?? ''
    for (const said of ['"Grüße"', 'bob@two.test', 'robert@one.test', 'no such mailbox', 'mx.two.test said: 550 5.1.1'])
      expect(text).toContain(said)
  })

  test('lets no words of others begin a line of what it says to people', () => {
    const subject = Buffer.from('Subject: =?utf-8?Q?Hi=0D=0ADear_user=E2=80=A8pay=E2=80=AEnow?=\r\n\r\n')
    const originalRecipient = { type: 'rfc822', address: 'a\r\nCall us' }
    const recipients = [{ ...report.recipients[0]!, originalRecipient }]
    const text = partsOf(whole({ recipients, original: { header: subject, size: 2_000_000, eightBitBody: false } }))[0]
    expect(text).toContain('Your message "Hi Dear user pay now"')
    expect(text).toContain('(you wrote to a Call us)')
    expect(text).toContain('no such user Bcc: x')
  })

  test('has no line that is longer than a line may be, whatever was said', () => {
    const [recipient] = report.recipients
    const message = whole({
      recipients: [
        { ...recipient!, diagnostic: `550 5.1.1 ${'ü'.repeat(3000)} ${'x'.repeat(3000)}${' '.repeat(3000)}y` },
      ],
    })
    const lengths = message
      .toString('latin1')
      .split('\r\n')
      .map((line) => line.length)
    expect(Math.max(...lengths)).toBeLessThan(998)
  })

  test('cut no character in two where it cut a word that is longer than a line may be', () => {
    const [recipient] = report.recipients
    const international = { ...recipient!, finalRecipient: 'ü@two.test', diagnostic: `550 ${'x😀'.repeat(500)}` }
    const message = whole({ recipients: [international] }).toString()
    expect(message).not.toContain('\ufffd')
    expect(message.match(/😀/gu)?.length).toBeGreaterThanOrEqual(500)
  })

  test('returns only the header with RET=HDRS', () => {
    const message = whole({ ret: 'HDRS' })
    expect(types(message).at(-1)).toBe('text/rfc822-headers')
    expect(partsOf(message)[2]).toBe(header.toString().slice(0, -2))
    expect(partsOf(message)[0]).not.toContain('too large')
  })

  test('returns only the header of a message that is too large, and says so', () => {
    const message = whole({ ret: 'FULL', original: { header, size: 2_000_000, eightBitBody: false } })
    expect(types(message).at(-1)).toBe('text/rfc822-headers')
    expect(partsOf(message)[0]).toContain('too large to be returned')
  })
})

test('a delay says until when, and returns the header', () => {
  const recipient = {
    action: 'delayed',
    finalRecipient: 'bob@two.test',
    status: '4.4.1',
    willRetryUntil: Date.UTC(2026, 11, 1),
  } as const
  const [text, status] = partsOf(whole({ recipients: [recipient], ret: 'FULL' }))
  expect(text).toContain('It will be tried until Tue, 1 Dec 2026 00:00:00 +0000.')
  expect(status).toContain('Will-Retry-Until: Tue, 1 Dec 2026 00:00:00 +0000')
  expect(status).not.toContain('Diagnostic-Code')
})

test.each([
  ['delayed', '4.4.3', 'The DNS does not say where the mail is to go.'],
  ['delayed', '4.7.5', 'The connection to the system over there could not be secured as it has to be.'],
  ['failed', '5.7.30', 'The message may only travel encrypted, and the system over there does not see to that.'],
  ['failed', '5.7.1', 'The system over there refuses the message for reasons of policy.'],
] as const)('%s with %s blamed a system that refused nothing, or was not even asked', (action, status, words) => {
  const [text] = partsOf(whole({ recipients: [{ action, finalRecipient: 'bob@two.test', status }] }))
  expect(text).toContain(`    ${words}`)
})

test('success and relayed say so; the worst decides the subject', () => {
  const recipient = (action: 'delivered' | 'relayed' | 'failed') => ({
    action,
    finalRecipient: `${action}@two.test`,
    status: action === 'failed' ? '5.2.2' : '2.0.0',
  })
  expect(whole({ recipients: [recipient('delivered')] }).toString()).toContain('Subject: Your mail was delivered\r\n')
  expect(whole({ recipients: [recipient('relayed')] }).toString()).toContain('Subject: Your mail was passed on\r\n')
  const mixed = whole({ recipients: [recipient('delivered'), recipient('relayed'), recipient('failed')] })
  expect(mixed.toString()).toContain('Subject: Undelivered mail')
  const [text, status] = partsOf(mixed)
  expect(text).toContain('The mailbox is full.')
  expect(status?.match(/^Action: \w+/gm)).toEqual(['Action: delivered', 'Action: relayed', 'Action: failed'])
})

describe('addresses that are not ASCII (RFC 6533)', () => {
  const recipients = [
    { action: 'failed', finalRecipient: 'jürgen@bücher.test', status: '5.6.7', diagnostic: '553 ü' },
  ] as const

  test('the global types', () => {
    const built = buildDsn({ ...report, recipients })
    expect(built.needsSmtpUtf8).toBe(false)
    const message = Buffer.concat([built.before, original, built.after])
    expect(types(message)).toEqual(['text/plain', 'message/global-delivery-status', 'message/global', 'text/plain'])
    expect(message.toString()).toContain('report-type=global-delivery-status')
    expect(partsOf(message)[1]).toContain('Final-Recipient: utf-8; jürgen@bücher.test\r\n')
    expect(types(whole({ recipients, ret: 'HDRS' })).at(-1)).toBe('message/global-headers')
  })

  test('SMTPUTF8 is needed when the sender is such an address', () => {
    expect(buildDsn({ ...report, to: 'jürgen@one.test' }).needsSmtpUtf8).toBe(true)
    expect(buildDsn(report).needsSmtpUtf8).toBe(false)
  })
})

test.each([
  ['message/global', 'Grüße', 'utf8'],
  ['message/rfc822', 'Gr\u00fc\u00dfe', 'latin1'],
] as const)('a header section in UTF-8 came back as message/rfc822, which has none: %s', (type, subject, encoding) => {
  const message = Buffer.from(`From: alice@one.test\r\nSubject: ${subject}\r\n\r\nHello\r\n`, encoding)
  const { header, size } = scan(message)
  const { before, needsSmtpUtf8 } = buildDsn({ ...report, original: { header, size, eightBitBody: false } })
  expect(before.toString()).toContain(`Content-Type: ${type}\r\n`)
  expect(before.toString()).toContain('Content-Type: message/delivery-status\r\n')
  expect(needsSmtpUtf8).toBe(false)
})
