import type { BodyOctets, SearchText } from '@pennypost/model'
import { parseAddressList } from './address.ts'
import { decodeCharset, decodeCharsetPieces } from './charset.ts'
import { decodeWords } from './encoded-words.ts'
import { decodedValue, fieldValue, type HeaderSection, parseHeader } from './fields.ts'
import { foldPieces, foldText } from './fold.ts'
import { htmlSearchPieces, htmlSearchText } from './html-text.ts'
import { mimeFieldsOf } from './mime-fields.ts'
import { decodedParameter } from './parameters.ts'
import { allParts, type PartInfo, type Range } from './parts.ts'
import { plainText } from './plain-text.ts'
import { createTransferDecoder } from './transfer-decoder.ts'
import { decodeTransfer } from './transfer-encoding.ts'

/** The decoded text of a text part; `octets` are its body as it stands in the message. HTML is given as it is read, with its links. */
export function partText(part: Pick<PartInfo, 'subtype' | 'charset' | 'encoding'>, octets: Buffer): string {
  const text = decodeCharset(decodeTransfer(octets, part.encoding) ?? octets, part.charset)
  return part.subtype === 'html' ? htmlSearchText(text) : text
}

/**
 * What SEARCH looks into (RFC 9051 §6.4.4): decoded header values, the text of text parts, the headers of messages
 * inside, and the names of attachments; everything folded, so that a folded needle is a plain substring.
 *
 * @param mostAtOnce octets of a part; the text of a larger one is given in pieces
 * @param pieceOctets that are read for a piece: few, so that what is made of them is gone before it leaves the young heap
 */
export function searchTextIn(mostAtOnce: number, pieceOctets: number): SearchText {
  return {
    fold: foldText,
    plain: plainText,

    headerText: (header) => foldText(decodedHeader(parseHeader(header))),

    *bodyTexts(parts, body) {
      for (const part of allParts(parts)) {
        if (part.kind === 'text' && part.body.end - part.body.start > mostAtOnce)
          yield textPieces(part, body, pieceOctets)
        else if (part.kind === 'text') yield [foldText(partText(part, octetsOf(body, part.body)))]
        if (part.header) yield [foldText(decodedHeader(parseHeader(octetsOf(body, part.header))))]
        const name = part.mime ? nameOf(octetsOf(body, part.mime)) : ''
        if (name !== '') yield [foldText(name)]
      }
    },
  }
}

export const searchText: SearchText = searchTextIn(1_000_000, 64 * 1024)

const octetsOf = (body: BodyOctets, { start, end }: Range): Buffer => body.subarray(start, end)

function textPieces(part: PartInfo, body: BodyOctets, pieceOctets: number): Iterable<string> {
  const text = () => decodeCharsetPieces(() => decodedPieces(part, body, pieceOctets), part.charset)
  return foldPieces(part.subtype === 'html' ? htmlSearchPieces(text) : text())
}

function* decodedPieces(part: PartInfo, body: BodyOctets, pieceOctets: number): Generator<Buffer> {
  const decoder = createTransferDecoder(part.encoding)
  for (let start = part.body.start; start < part.body.end; start += pieceOctets) {
    yield decoder.push(octetsOf(body, { start, end: Math.min(start + pieceOctets, part.body.end) }))
  }
  yield decoder.finish()
}

/**
 * A line for each field. Encoded words may bring line ends, which would end the line; a tab, with which many fold lines, is
 * the space that it stands for.
 */
function decodedHeader(section: HeaderSection): string {
  let text = ''
  for (const field of section.fields) {
    if (field.name === '') continue
    const value = decodedValue(section, field)
    const oneLine = /[\t\n]/.test(value) ? value.replace(/[\r\n]+|\t/g, ' ') : value
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
