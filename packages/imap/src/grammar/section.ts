import { FieldChoice } from '@pennypost/message'
import { bad } from '../refusal.ts'
import type { Cursor } from '../wire/cursor.ts'

/** What BODY[…] names (RFC 9051 §6.4.5.1). */
export interface Section {
  /** `section-part = nz-number *("." nz-number)`; empty: the message itself. */
  part: readonly number[]
  text: 'ALL' | 'HEADER' | 'HEADER.FIELDS' | 'HEADER.FIELDS.NOT' | 'TEXT' | 'MIME'
  /** Of HEADER.FIELDS and HEADER.FIELDS.NOT, as written. */
  fields: readonly string[]
  /** The same, ready for use. */
  choice?: FieldChoice
}

/** `partial = "<" number64 "." nz-number64 ">"` */
export interface Partial {
  start: number
  size: number
}

/** Levels of parts that anybody could mean. */
const mostLevels = 100

/**
 * `section = "[" [section-spec] "]"`
 * `section-spec = section-msgtext / (section-part ["." section-text])`
 * `section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"`, `section-text = section-msgtext / "MIME"`
 */
export function section(cursor: Cursor, fieldLimit: number): Section {
  cursor.expect('[')
  const part = sectionPart(cursor)
  const result =
    cursor.peek() === ']' ? { part, text: 'ALL' as const, fields: [] } : sectionText(cursor, part, fieldLimit)
  cursor.expect(']')
  return result
}

/** `section-binary = "[" [section-part] "]"` (RFC 9051 §9) */
export function sectionBinary(cursor: Cursor): readonly number[] {
  cursor.expect('[')
  const part = sectionPart(cursor)
  cursor.expect(']')
  return part
}

function sectionPart(cursor: Cursor): number[] {
  const part: number[] = []
  if (!cursor.atDigit()) return part
  do {
    if (part.length >= mostLevels) throw bad('Too many levels in the section')
    part.push(cursor.nzNumber())
    if (cursor.peek() !== '.') return part
    cursor.expect('.')
  } while (cursor.atDigit())
  // A dot before something that is no number: a section-text must follow.
  if (cursor.peek() === ']') throw bad('Section text expected')
  return part
}

function sectionText(cursor: Cursor, part: readonly number[], fieldLimit: number): Section {
  for (const text of ['HEADER.FIELDS.NOT', 'HEADER.FIELDS'] as const) {
    if (!cursor.skip(text)) continue
    const fields = headerList(cursor, fieldLimit)
    return { part, text, fields, choice: new FieldChoice(fields, text === 'HEADER.FIELDS.NOT') }
  }
  for (const text of ['HEADER', 'TEXT', 'MIME'] as const) {
    if (!cursor.skip(text)) continue
    if (text === 'MIME' && part.length === 0) throw bad('MIME needs a part number')
    return { part, text, fields: [] }
  }
  throw bad('Unknown section')
}

/** `header-list = "(" header-fld-name *(SP header-fld-name) ")"` */
function headerList(cursor: Cursor, limit: number): string[] {
  const fields: string[] = []
  cursor.sp()
  cursor.someOf('Header field name', () => fields.push(headerFieldName(cursor)), limit)
  return fields
}

/** `header-fld-name = astring`; only what RFC 5322 §2.2 lets a field be called can come back in the response. */
function headerFieldName(cursor: Cursor): string {
  const name = cursor.astring('Header field name')
  if (!/^[!-9;-~]+$/.test(name)) throw bad('Not the name of a header field')
  return name
}

/** Undefined where none is here. */
export function partial(cursor: Cursor): Partial | undefined {
  if (!cursor.skip('<')) return undefined
  const start = cursor.number64()
  cursor.expect('.')
  const size = cursor.number64()
  if (size === 0) throw bad('A partial of no octets')
  cursor.expect('>')
  return { start, size }
}

/** How the response names the section: as asked, field names as astrings, and the origin octet of a partial. */
export function printSection(section: Section): string {
  const part = section.part.join('.')
  const dot = part !== '' && section.text !== 'ALL' ? '.' : ''
  const text = section.text === 'ALL' ? '' : section.text
  const fields = section.fields.length === 0 ? '' : ` (${section.fields.map(printFieldName).join(' ')})`
  return `[${part}${dot}${text}${fields}]`
}

function printFieldName(name: string): string {
  if (/^[!-~]+$/.test(name) && !/[(){%*"\\\]]/.test(name)) return name
  return `"${name.replace(/["\\]/g, '\\$&')}"`
}
