import { formatDate } from '@pennypost/message'
import { formatAddressLiteral, toAsciiPath } from '@pennypost/smtp'
import type { Session } from './session.ts'
import type { Transaction } from './transaction.ts'

/**
 * The Received field (RFC 5321 §4.4) that this hop sets before everything else. It names the client for mail from other
 * servers; for submissions it keeps the author's address to itself unless configured otherwise, and it never has `for`
 * when there are several recipients, since that would tell one of them of the others.
 * What it names is ASCII: else our own field would be what keeps the message from a host without SMTPUTF8.
 */
export function receivedField(session: Session, transaction: Transaction, now: number): string {
  const { options, connection } = session
  const hides = session.isSubmission && !options.receivedShowsClient
  const name = transaction.screening?.clientName
  const confirmed = name === undefined ? '' : `${helloWord(name)} `
  const from = hides ? '' : `from ${helloWord(session.hello)} (${confirmed}${clientLiteral(session)})\r\n\t`
  const [only, ...others] = transaction.recipients
  const named = only === undefined || others.length > 0 ? null : toAsciiPath(only.path.text)
  const forWhom = named === null || named.includes('>') ? '' : `\r\n\tfor <${named}>`
  const tls = connection.tls
  const how = tls ? `\r\n\t(${tls.protocol} ${tls.cipher})` : ''
  return (
    `Received: ${from}by ${options.hostname} (Pennypost) with ${protocolKeyword(session, transaction)}` +
    ` id ${transaction.journey}${how}${forWhom};\r\n\t${formatDate(now)}\r\n`
  )
}

/** The name that the client gave itself, with nothing in it that could end a word or begin a comment. */
function helloWord(hello = 'unknown'): string {
  return hello.replace(/[^!#-'*-:<-[\]-~]/g, '?')
}

/** An address literal; a Unix socket has no address, and of some clients their proxy knows none. */
function clientLiteral({ client: { address }, isOfUnknown }: Session): string {
  if (address === '') return isOfUnknown ? 'unknown' : 'local socket'
  return formatAddressLiteral(address)
}

/** RFC 3848 and RFC 6531 §4.3: what the mail came with. */
function protocolKeyword(session: Session, transaction: Transaction): string {
  const authenticated = session.account !== undefined && !session.trusted ? 'A' : ''
  const secure = session.secure ? 'S' : ''
  if (transaction.parameters.smtpUtf8) return `UTF8${session.isLmtp ? 'LMTP' : 'SMTP'}${secure}${authenticated}`
  if (session.isLmtp) return `LMTP${secure}${authenticated}`
  return session.extended ? `ESMTP${secure}${authenticated}` : 'SMTP'
}
