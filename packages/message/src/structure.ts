import { nstring, quoted } from './imap-string.ts'
import type { MimeFields } from './mime-fields.ts'
import type { Parameter } from './parameters.ts'
import type { Part } from './part.ts'

/**
 * BODYSTRUCTURE (RFC 9051 §7.5.2) as one stored text that gives both forms: each part's extension data stands between
 * U+0001 and U+0002, which no value contains. BODY is the text without it.
 */

const extensionStart = '\u0001'
const extensionEnd = '\u0002'

/** What FETCH sends for BODY (without extension data) or BODYSTRUCTURE. */
export function structureFor(stored: string, item: 'BODY' | 'BODYSTRUCTURE'): string {
  return item === 'BODY' ? stored.replace(/\u0001[^\u0002]*\u0002/g, '') : stored.replace(/[\u0001\u0002]/g, '')
}

/** An envelope without any field, for a message part that ends before its message begins. */
const emptyEnvelope = '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)'

/** The stored text for a scanned message. */
export function structureText(part: Part): string {
  const { mime } = part
  if (part.kind === 'multipart') {
    const inner = part.children.length > 0 ? part.children.map(structureText).join('') : emptyBody
    return `(${inner} ${quoted(mime.subtype)}${extension(parameterList(mime.parameters), mime)})`
  }
  const size = part.end - part.bodyStart
  const parameters = parameterList(part.kind === 'text' ? withCharset(mime.parameters) : mime.parameters)
  const ids = `${nstring(mime.id)} ${nstring(mime.description)}`
  let text = `(${quoted(mime.type)} ${quoted(mime.subtype)} ${parameters} ${ids} ${quoted(mime.encoding)} ${size}`
  if (part.kind === 'text') text += ` ${part.lines}`
  if (part.kind === 'message') {
    const inner = part.children[0]
    text += ` ${part.envelope || emptyEnvelope} ${inner ? structureText(inner) : emptyBody} ${part.lines}`
  }
  return `${text}${extension(nstring(mime.md5), mime)})`
}

/** " " and the extension data, whose first item is MD5 of a part or the parameters of a multipart. */
function extension(first: string, { disposition, dispositionParameters, languages, location }: MimeFields): string {
  const shown = disposition === undefined ? 'NIL' : `(${quoted(disposition)} ${parameterList(dispositionParameters)})`
  const tags = languages.length === 0 ? 'NIL' : `(${languages.map(quoted).join(' ')})`
  return `${extensionStart} ${first} ${shown} ${tags} ${nstring(location)}${extensionEnd}`
}

function parameterList(parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return 'NIL'
  return `(${parameters.map(([name, value]) => `${quoted(name)} ${quoted(value)}`).join(' ')})`
}

const usAscii: Parameter = ['charset', 'us-ascii']

/** RFC 2045 §5.2: text without charset is US-ASCII, and clients expect to be told. */
function withCharset(parameters: readonly Parameter[]): readonly Parameter[] {
  return parameters.some(([name]) => name.toLowerCase() === 'charset') ? parameters : [...parameters, usAscii]
}

/** The one part that the grammar demands of a multipart without parts. */
const emptyBody = `("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0${extensionStart} NIL NIL NIL NIL${extensionEnd})`
