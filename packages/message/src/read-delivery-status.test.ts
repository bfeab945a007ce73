import { describe, expect, test } from 'vitest'
import { buildDsn } from './dsn.ts'
import { readDeliveryStatus } from './read-delivery-status.ts'

describe('a delivery status', () => {
  // After RFC 3464 appendix E.1.
  const example = [
    'Reporting-MTA: dns; cs.utk.edu',
    '',
    'Original-Recipient: rfc822;louisl@larry.slip.umd.edu',
    'Final-Recipient: rfc822;louisl@larry.slip.umd.edu',
    'Action: failed',
    'Status: 4.0.0',
    'Diagnostic-Code: smtp; 426 connection timed out',
    'Last-Attempt-Date: Thu, 7 Jul 1994 17:15:49 -0400',
    '',
  ].join('\r\n')

  test('of RFC 3464', () => {
    expect(readDeliveryStatus(Buffer.from(example))).toEqual({
      reportingMta: 'cs.utk.edu',
      recipients: [
        {
          action: 'failed',
          status: '4.0.0',
          finalRecipient: 'louisl@larry.slip.umd.edu',
          originalRecipient: 'louisl@larry.slip.umd.edu',
          diagnostic: '426 connection timed out',
        },
      ],
    })
  })

  test('with bare line ends, folded fields, blank lines at its end and a recipient without address', () => {
    const text = 'reporting-mta: x\n\n\nfinal-recipient: RFC822;\n a@b.test\nACTION: Delayed\n\nAction: failed\n\n\n'
    expect(readDeliveryStatus(Buffer.from(text))?.recipients).toMatchObject([
      { finalRecipient: 'a@b.test', status: '' },
    ])
  })

  test('an address in angle brackets, as some agents write it, was nobody to whom anything had gone', () => {
    const text =
      'Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822;<a@b.test>\nOriginal-Recipient: rfc822; <c@d.test> \nAction: failed\n'
    expect(readDeliveryStatus(Buffer.from(text))?.recipients).toMatchObject([
      { finalRecipient: 'a@b.test', originalRecipient: 'c@d.test' },
    ])
  })

  test('our own is read back', () => {
    const dsn = buildDsn({
      reportingMta: 'mail.one.test',
      from: 'postmaster@one.test',
      to: 'alice@one.test',
      at: 0,
      arrivedAt: 0,
      messageId: 'x@one.test',
      boundary: 'b',
      envelopeId: 'Q1',
      recipients: [{ action: 'failed', finalRecipient: 'bob@two.test', status: '5.1.1', diagnostic: '550 5.1.1 who?' }],
      original: { header: Buffer.from('Subject: x\r\n\r\n'), size: 14, eightBitBody: false },
    })
    const text = dsn.before.toString()
    const start = text.indexOf('Original-Envelope-Id')
    expect(readDeliveryStatus(Buffer.from(text.slice(start, text.indexOf('--b', start))))).toMatchObject({
      recipients: [{ finalRecipient: 'bob@two.test', status: '5.1.1', diagnostic: '550 5.1.1 who?' }],
    })
  })

  test('octet by octet: a cut or changed one never throws', () => {
    for (let at = 0; at <= example.length; at++) {
      readDeliveryStatus(Buffer.from(example.slice(0, at)))
      readDeliveryStatus(Buffer.from(`${example.slice(0, at)}\u00ff\r\n\r\n${example.slice(at + 1)}`))
    }
  })
})
