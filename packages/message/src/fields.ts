import { isAscii } from 'node:buffer'
import { decodeUndeclared } from './charset.ts'
import { decodeWords } from './encoded-words.ts'

/**
 * A header section as fields with octet ranges (RFC 5322 §2.2). Nothing here throws or loses an octet: lines that are
 * no fields (mbox `From `, junk) stand as fields without a name, so that the ranges always cover the whole section.
 * Used by the scanner, every header edit, and search.
 */

/** One field; ranges count octets from the start of the header section. */
export interface Field {
  /** Lower-case; '' for a line that is no field. */
  name: string
  start: number
  /** Behind the colon. */
  valueStart: number
  /** Behind the line end of the last folded line. */
  end: number
}

/** A header section as text of one character per octet (latin1), so that string offsets are octet offsets. */
export interface HeaderSection {
  text: string
  ascii: boolean
  fields: readonly Field[]
}

/** Parses a header section; what stands behind its empty line is ignored. */
export function parseHeader(header: Buffer): HeaderSection {
  const text = header.toString('latin1')
  return { text, ascii: isAscii(header), fields: fieldsOfText(text) }
}

/** The fields of a header section in order. The empty line at the end belongs to none. */
export function fieldsOf(header: Buffer): Field[] {
  return fieldsOfText(header.toString('latin1'))
}

function fieldsOfText(text: string): Field[] {
  const fields: Field[] = []
  const size = text.length
  let colon = -1
  for (let start = 0; start < size; ) {
    if (isEmptyLine(text, start)) break
    const end = endOfField(text, start)
    // One forward search over the whole section: looking for each line's colon alone would be quadratic on junk.
    if (colon < start) colon = text.indexOf(':', start)
    if (colon < 0) colon = size
    const name = colon < end ? fieldName(text, start, colon) : ''
    fields.push({ name, start, valueStart: name === '' ? start : colon + 1, end })
    start = end
  }
  return fields
}

/** Whether the line that begins there ends the header section. */
export function isEmptyLine(text: string, start: number): boolean {
  const first = text.charCodeAt(start)
  return first === 10 || (first === 13 && text.charCodeAt(start + 1) === 10)
}

/** Behind the line end of the last folded line of the field that begins there. */
export function endOfField(text: string, start: number): number {
  let end = start
  do {
    const lineFeed = text.indexOf('\n', end)
    if (lineFeed < 0) return text.length
    end = lineFeed + 1
  } while (text.charCodeAt(end) === 32 || text.charCodeAt(end) === 9)
  return end
}

/** field-name [WSP] before the colon (obs-optional, RFC 5322 §4.5.8), lower-case; '' when it is none. */
export function fieldName(text: string, start: number, colon: number): string {
  let end = colon
  while (end > start && (text.charCodeAt(end - 1) === 32 || text.charCodeAt(end - 1) === 9)) end--
  if (end - start > 256) return ''
  const name = text.slice(start, end)
  return /^[!-~\x80-\xff]+$/.test(name) ? name.toLowerCase() : ''
}

/** Unfolds (RFC 5322 §2.2.3): line ends go, white space stays; outer white space and NUL go. */
export function unfold(value: string): string {
  const trimmed = trimAscii(value)
  if (!/[\r\n\0]/.test(trimmed)) return trimmed
  return trimmed.replace(/[\r\n\0]+([ \t]?)/g, (ends, space: string) => space || (/[\r\n]/.test(ends) ? ' ' : ''))
}

function trimAscii(text: string): string {
  let start = 0
  while (start < text.length && isAsciiSpace(text.charCodeAt(start))) start++
  return trimAsciiEnd(text.slice(start))
}

/** Of text of one character per octet no other white space is any: the last octet of an `à` is U+00A0. */
export function trimAsciiEnd(text: string): string {
  let end = text.length
  while (end > 0 && isAsciiSpace(text.charCodeAt(end - 1))) end--
  return text.slice(0, end)
}

const isAsciiSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13)

/** A field's value as it stands (still in latin1 text). */
export function rawValue(section: HeaderSection, field: Field): string {
  return section.text.slice(field.valueStart, field.end)
}

/**
 * A field's unfolded value as Unicode, encoded words untouched. Octets above 127 are UTF-8 (RFC 6532), or else read
 * in `charset` (what the message declares for its text), or else as windows-1252.
 */
export function fieldValue(section: HeaderSection, field: Field, charset = ''): string {
  const value = unfold(rawValue(section, field))
  return section.ascii ? value : toUnicode(value, charset)
}

/** A field's value for people: unfolded, encoded words decoded. */
export function decodedValue(section: HeaderSection, field: Field): string {
  return decodeWords(fieldValue(section, field))
}

/** Latin1 text (one character per octet) as Unicode, as `fieldValue` does it. */
export function toUnicode(latin1: string, charset = ''): string {
  return /[\x80-\xff]/.test(latin1) ? decodeUndeclared(Buffer.from(latin1, 'latin1'), charset) : latin1
}

/** The values of every field of that lower-case name, in order. */
export function valuesOf(section: HeaderSection, name: string): string[] {
  const values: string[] = []
  for (const field of section.fields) if (field.name === name) values.push(fieldValue(section, field))
  return values
}
