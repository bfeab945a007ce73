/**
 * What a delivery status notification says (RFC 3464 §2, RFC 6533 §4.2): the fields of its message/delivery-status part.
 * Tolerant: what can not be read is left out, and a report that names no recipient is none.
 * Who calls it: reception, to lay bounces that come back beside the messages that they are about.
 */
import { parseHeader, valuesOf } from './fields.ts'

export interface DeliveryReport {
  /** The host that reports, without its type. */
  reportingMta: string
  recipients: readonly ReportedRecipient[]
}

export interface ReportedRecipient {
  action: (typeof actions)[number]
  /** RFC 3463 code; '' when there is none. */
  status: string
  finalRecipient: string
  /** '' when the reporter did not say. */
  originalRecipient: string
  diagnostic: string
}

const recipientsMax = 1000
const actions = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'] as const

/** Of the decoded part; undefined when it reports on nobody. */
export function readDeliveryStatus(content: Buffer): DeliveryReport | undefined {
  const [first = '', ...others] = content.toString('latin1').split(/(?:\r?\n){2,}/, recipientsMax + 1)
  const perMessage = fieldsIn(first)
  const recipients = others.flatMap((block): ReportedRecipient[] => {
    const field = fieldsIn(block)
    const action = actions.find((each) => each === field('action').toLowerCase())
    const finalRecipient = addressIn(field('final-recipient'))
    if (!action || finalRecipient === '') return []
    return [
      {
        action,
        finalRecipient,
        status: /^[245]\.\d{1,3}\.\d{1,3}/.exec(field('status'))?.[0] ?? '',
        originalRecipient: addressIn(field('original-recipient')),
        diagnostic: withoutType(field('diagnostic-code')).slice(0, 500),
      },
    ]
  })
  if (recipients.length === 0) return undefined
  return {
    reportingMta: withoutType(perMessage('reporting-mta')).slice(0, 255),
    recipients,
  }
}

function fieldsIn(block: string): (name: string) => string {
  const section = parseHeader(
    Buffer.from(`${block.replace(/^(?:\r?\n)+/, '').replace(/\r?\n/g, '\r\n')}\r\n\r\n`, 'latin1'),
  )
  return (name) =>
    (valuesOf(section, name)[0] ?? '')
      .replace(/\p{Cc}+/gu, ' ')
      .replace(/ +/g, ' ')
      .trim()
}

/** `rfc822; bob@two.test` → `bob@two.test`. */
function withoutType(value: string): string {
  return value.replace(/^[A-Za-z0-9-]+\s*;\s*/, '')
}

/** The address, also of who puts it in angle brackets. */
function addressIn(value: string): string {
  return withoutType(value).replace(/^<(.*)>$/, '$1')
}
