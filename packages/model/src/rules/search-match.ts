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
  /** `SearchText.bodyTexts` of the body, each whole; or what of the query's needles is in them. */
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

/** yyyymmdd of an instant as written with an offset. By arithmetic, since SEARCH asks for it of every message. */
export function writtenDay(at: number, offsetMinutes: number): number {
  // Days since 1 March of the year 0, in eras of 400 years that are all alike; years begin in March, so that a leap day ends one.
  const days = Math.floor((at + offsetMinutes * 60_000) / 86_400_000) + 719_468
  const era = Math.floor(days / 146_097)
  const inEra = days - era * 146_097
  const leaps = Math.floor(inEra / 1460) - Math.floor(inEra / 36_524) + Math.floor(inEra / 146_096)
  const year = Math.floor((inEra - leaps) / 365)
  const inYear = inEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100))
  const month = Math.floor((5 * inYear + 2) / 153)
  const day = inYear - Math.floor((153 * month + 2) / 5) + 1
  const isNextYear = month >= 10 ? 1 : 0
  return (year + era * 400 + isNextYear) * 10_000 + (month + 3 - 12 * isNextYear) * 100 + day
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
