import { type Address, complete, parseAddressList } from './address.ts'
import { fieldValue, type HeaderSection, valuesOf } from './fields.ts'
import { nstring } from './imap-string.ts'

/** ENVELOPE (RFC 9051 §7.5.2) of a header section, and the values behind it. */
export interface EnvelopeFields {
  date: string | undefined
  /** White space runs as one space, encoded words undecoded. */
  subject: string | undefined
  from: readonly Address[]
  sender: readonly Address[]
  replyTo: readonly Address[]
  to: readonly Address[]
  cc: readonly Address[]
  bcc: readonly Address[]
  inReplyTo: string | undefined
  messageId: string | undefined
}

/** Of each field; an address of one letter takes thirty octets in the text, so that more would be an attack. */
const maxAddresses = 5000

const names = new Set(['date', 'subject', 'from', 'sender', 'reply-to', 'to', 'cc', 'bcc', 'in-reply-to', 'message-id'])

/**
 * Reads the fields. Of several Date, Subject, In-Reply-To, Message-ID the first counts; several address fields are one
 * list, so that no second From can hide from a reader of the ENVELOPE.
 */
export function envelopeFieldsOf(section: HeaderSection, charset = ''): EnvelopeFields {
  const values = new Map<string, string>()
  const addresses = new Map<string, Address[]>()
  for (const field of section.fields) {
    const name = field.name
    if (!names.has(name)) continue
    if (isText(name)) {
      if (!values.has(name)) values.set(name, fieldValue(section, field, charset))
      continue
    }
    const list = addresses.get(name) ?? []
    addresses.set(name, list)
    const room = maxAddresses - list.length
    if (room > 0) list.push(...parseAddressList(fieldValue(section, field, charset), room))
  }
  const of = (name: string): readonly Address[] => addresses.get(name) ?? []
  const from = of('from')
  const orFrom = (list: readonly Address[]) => (list.length > 0 ? list : from)
  return {
    date: values.get('date'),
    subject: values.get('subject')?.replace(/[ \t]+/g, ' '),
    from,
    sender: orFrom(of('sender')),
    replyTo: orFrom(of('reply-to')),
    to: of('to'),
    cc: of('cc'),
    bcc: of('bcc'),
    inReplyTo: values.get('in-reply-to'),
    messageId: values.get('message-id'),
  }
}

const isText = (name: string): boolean =>
  name === 'date' || name === 'subject' || name === 'in-reply-to' || name === 'message-id'

/** The text, ready to send. */
export function envelopeText(fields: EnvelopeFields): string {
  const from = addressList(fields.from)
  const sender = fields.sender === fields.from ? from : addressList(fields.sender)
  const replyTo = fields.replyTo === fields.from ? from : addressList(fields.replyTo)
  const others = `${addressList(fields.to)} ${addressList(fields.cc)} ${addressList(fields.bcc)}`
  const ids = `${nstring(fields.inReplyTo)} ${nstring(fields.messageId)}`
  return `(${nstring(fields.date)} ${nstring(fields.subject)} ${from} ${sender} ${replyTo} ${others} ${ids})`
}

/** The ENVELOPE of a header section. */
export function envelopeOf(section: HeaderSection): string {
  return envelopeText(envelopeFieldsOf(section))
}

function addressList(addresses: readonly Address[]): string {
  if (addresses.length === 0) return 'NIL'
  let text = '('
  for (const address of addresses) {
    const { name, route, mailbox, host } = complete(address)
    text += `(${nstring(name)} ${nstring(route)} ${nstring(mailbox)} ${nstring(host)})`
  }
  return `${text})`
}

/** All addresses of one field of a header (lower-case name), encoded words undecoded. */
export function addressesOf(section: HeaderSection, name: string): Address[] {
  return valuesOf(section, name).flatMap((value) => parseAddressList(value))
}
