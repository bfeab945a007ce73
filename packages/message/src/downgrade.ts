import { isAscii, isUtf8 } from 'node:buffer'
import { domainToASCII } from 'node:url'
import { type Address, complete, parseAddressList, quoteLocalPart } from './address.ts'
import { isAsciiText } from './charset.ts'
import { decodeWords, encodeWords } from './encoded-words.ts'
import { foldField, phraseText, quotedString } from './field-writer.ts'
import { type Field, fieldValue, type HeaderSection, parseHeader } from './fields.ts'
import { extendedValue, type Parameter, parameterOf, parseParameterized } from './parameters.ts'

/**
 * Header sections in UTF-8 for readers that know only ASCII (RFC 6858): addresses become surrogates that lead nowhere,
 * text becomes encoded words, parameters RFC 2231, and what cannot be said is left out. Fields that are no UTF-8 are
 * none of RFC 6532 either and stay as they are. Body parts are not touched, so that offsets hold.
 */

const surrogate = { mailbox: 'invalid', host: 'internationalized-address.invalid' } as const

/** Text of a header field in ASCII. Encoded words in what is ASCII already stay: encoded again, they would be read as signs. */
export const downgradeText = (text: string): string => (isAsciiText(text) ? text : encodeWords(decodeWords(text)))

/** An address as a reader without UTF-8 sees it (RFC 6858 §3.1). A domain alone is said as A-label, and still works. */
export function downgradeAddress(address: Address): Address {
  const { name, mailbox, host } = complete(address)
  if (mailbox === undefined) return address
  if (host === undefined) return { mailbox: downgradeText(mailbox) }
  if (isAsciiText(mailbox)) {
    const label = isAsciiText(host) ? host : domainToASCII(host)
    if (label !== '') {
      const route = address.route !== undefined && isAsciiText(address.route) ? address.route : undefined
      return { name: name === undefined ? name : downgradeText(name), route, mailbox, host: label }
    }
  }
  return { name: downgradeText(name ?? `${mailbox}@${host}`), ...surrogate }
}

/** Parameters in ASCII: `name*=utf-8''…` (RFC 2231 §4) for a value that is not. */
export function downgradeParameters(parameters: readonly Parameter[]): Parameter[] {
  const kept: Parameter[] = []
  for (const [name, value] of parameters) {
    if (!isAsciiText(name)) continue
    if (isAsciiText(value)) kept.push([name, value])
    else if (!name.endsWith('*') && !hasAscii(parameters, `${name}*`)) kept.push([`${name}*`, extendedValue(value)])
  }
  return kept
}

/** Many agents write a file name in both forms. */
function hasAscii(parameters: readonly Parameter[], name: string): boolean {
  const value = parameterOf(parameters, name.toLowerCase())
  return value !== undefined && isAsciiText(value)
}

const addressFields = /^(resent-)?(from|sender|reply-to|to|cc|bcc)$/
const textFields = /^(subject|comments|keywords|organization|content-description|thread-topic|x-.*)$/

/** Octets of fields that are put in ASCII; none of a letter that people write is so long, and each takes its time. */
const mostOctets = 64 * 1024

/** A header section in ASCII; the same buffer when it is so already. A field that goes beyond `mostOctets` is left out. */
export function downgradeHeader(header: Buffer): Buffer {
  if (isAscii(header)) return header
  const section = parseHeader(header)
  const pieces: Buffer[] = []
  let last = 0
  let room = mostOctets
  for (const field of section.fields) {
    const octets = header.subarray(field.start, field.end)
    last = field.end
    if (isAscii(octets) || !isUtf8(octets)) pieces.push(octets)
    else if (octets.length <= room) {
      room -= octets.length
      pieces.push(Buffer.from(downgradeField(section, field), 'latin1'))
    }
  }
  pieces.push(header.subarray(last))
  return Buffer.concat(pieces)
}

/** '' for a field that is left out (RFC 6858 §3.4). */
function downgradeField(section: HeaderSection, field: Field): string {
  const value = fieldValue(section, field)
  const name = section.text.slice(field.start, field.valueStart - 1).trimEnd()
  if (addressFields.test(field.name))
    return foldField(name, addressListText(parseAddressList(value).map(downgradeAddress)))
  if (textFields.test(field.name)) return foldField(name, downgradeText(value))
  if (field.name === 'content-type' || field.name === 'content-disposition') {
    const parsed = parseParameterized(value)
    if (!isAsciiText(parsed.value)) return ''
    return foldField(name, [parsed.value, ...downgradeParameters(parsed.parameters).map(parameterText)].join('; '))
  }
  return ''
}

const parameterText = ([name, value]: Parameter): string =>
  /^[A-Za-z0-9!#$%&'*+.^_`{|}~-]+$/.test(value) ? `${name}=${value}` : `${name}=${quotedString(value)}`

/** An address list as it is written in a header, of addresses whose names are ASCII. */
function addressListText(addresses: readonly Address[]): string {
  let text = ''
  let separator = ''
  for (const { name, mailbox, host } of addresses) {
    if (mailbox === undefined) {
      text += ';'
      separator = ', '
    } else if (host === undefined) {
      text += `${separator}${phraseText(mailbox)}: `
      separator = ''
    } else {
      const address = `${quoteLocalPart(mailbox)}@${host}`
      text += `${separator}${name === undefined ? address : `${phraseText(name)} <${address}>`}`
      separator = ', '
    }
  }
  return text
}
