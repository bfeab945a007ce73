import type { SearchText } from '@pennypost/model'
import { parseAddressList } from './address.ts'
import { decodeCharset } from './charset.ts'
import { decodeWords } from './encoded-words.ts'
import { fieldValue, type HeaderSection, parseHeader } from './fields.ts'
import { foldText } from './fold.ts'
import { decodedValue } from './header-edit.ts'
import { htmlSearchText } from './html-text.ts'
import { mimeFieldsOf } from './mime-fields.ts'
import { decodedParameter } from './parameters.ts'
import { allParts, type PartInfo } from './parts.ts'
import { plainText } from './quick-no.ts'
import { decodeTransfer } from './transfer-encoding.ts'

/** The decoded text of a text part; `octets` are its body as it stands in the message. HTML is given as it is read, with its links. */
export function partText(part: Pick<PartInfo, 'subtype' | 'charset' | 'encoding'>, octets: Buffer): string {
  const text = decodeCharset(decodeTransfer(octets, part.encoding) ?? octets, part.charset)
  return part.subtype === 'html' ? htmlSearchText(text) : text
}

/**
 * What SEARCH looks into (RFC 9051 §6.4.4): decoded header values, the text of text parts, the headers of messages
 * inside, and the names of attachments; everything folded, so that a folded needle is a plain substring.
 */
export const searchText: SearchText = {
  fold: foldText,
  plain: plainText,

  headerText: (header) => foldText(decodedHeader(parseHeader(header))),

  *bodyTexts(parts, body) {
    for (const part of allParts(parts)) {
      if (part.kind === 'text') yield foldText(partText(part, body.subarray(part.body.start, part.body.end)))
      if (part.header) yield foldText(decodedHeader(parseHeader(body.subarray(part.header.start, part.header.end))))
      if (part.mime) {
        const name = nameOf(body.subarray(part.mime.start, part.mime.end))
        if (name !== '') yield foldText(name)
      }
    }
  },
}

/** A line for each field. Encoded words may bring line ends, which would end the line. */
function decodedHeader(section: HeaderSection): string {
  let text = ''
  for (const field of section.fields) {
    if (field.name === '') continue
    const value = decodedValue(section, field)
    const oneLine = value.includes('\n') ? value.replace(/[\r\n]+/g, ' ') : value
    text += `${field.name}: ${oneLine}\n`
    if (addressFields.has(field.name) && oddlyWritten.test(value)) {
      text += `${field.name}: ${decodeWords(plainAddresses(fieldValue(section, field)))}\n`
    }
  }
  return text
}

const addressFields = new Set(['from', 'sender', 'reply-to', 'to', 'cc', 'bcc'])
/** Comments, escapes, and space where an address has none. */
const oddlyWritten = /[(\\]|\s[@.>]|[@.<]\s/

/** As the ENVELOPE has them, since that is what SEARCH FROM and its kin look into (RFC 9051 §6.4.4). */
function plainAddresses(value: string): string {
  return parseAddressList(value)
    .map(({ name = '', mailbox = '', host = '' }) => `${name} <${mailbox}@${host}>`)
    .join(', ')
}

/** File name and description of a part. */
function nameOf(mimeHeader: Buffer): string {
  const { parameters, dispositionParameters, description } = mimeFieldsOf(parseHeader(mimeHeader), {
    inDigest: false,
    isPart: true,
  })
  const name = decodedParameter(dispositionParameters, 'filename') ?? decodedParameter(parameters, 'name')
  const pieces = [name, description === undefined ? undefined : decodeWords(description)]
  return pieces.filter((piece) => piece !== undefined).join('\n')
}
