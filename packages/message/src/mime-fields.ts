import { fieldValue, type HeaderSection, rawValue, toUnicode, trimAsciiEnd, unfold } from './fields.ts'
import { type Parameter, parameterOf, parseParameterized } from './parameters.ts'

/** What the Content-* fields of one header section say (RFC 2045, 2183, 1864, 3282, 2557). */
export interface MimeFields {
  /** Lower-case; the default where the field is missing or broken. */
  type: string
  subtype: string
  parameters: readonly Parameter[]
  /** Octets of the boundary as latin1; '' when there is none that could be used. */
  boundary: string
  encoding: string
  id?: string
  description?: string
  md5?: string
  disposition?: string
  dispositionParameters: readonly Parameter[]
  languages: readonly string[]
  location?: string
}

/** Of a part that says nothing of itself (RFC 2045 §5.2). */
export const textPlain: MimeFields = {
  type: 'text',
  subtype: 'plain',
  parameters: [],
  boundary: '',
  encoding: '7bit',
  dispositionParameters: [],
  languages: [],
}

const maxBoundary = 1000

export interface MimeContext {
  /** Its parent is multipart/digest: a part without Content-Type is a message (RFC 2046 §5.1.5). */
  inDigest: boolean
  /** It stands between boundaries; the header of a whole message needs MIME-Version or Content-Type to be MIME at all. */
  isPart: boolean
}

/** Of a field that occurs twice, the first counts. */
export function mimeFieldsOf(section: HeaderSection, { inDigest, isPart }: MimeContext): MimeFields {
  const found = contentFields(section)
  const absent: MimeFields = inDigest ? { ...textPlain, type: 'message', subtype: 'rfc822' } : textPlain
  if (found === undefined) return absent
  if (!isPart && !found.has('content-type') && !found.has('mime-version')) return absent
  const mime: MimeFields = { ...absent }
  const contentType = found.get('content-type')
  if (contentType !== undefined) setContentType(mime, unfold(rawValue(section, contentType)))
  for (const [name, field] of found) {
    if (name !== 'content-type' && name !== 'mime-version') setOther(mime, name, fieldValue(section, field))
  }
  return mime
}

type Found = Map<string, HeaderSection['fields'][number]>

function contentFields(section: HeaderSection): Found | undefined {
  let found: Found | undefined
  for (const field of section.fields) {
    const name = field.name
    if (!name.startsWith('content-') && name !== 'mime-version') continue
    found ??= new Map()
    if (!found.has(name)) found.set(name, field)
  }
  return found
}

/**
 * RFC 2045 §5.2 wants text/plain for what cannot be understood; a type that is something else, but broken, is safer
 * shown as octets, and the one-word types of RFC 1049 mean text.
 */
function setContentType(mime: MimeFields, value: string): void {
  const parsed = parseParameterized(value)
  const [type = '', subtype = ''] = asciiToken(parsed.value).split('/')
  const boundary = trimAsciiEnd(parameterOf(parsed.parameters, 'boundary') ?? '')
  mime.parameters = parsed.parameters.map(([name, written]) => [toUnicode(name), toUnicode(written)] as const)
  if (type !== '' && subtype !== '') {
    mime.type = type
    mime.subtype = subtype
  } else {
    const known = type === '' || type === 'text'
    mime.type = known ? 'text' : 'application'
    mime.subtype = known ? 'plain' : 'octet-stream'
  }
  if (mime.type === 'multipart' && boundary.length <= maxBoundary) mime.boundary = boundary
}

/** Types and encodings are ASCII (RFC 2045 §5.1), and there is no other form of them for readers without UTF-8. */
const asciiToken = (written: string): string => written.replace(notAscii, '?').toLowerCase()

const notAscii = /[^\x00-\x7f]+/g

function setOther(mime: MimeFields, name: string, value: string): void {
  if (value === '') return
  switch (name) {
    case 'content-transfer-encoding':
      mime.encoding = asciiToken(parseParameterized(value).value) || '7bit'
      break
    case 'content-id':
      mime.id = value
      break
    case 'content-description':
      mime.description = value
      break
    case 'content-md5':
      mime.md5 = value
      break
    case 'content-location':
      // RFC 2557 §4.4.2: a long URI is folded anywhere, and white space is no part of it.
      mime.location = value.replace(/\s+/g, '')
      break
    case 'content-language':
      mime.languages = value.split(/[\s,]+/).filter((tag) => /^[A-Za-z0-9-]{1,64}$/.test(tag))
      break
    case 'content-disposition': {
      const parsed = parseParameterized(value)
      if (parsed.value === '' && parsed.parameters.length === 0) break
      // RFC 2183 §2.8: what is no known type is an attachment; so is none at all, and the name of the file stays.
      mime.disposition = parsed.value.replace(notAscii, '?') || 'attachment'
      mime.dispositionParameters = parsed.parameters
    }
  }
}
