import type { Columns, TextField } from '../view/columns.ts'

/**
 * One key of SORT, as a value: the number by which messages are compared, or the text. Texts are folded already
 * (i;unicode-casemap, RFC 5255 §4.4) and are compared by code point.
 */
export type SortKey = NumberKey | TextKey

interface NumberKey {
  /** In upper case. */
  name: string
  /** A whole number. */
  number(columns: Columns, place: number): number
}

interface TextKey {
  name: string
  field: TextField
}

/** `sort-criterion = ["REVERSE" SP] sort-key` (RFC 5256 §5) */
export interface SortCriterion {
  key: SortKey
  reverse: boolean
}

/** RFC 5256 §2.2: the Date field as instant, or else INTERNALDATE. */
function sentDate(columns: Columns, place: number): number {
  const sentAt = columns.sentAt[place] as number
  return Number.isNaN(sentAt) ? arrival(columns, place) : Math.floor(sentAt / 1000)
}

/** In seconds, as clients read it: those of one second are equal, and stand in the order of the mailbox. */
function arrival(columns: Columns, place: number): number {
  return Math.floor((columns.internalAt[place] as number) / 1000)
}

/** The keys of RFC 5256 §3. */
export const baseSortKeys: readonly SortKey[] = [
  { name: 'ARRIVAL', number: arrival },
  { name: 'CC', field: 'sortCc' },
  { name: 'DATE', number: sentDate },
  { name: 'FROM', field: 'sortFrom' },
  { name: 'SIZE', number: (columns, place) => columns.size[place] as number },
  { name: 'SUBJECT', field: 'baseSubject' },
  { name: 'TO', field: 'sortTo' },
]

/** RFC 5957 §3.1 */
export const displaySortKeys: readonly SortKey[] = [
  { name: 'DISPLAYFROM', field: 'displayFrom' },
  { name: 'DISPLAYTO', field: 'displayTo' },
]
