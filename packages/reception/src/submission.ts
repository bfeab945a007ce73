import { type DeliveryPlan, sentNotes, wantOfRoom } from '@pennypost/mda'
import {
  type Address,
  addressesOf,
  type Field,
  fieldValue,
  foldField,
  formatDate,
  formatMailbox,
  type HeaderSection,
  mailboxesOf,
  parseAddressList,
} from '@pennypost/message'
import { type Account, lookupDomain, type MemoryNote } from '@pennypost/model'
import { type Mailbox, parseMailbox, type Reply, replies, reply, withText } from '@pennypost/smtp'
import { correspondentNotes } from './checks/greylist.ts'
import type { Session } from './session.ts'
import type { Transaction } from './transaction.ts'

/**
 * What is done only for mail that its author hands in (RFC 6409 §6, §8): may this account use these addresses, and
 * what of Date, Message-ID and Bcc has to be put right. Mail from other servers is never changed here.
 */

/** What is remembered of a submitted message: who of us has sent, and with greylisting, to whom. */
export function submittedNotes(
  { options, account, quota }: Session,
  { reversePath, recipients }: Transaction,
  plan: DeliveryPlan,
  now: number,
): MemoryNote[] {
  const counted = (account && quota?.notes(account, recipients.length, now)) ?? []
  const sent = [...sentNotes(reversePath, now), ...counted]
  const greylist = options.checks?.greylist
  if (!greylist) return sent
  const outside = plan.relays.map(({ relay }) => relay.forwardPath)
  return [...sent, ...correspondentNotes(outside, greylist, now)]
}

/** Whether the logged-in account may use the address as reverse-path. */
export function maySendAs(session: Session, path: Mailbox): Promise<boolean> {
  if (!session.account) return Promise.resolve(false)
  return session.options.mda.maySend(session.account, path)
}

/** Who keeps a copy in Sent needs room for it, as for any mail, and hears so before sending. */
export async function refuseCopy({ options }: Session, { id, copySent }: Account, size: number) {
  const { directory } = options.store
  // The session's own account is as it was at the login.
  const account = copySent ? await directory.account(id) : undefined
  if (!account || !(await wantOfRoom(directory, account, size))) return undefined
  return reply(552, '5.2.2', 'Your mailbox is full, there is no room for the copy in Sent')
}

/**
 * Each author must be an address that the account may use: the latest Resent-From where the mail was resent (RFC 5322
 * §3.6.6), else From. Gives the refusal that names the first other one; a message without author is refused too.
 */
export async function refuseAuthors(
  session: Session,
  transaction: Transaction,
  section: HeaderSection,
): Promise<Reply | undefined> {
  if (authorOctets(section) > maxAuthorOctets) return reply(554, '5.6.0', 'The From field is too long')
  // Such a From is completed, and the reverse-path was allowed at MAIL.
  if (namesNobody(transaction, section)) return undefined
  const authors = mailboxesOf(authorEntries(section))
  if (authors.length > maxAuthors) return reply(554, '5.6.0', `From has more than ${maxAuthors} addresses`)
  // Nobody resends a bounce, and behind a Resent-From any From would pass.
  if (!has(section, 'resent-from') && isBounceToUs(transaction, authors)) return undefined
  if (authors.length === 0) return reply(554, '5.6.0', 'The From field has no address')
  for (const author of authors) {
    const mailbox = parseMailbox(author, { smtpUtf8: true })
    if (typeof mailbox === 'string') return withText(replies.senderNotAllowed, `From has no valid address: ${author}`)
    if (!(await maySendAs(session, mailbox))) {
      return withText(replies.senderNotAllowed, `${session.account?.login} may not send as ${author}`)
    }
  }
  return undefined
}

/**
 * What the mail system of a machine bounces that sends by us: from its mailer daemon, for which dma names no address. Where
 * it stays in our mailboxes it is no more than strangers may bring.
 */
function isBounceToUs({ reversePath, recipients }: Transaction, authors: readonly string[]): boolean {
  return (
    reversePath === '' &&
    authors.every((author) => /^mailer-daemon@/i.test(author)) &&
    recipients.every(({ expansion }) => expansion.deliveries.every(({ kind }) => kind === 'file'))
  )
}

/** Each is looked up. */
const maxAuthors = 100
/** All of them are read several times: a megabyte of quotation marks for a second. */
const maxAuthorOctets = 64 * 1024

function authorOctets({ fields }: HeaderSection): number {
  let octets = 0
  for (const { name, start, end } of fields) if (name === 'from' || name === 'resent-from') octets += end - start
  return octets
}

function authorEntries(section: HeaderSection): Address[] {
  const resent = section.fields.find((field) => field.name === 'resent-from')
  if (!resent) return fromEntries(section)
  // Each resending sets its fields above those before it: the first is the latest.
  return parseAddressList(fieldValue(section, resent))
}

const fromEntries = (section: HeaderSection): Address[] => addressesOf(section, 'from')

/**
 * A-label of the domain whose DKIM key signs: the first author's, and the resender's of what is resent, since nobody has
 * asked whether its From is theirs to use.
 */
export function signingDomain(session: Session, transaction: Transaction, section: HeaderSection): string | undefined {
  const author = namesNobody(transaction, section)
    ? sender(session, transaction)
    : mailboxesOf(authorEntries(section))[0]
  return author === undefined ? undefined : lookupDomain(author.slice(author.lastIndexOf('@') + 1))
}

/** What a submitted message gets before it goes on. */
interface Completion {
  fields: string
  /** Fields of the message in whose place they stand. */
  replaced: Field[]
}

/**
 * Date and Message-ID fields that the author's program left out or empty (RFC 6409 §8.2, §8.3), and the From that small
 * scripts forget, or that has a name alone, as cron's: without these, others would refuse the message.
 */
export function completion(
  session: Session,
  transaction: Transaction,
  section: HeaderSection,
  now: number,
): Completion {
  const fields = new Map<string, string>()
  if (!says(section, 'date')) fields.set('date', `Date: ${formatDate(now)}\r\n`)
  if (!says(section, 'message-id')) {
    fields.set('message-id', `Message-ID: <${transaction.journey}@${session.options.hostname}>\r\n`)
  }
  if (namesNobody(transaction, section)) {
    fields.set('from', foldField('From', formatMailbox(nameOf(section), sender(session, transaction))))
  }
  const replaced = section.fields.filter(({ name }) => fields.has(name))
  return { fields: [...fields.values()].join(''), replaced }
}

/** No From, or none with an address; what is resent, and the bounces of a machine, stay as they are. */
function namesNobody({ reversePath }: Transaction, section: HeaderSection): boolean {
  if (has(section, 'resent-from')) return false
  return !has(section, 'from') || (reversePath !== '' && mailboxesOf(fromEntries(section)).length === 0)
}

/** What a From without an address calls its author. */
function nameOf(section: HeaderSection): string {
  const [{ name, mailbox, host } = {}] = fromEntries(section)
  return name ?? (host === undefined ? '' : (mailbox ?? ''))
}

const has = (section: HeaderSection, name: string): boolean => section.fields.some((field) => field.name === name)

const says = (section: HeaderSection, name: string): boolean =>
  section.fields.some((field) => field.name === name && fieldValue(section, field).trim() !== '')

/** Who hands the message in, as the envelope says, or else as the login does. */
function sender({ account }: Session, { reversePath }: Transaction): string {
  return reversePath || (account?.login ?? '')
}
