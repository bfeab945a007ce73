import { fieldValue, formatMailbox, parseAddressList, parseHeader, quoteLocalPart } from '@pennypost/message'

/** What /usr/sbin/sendmail makes of the text that a program hands in, before it is submitted. */

/** Line ends become CRLF, an mbox line before the header goes; without `ignoreDots` a lone dot ends the message. */
export function normalizeInput(input: Buffer, ignoreDots: boolean): Buffer {
  let text = input
    .toString('latin1')
    .replace(/\r?\n/g, '\r\n')
    .replace(/^>?From .*\r\n/, '')
  if (!ignoreDots) {
    const dot = /(?:^|\r\n)\.\r\n/.exec(text)
    if (dot) text = text.slice(0, dot.index + (dot.index === 0 && text.startsWith('.') ? 0 : 2))
  }
  if (text !== '' && !text.endsWith('\r\n')) text += '\r\n'
  // A text without any header field is a body.
  return Buffer.from(/^(?:[!-9;-~]+[ \t]*:|\r\n)/.test(text) ? text : `\r\n${text}`, 'latin1')
}

/** Recipients that the header names: those of the Resent fields where there are some (RFC 5322 §3.6.6). */
export function headerRecipients(header: Buffer): string[] {
  const section = parseHeader(header)
  const isResent = section.fields.some(({ name }) => /^resent-(to|cc|bcc)$/.test(name))
  const wanted = isResent ? /^resent-(to|cc|bcc)$/ : /^(to|cc|bcc)$/
  return section.fields
    .filter(({ name }) => wanted.test(name))
    .flatMap((field) => addressesIn(fieldValue(section, field)))
}

/** Recipients that one argument names: an address, or as `sendmail` has always taken it, a list of them with commas. */
export function argumentRecipients(argument: string): string[] {
  const found = /[,<]/.test(argument) ? addressesIn(argument) : []
  // What is no list is refused as it was written.
  return found.length > 0 ? found : [argument]
}

/** The addresses of a list as forward-paths; local names stay without a domain. */
function addressesIn(list: string): string[] {
  return parseAddressList(list).flatMap(({ name = '', mailbox, host }) => {
    if (mailbox === undefined || host === undefined || name + mailbox + host === '') return []
    // Nobody's name may pass for a local one, whose mail would be somebody's.
    if (mailbox === '') return [`${name} <@${host}>`.trim()]
    return host === '' ? [mailbox] : [`${quoteLocalPart(mailbox)}@${host}`]
  })
}

/** The header section without Bcc, with a From where there was none. */
export function completeHeader(header: Buffer, from: { name: string; address: string }): Buffer {
  const { fields } = parseHeader(header)
  const kept: Buffer[] = []
  if (!fields.some(({ name }) => name === 'from')) {
    kept.push(Buffer.from(`From: ${from.name ? formatMailbox(from.name, from.address) : from.address}\r\n`))
  }
  let at = 0
  for (const { name, start, end } of fields) {
    if (name !== 'bcc' && name !== 'resent-bcc') continue
    kept.push(header.subarray(at, start))
    at = end
  }
  return Buffer.concat([...kept, header.subarray(at)])
}

/** Header section (with its empty line) and body. */
export function splitMessage(message: Buffer): { header: Buffer; body: Buffer } {
  if (message.subarray(0, 2).equals(Buffer.from('\r\n')))
    return { header: message.subarray(0, 2), body: message.subarray(2) }
  const end = message.indexOf('\r\n\r\n')
  const split = end < 0 ? message.length : end + 4
  return { header: message.subarray(0, split), body: message.subarray(split) }
}
