import { isAscii, isUtf8 } from 'node:buffer'
import { isAsciiText } from './charset.ts'
import { formatDate } from './date.ts'
import { deliveryStatus } from './delivery-status.ts'
import { explain, leadingAction } from './dsn-text.ts'
import { foldField, formatMailbox, textField } from './field-writer.ts'
import { decodedValue, type HeaderSection, parseHeader } from './fields.ts'
import { encodeQuotedPrintable } from './transfer-encoding.ts'

/**
 * Delivery status notifications (RFC 3461, 3462 → 6522, 3464; RFC 6533 where an address is not ASCII): a text that a
 * person understands, the status for programs, and the message or its header. Pure: time, ids and the boundary are
 * given. Called by the relay. Never for the null reverse-path; that is the caller's.
 */

/** RFC 3464 §2.3.3 knows `expanded` too, which is for mailing lists. */
export type DsnAction = 'failed' | 'delayed' | 'delivered' | 'relayed'

export interface DsnRecipient {
  action: DsnAction
  /** The forwardPath without angle brackets. */
  finalRecipient: string
  /** ORCPT, decoded (RFC 3461 §4.2). */
  originalRecipient?: { type: string; address: string }
  /** RFC 3463, such as `5.1.1`. */
  status: string
  /** The host that said so. */
  remoteMta?: string
  /** Its reply as one text, such as `550 5.1.1 No such user`. */
  diagnostic?: string
  lastAttemptAt?: number
  /** For `delayed`: until when it will be tried. */
  willRetryUntil?: number
}

export interface DsnReport {
  /** Our hostname. */
  reportingMta: string
  /** The address that the DSN is from: postmaster@ the domain of its subject. */
  from: string
  /** The reversePath of the message. */
  to: string
  at: number
  /** Of the DSN, without angle brackets. */
  messageId: string
  /** At most 60 characters out of letters, digits, `.` and `-` that occur in no line of the message. */
  boundary: string
  arrivedAt: number
  /** ENVID, decoded. */
  envelopeId?: string
  recipients: readonly DsnRecipient[]
  original: {
    /** Its header section as rendered for a next hop. */
    header: Buffer
    /** Octets of header and body. */
    size: number
    eightBitBody: boolean
  }
  /** RET; absent means that a failure returns the message, everything else its header (RFC 3461 §4.3). */
  ret?: 'FULL' | 'HDRS'
  /** Larger messages are not returned whole. Octets; 1 MB unless given. */
  maxReturned?: number
}

export interface Dsn {
  /** The message up to the original: or all of it, when `returns` is `headers`. */
  before: Buffer
  returns: 'message' | 'headers'
  /** What follows the original's octets; empty when `returns` is `headers`. */
  after: Buffer
  /** It can only go to a next hop with SMTPUTF8. */
  needsSmtpUtf8: boolean
}

const defaultMaxReturned = 1024 * 1024

/** Builds a DSN. With `returns: 'message'` the original's octets, header and body, go between `before` and `after`. */
export function buildDsn(report: DsnReport): Dsn {
  const { original, recipients, boundary } = report
  const failed = recipients.some(({ action }) => action === 'failed')
  const tooLarge = original.size > (report.maxReturned ?? defaultMaxReturned)
  const wanted = failed && report.ret !== 'HDRS'
  const returns = wanted && !tooLarge ? 'message' : 'headers'
  const section = parseHeader(original.header)
  const international = isInternational(report)
  const status = deliveryStatus(report, international)
  const header = returns === 'headers' ? withoutEmptyLine(original.header, section) : Buffer.alloc(0)
  const text = explain(report, subjectOf(section), wanted && tooLarge)
  const head = [
    dsnHeader(report, section, international),
    '\r\nThis is a delivery status notification in MIME format.\r\n\r\n',
    `--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Description: Notification\r\n`,
    `Content-Transfer-Encoding: quoted-printable\r\n\r\n${encodeQuotedPrintable(Buffer.from(text))}\r\n`,
    `--${boundary}\r\nContent-Type: message/${international ? 'global-' : ''}delivery-status\r\n`,
    `Content-Description: Delivery report\r\n${encodingField(status)}\r\n${status}\r\n`,
    `--${boundary}\r\n${originalPartHeader(returns, international, original)}\r\n`,
  ]
  const end = `\r\n--${boundary}--\r\n`
  const before = Buffer.concat([Buffer.from(head.join('')), header, Buffer.from(returns === 'headers' ? end : '')])
  return {
    before,
    returns,
    after: Buffer.from(returns === 'message' ? end : ''),
    needsSmtpUtf8: !isAsciiText(report.to + report.from),
  }
}

function dsnHeader(report: DsnReport, section: HeaderSection, international: boolean): string {
  const id = section.fields.find(({ name }) => name === 'message-id')
  const originalId = id ? /<[^<>\s]{1,900}>/.exec(section.text.slice(id.valueStart, id.end))?.[0] : undefined
  return [
    foldField('From', formatMailbox('Mail Delivery System', report.from)),
    foldField('To', `<${report.to}>`),
    textField('Subject', subjects[leadingAction(report)]),
    foldField('Date', formatDate(report.at)),
    foldField('Message-ID', `<${report.messageId}>`),
    originalId && isAsciiText(originalId) ? foldField('References', originalId) : '',
    'Auto-Submitted: auto-replied\r\n',
    'MIME-Version: 1.0\r\n',
    `Content-Type: multipart/report; report-type=${international ? 'global-' : ''}delivery-status;\r\n`,
    ` boundary="${report.boundary}"\r\n`,
  ].join('')
}

const subjects: Record<DsnAction, string> = {
  failed: 'Undelivered mail returned to sender',
  delayed: 'Delayed mail (it is still being tried)',
  delivered: 'Your mail was delivered',
  relayed: 'Your mail was passed on',
}

/** RFC 6533 §4: its media types are for addresses that are not ASCII. */
function isInternational({ to, recipients }: DsnReport): boolean {
  const addresses = recipients.flatMap((each) => [each.finalRecipient, each.originalRecipient?.address ?? ''])
  return !isAsciiText([to, ...addresses].join(''))
}

const encodingField = (content: string): string => (isAsciiText(content) ? '' : 'Content-Transfer-Encoding: 8bit\r\n')

/** Whether what is returned of the original has octets above 127. */
const isEightBit = (returns: Dsn['returns'], { header, eightBitBody }: DsnReport['original']): boolean =>
  !isAscii(header) || (returns === 'message' && eightBitBody)

const originalParts = {
  message: { ascii: 'message/rfc822', international: 'message/global', description: 'Undelivered message' },
  headers: {
    ascii: 'text/rfc822-headers',
    international: 'message/global-headers',
    description: 'Header of the message',
  },
} as const

function originalPartHeader(returns: Dsn['returns'], international: boolean, original: DsnReport['original']): string {
  const { description, ...types } = originalParts[returns]
  // RFC 6532 §3.7: a header section in UTF-8 makes it message/global, whatever the addresses of the envelope are.
  const isGlobal = international || (!isAscii(original.header) && isUtf8(original.header))
  const type = isGlobal ? types.international : types.ascii
  const encoding = isEightBit(returns, original) ? 'Content-Transfer-Encoding: 8bit\r\n' : ''
  return `Content-Type: ${type}\r\nContent-Description: ${description}\r\n${encoding}`
}

function withoutEmptyLine(header: Buffer, { fields: all }: HeaderSection): Buffer {
  const end = all.at(-1)?.end ?? 0
  const fields = header.subarray(0, end)
  return end > 0 && header[end - 1] !== 10 ? Buffer.concat([fields, Buffer.from('\r\n')]) : fields
}

function subjectOf(section: HeaderSection): string | undefined {
  const field = section.fields.find(({ name }) => name === 'subject')
  return field && decodedValue(section, field)
}
