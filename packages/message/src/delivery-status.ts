import { isAscii } from 'node:buffer'
import { formatDate } from './date.ts'
import type { DsnRecipient, DsnReport } from './dsn.ts'
import { foldField } from './field-writer.ts'

/** The content of message/delivery-status (RFC 3464 §2) or message/global-delivery-status (RFC 6533 §4.2). */
export function deliveryStatus(report: DsnReport, international: boolean): string {
  const perMessage = [
    report.envelopeId === undefined
      ? ''
      : foldField('Original-Envelope-Id', printable(report.envelopeId, international)),
    foldField('Reporting-MTA', `dns; ${report.reportingMta}`),
    foldField('Arrival-Date', formatDate(report.arrivedAt, report.offsetMinutes ?? 0)),
  ].join('')
  return [perMessage, ...report.recipients.map((each) => recipientFields(each, report, international))].join('\r\n')
}

function recipientFields(recipient: DsnRecipient, report: DsnReport, international: boolean): string {
  const { originalRecipient, finalRecipient, remoteMta, diagnostic, lastAttemptAt, willRetryUntil } = recipient
  const date = (at: number) => formatDate(at, report.offsetMinutes ?? 0)
  return [
    originalRecipient
      ? foldField(
          'Original-Recipient',
          `${originalRecipient.type.toLowerCase()}; ${printable(originalRecipient.address, international)}`,
        )
      : '',
    foldField('Final-Recipient', `${addressType(finalRecipient)}; ${finalRecipient}`),
    foldField('Action', recipient.action),
    foldField('Status', recipient.status),
    remoteMta === undefined ? '' : foldField('Remote-MTA', `dns; ${remoteMta}`),
    diagnostic === undefined
      ? ''
      : foldField('Diagnostic-Code', `smtp; ${shortWords(printable(diagnostic, international))}`),
    lastAttemptAt === undefined ? '' : foldField('Last-Attempt-Date', date(lastAttemptAt)),
    willRetryUntil === undefined || recipient.action !== 'delayed'
      ? ''
      : foldField('Will-Retry-Until', date(willRetryUntil)),
  ].join('')
}

/** utf-8 is the type of RFC 6533 §3. */
const addressType = (address: string): string => (isAscii(Buffer.from(address)) ? 'rfc822' : 'utf-8')

/** Text of others: RFC 3464 knows only ASCII. */
const printable = (text: string, international: boolean): string =>
  international ? text : text.replace(/[^\x09\x20-\x7e]+/g, '?')

/** A word that a stranger made longer than a line may be (RFC 5322 §2.1.1) becomes several. */
const shortWords = (text: string): string => text.replace(/\S{200}(?=\S)/gu, '$& ')
