import { isIP } from 'node:net'
import { isAsciiText } from './charset.ts'
import { formatDate } from './date.ts'
import type { DsnRecipient, DsnReport } from './dsn.ts'
import { foldField } from './field-writer.ts'

/** The content of message/delivery-status (RFC 3464 §2) or message/global-delivery-status (RFC 6533 §4.2). */
export function deliveryStatus(report: DsnReport, international: boolean): string {
  const shown = (text: string) => (international ? text : printable(text))
  const perMessage = [
    field('Original-Envelope-Id', report.envelopeId, shown),
    foldField('Reporting-MTA', `dns; ${report.reportingMta}`),
    foldField('Arrival-Date', formatDate(report.arrivedAt)),
  ]
  const ofRecipient = (recipient: DsnRecipient): string[] => [
    field('Original-Recipient', recipient.originalRecipient, ({ type, address }) => {
      return `${type.toLowerCase()}; ${shown(address)}`
    }),
    foldField('Final-Recipient', `${addressType(recipient.finalRecipient)}; ${recipient.finalRecipient}`),
    foldField('Action', recipient.action),
    foldField('Status', recipient.status),
    field('Remote-MTA', recipient.remoteMta, (host) => `dns; ${hostName(host)}`),
    field('Diagnostic-Code', recipient.diagnostic, (said) => `smtp; ${shortWords(shown(said))}`),
    field('Last-Attempt-Date', recipient.lastAttemptAt, formatDate),
    field('Will-Retry-Until', recipient.action === 'delayed' ? recipient.willRetryUntil : undefined, formatDate),
  ]
  return [perMessage, ...report.recipients.map(ofRecipient)].map((fields) => fields.join('')).join('\r\n')
}

/** A host without a name is a domain literal (RFC 5321 §4.1.3). */
function hostName(host: string): string {
  const version = isIP(host)
  return version === 0 ? host : version === 6 ? `[IPv6:${host}]` : `[${host}]`
}

/** '' for what is not known. */
function field<Value>(name: string, value: Value | undefined, print: (value: Value) => string): string {
  return value === undefined ? '' : foldField(name, print(value))
}

/** utf-8 is the type of RFC 6533 §3. */
const addressType = (address: string): string => (isAsciiText(address) ? 'rfc822' : 'utf-8')

/** Text of others: RFC 3464 knows only ASCII. */
const printable = (text: string): string => text.replace(/[^\x09\x20-\x7e]+/g, '?')

/** A word that a stranger made longer than a line may be (RFC 5322 §2.1.1) becomes several. */
const shortWords = (text: string): string => text.replace(/\S{200}(?=\S)/gu, '$& ')
