import { formatDate } from './date.ts'
import type { DsnAction, DsnRecipient, DsnReport } from './dsn.ts'

/** What a DSN tells a person: what happened, to whom, why, and what to do. Lines end with CRLF. */
export function explain(report: DsnReport, subject: string | undefined, tooLargeToReturn: boolean): string {
  const lines = [
    `This is the mail system at ${report.reportingMta}.`,
    '',
    subject ? `Your message "${shorten(subject)}"` : 'Your message',
    `of ${formatDate(report.arrivedAt)}`,
    ...openings[leadingAction(report)],
  ]
  for (const recipient of report.recipients) lines.push('', ...aboutRecipient(recipient, report))
  lines.push('', 'The details for programs are in the next part, then your message or its header.')
  if (tooLargeToReturn) lines.push('The message is too large to be returned: only its header is attached.')
  return `${lines.map(onOneLine).join('\r\n')}\r\n`
}

/** Subjects, addresses and replies are the words of others: none of them may begin a line that reads as ours. */
const onOneLine = (line: string): string => line.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, ' ')

/** The worst of all decides the subject. */
export function leadingAction({ recipients }: Pick<DsnReport, 'recipients'>): DsnAction {
  const order: readonly DsnAction[] = ['failed', 'delayed', 'relayed', 'delivered']
  return order.find((action) => recipients.some((recipient) => recipient.action === action)) ?? 'failed'
}

const shorten = (subject: string): string =>
  subject.length > 60 ? `${subject.slice(0, 57).toWellFormed()}...` : subject

const openings: Record<DsnAction, readonly string[]> = {
  failed: ['could not be delivered to everyone. It will not be tried again for:'],
  delayed: ['is delayed. You need not send it again: it is still being tried for:'],
  delivered: ['was delivered to:'],
  relayed: ['was passed on to a system that sends no notice of delivery, for:'],
}

function aboutRecipient(recipient: DsnRecipient, report: DsnReport): string[] {
  const { finalRecipient, originalRecipient, remoteMta, diagnostic, willRetryUntil, action, status } = recipient
  const lines = [`  ${finalRecipient}`]
  if (originalRecipient && originalRecipient.address.toLowerCase() !== finalRecipient.toLowerCase()) {
    lines.push(`    (you wrote to ${originalRecipient.address})`)
  }
  if (action !== leadingAction(report)) lines.push(`    ${outcomes[action]}`)
  if (action === 'failed' || action === 'delayed') lines.push(`    ${reasonFor(status)}`)
  if (diagnostic !== undefined) {
    lines.push(remoteMta === undefined ? `    The reason given: ${diagnostic}` : `    ${remoteMta} said: ${diagnostic}`)
  }
  if (action === 'delayed' && willRetryUntil !== undefined) {
    lines.push(`    It will be tried until ${formatDate(willRetryUntil)}.`)
  }
  return lines
}

const outcomes: Record<DsnAction, string> = {
  failed: 'Could not be delivered.',
  delayed: 'Delayed; it is still being tried.',
  delivered: 'Delivered.',
  relayed: 'Passed on to a system that sends no notice of delivery.',
}

/** RFC 3463 §3 in plain words; the most exact that is known. */
function reasonFor(status: string): string {
  const [, subject = '0', detail = '0'] = status.split('.')
  return reasons[`${subject}.${detail}`] ?? reasons[subject] ?? 'No reason is known.'
}

const reasons: Record<string, string> = {
  '1': 'There is something wrong with the address.',
  '1.1': 'There is no such mailbox. Please check the address.',
  '1.2': 'There is no such mail domain. Please check what stands behind the @.',
  '1.3': 'The address is not written as an address must be.',
  '1.6': 'The mailbox has moved, and nobody said where to.',
  '1.10': 'That domain receives no mail.',
  '2': 'There is something wrong with the mailbox.',
  '2.1': 'The mailbox is closed.',
  '2.2': 'The mailbox is full.',
  '2.3': 'The message is larger than that mailbox takes.',
  '3': 'The mail system over there has trouble.',
  '3.4': 'The message is larger than the system over there takes.',
  '4': 'The system over there could not be reached, or did not answer.',
  '4.3': 'The DNS does not say where the mail is to go.',
  '4.4': 'No way to that domain could be found.',
  '4.6': 'The message went in a circle.',
  '4.7': 'It could not be delivered in time.',
  '5': 'The systems did not understand each other.',
  '5.3': 'The message has too many recipients for the system over there.',
  '6': 'The system over there cannot take that kind of message.',
  '6.7': 'The system over there cannot take addresses in that writing.',
  '6.9': 'The system over there cannot take names and subjects in that writing.',
  '7': 'The system over there refuses the message for reasons of policy.',
  '7.1': 'The system over there refuses the message for reasons of policy.',
  '7.5': 'The connection to the system over there could not be secured as it has to be.',
  '7.30': 'The message may only travel encrypted, and the system over there does not see to that.',
}
