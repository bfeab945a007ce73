import type { FetchedMessage, MessageIndex } from '@pennypost/model'

/**
 * One key of SORT, as a value: what it asks of the store, and the number or text by which messages are compared. Texts
 * are folded already (i;unicode-casemap, RFC 5255 §4.4) and are compared by code point.
 */
export type SortKey = NumberKey | TextKey

interface NumberKey {
  /** In upper case. */
  name: string
  needsIndex: boolean
  number(row: FetchedMessage): number
}

interface TextKey {
  name: string
  text(index: MessageIndex): string
}

/** `sort-criterion = ["REVERSE" SP] sort-key` (RFC 5256 §5) */
export interface SortCriterion {
  key: SortKey
  reverse: boolean
}

/** RFC 5256 §2.2: the Date field as instant, or else INTERNALDATE. */
export function sentDate(row: FetchedMessage): number {
  return row.index?.sentAt ?? row.internalDate.at
}

/** The keys of RFC 5256 §3. */
export const baseSortKeys: readonly SortKey[] = [
  { name: 'ARRIVAL', needsIndex: false, number: (row) => row.internalDate.at },
  { name: 'CC', text: (index) => index.sortCc },
  { name: 'DATE', needsIndex: true, number: sentDate },
  { name: 'FROM', text: (index) => index.sortFrom },
  { name: 'SIZE', needsIndex: false, number: (row) => row.size },
  { name: 'SUBJECT', text: (index) => index.baseSubject },
  { name: 'TO', text: (index) => index.sortTo },
]

/** RFC 5957 §3.1 */
export const displaySortKeys: readonly SortKey[] = [
  { name: 'DISPLAYFROM', text: (index) => index.displayFrom },
  { name: 'DISPLAYTO', text: (index) => index.displayTo },
]
