import { hasBit } from '../flags.ts'
import type { FetchedMessage } from '../ports/mail-store.ts'
import type { SearchQuery } from '../search-query.ts'

/** One message as a query sees it. Text is asked for only when a key needs it. */
export interface SearchSubject {
  uid: number
  flags: number
  modSeq: number
  row?: Pick<FetchedMessage, 'size' | 'internalDate' | 'savedAt'> & { sentDay: number | null }
  /** `SearchText.headerText` of the delivery block, if there is one, and of the header section behind it. */
  headerText?: () => string
  /** `SearchText.bodyTexts` of the body. */
  bodyTexts?: () => Iterable<string>
}

/** Whether the message matches. Needles in the query are folded already; absent data never matches. */
export function matches(query: SearchQuery, message: SearchSubject): boolean {
  switch (query.key) {
    case 'all':
      return true
    case 'not':
      return !matches(query.query, message)
    case 'and':
      return query.queries.every((inner) => matches(inner, message))
    case 'or':
      return query.queries.some((inner) => matches(inner, message))
    case 'uids':
      return query.uids.has(message.uid)
    case 'flags':
      return bitsWithin(query.set, message.flags) && !anyBit(query.clear, message.flags)
    case 'modseq':
      return message.modSeq >= query.atLeast
    case 'header':
      return message.headerText !== undefined && fieldIncludes(message.headerText(), query.field, query.text)
    case 'text':
      if (message.headerText?.().includes(query.text)) return true
      return bodyIncludes(message, query.text)
    case 'body':
      return bodyIncludes(message, query.text)
    default:
      return message.row !== undefined && matchesRow(query, message.row)
  }
}

function fieldIncludes(headerText: string, field: string, needle: string): boolean {
  if (!headerText.includes(needle)) return false
  const name = `${field}: `
  for (let start = 0; start < headerText.length; ) {
    const end = headerText.indexOf('\n', start) + 1 || headerText.length
    if (headerText.startsWith(name, start) && headerText.slice(start + name.length, end).includes(needle)) return true
    start = end
  }
  return false
}

function bodyIncludes(message: SearchSubject, needle: string): boolean {
  if (needle === '') return true
  for (const piece of message.bodyTexts?.() ?? []) if (piece.includes(needle)) return true
  return false
}

type RowQuery = Extract<SearchQuery, { key: 'larger' | 'smaller' | 'day' | 'younger' | 'older' }>

function matchesRow(query: RowQuery, row: NonNullable<SearchSubject['row']>): boolean {
  switch (query.key) {
    case 'larger':
      return row.size > query.octets
    case 'smaller':
      return row.size < query.octets
    case 'younger':
      return row.internalDate.at >= query.at
    case 'older':
      return row.internalDate.at <= query.at
    case 'day': {
      const day =
        query.of === 'sent' ? row.sentDay : query.of === 'saved' ? writtenDay(row.savedAt, 0) : internalDay(row)
      if (day === null) return false
      return query.relation === 'before'
        ? day < query.day
        : query.relation === 'on'
          ? day === query.day
          : day >= query.day
    }
  }
}

const internalDay = (row: NonNullable<SearchSubject['row']>): number =>
  writtenDay(row.internalDate.at, row.internalDate.offsetMinutes)

/** yyyymmdd of an instant as written with an offset. */
export function writtenDay(at: number, offsetMinutes: number): number {
  const local = new Date(at + offsetMinutes * 60_000)
  return local.getUTCFullYear() * 10_000 + (local.getUTCMonth() + 1) * 100 + local.getUTCDate()
}

function bitsWithin(wanted: number, bits: number): boolean {
  if (wanted < 2 ** 31) return (bits & wanted) === wanted
  return everyBit(wanted, (bit) => hasBit(bits, bit))
}

function anyBit(unwanted: number, bits: number): boolean {
  if (unwanted < 2 ** 31) return (bits & unwanted) !== 0
  return !everyBit(unwanted, (bit) => !hasBit(bits, bit))
}

function everyBit(bits: number, test: (bit: number) => boolean): boolean {
  for (let bit = 0; bit < 53; bit++) if (hasBit(bits, bit) && !test(bit)) return false
  return true
}
