import type { MessageIndex } from '@pennypost/model'

/**
 * MessageIndex as columns of the table `messages` and back. Both directions stand here so that they can not drift
 * apart; the order is that of the table.
 */
export const indexColumns = `body_size, traits, sent_at, sent_day, envelope, structure, parts, base_subject, sort_from,
  sort_to, sort_cc, display_from, display_to, message_id, thread_ids, preview`

export const indexColumnCount = 16

// `contents` has a body_size too: that of the octets.
export const storedIndexColumns = `messages.${indexColumns}`

export type IndexRow = [
  number,
  number,
  number | null,
  number | null,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string,
]

const traits = { utf8Header: 1, eightBitBody: 2, replyOrForward: 4, openEnd: 8 }

export function toIndexRow(index: MessageIndex): IndexRow {
  return [
    index.bodySize,
    (index.utf8Header ? traits.utf8Header : 0) |
      (index.eightBitBody ? traits.eightBitBody : 0) |
      (index.replyOrForward ? traits.replyOrForward : 0) |
      (index.openEnd ? traits.openEnd : 0),
    index.sentAt,
    index.sentDay,
    index.envelope,
    index.structure,
    index.parts,
    index.baseSubject,
    index.sortFrom,
    index.sortTo,
    index.sortCc,
    index.displayFrom,
    index.displayTo,
    index.messageIdHeader,
    index.references.length === 0 ? '' : JSON.stringify(index.references),
    index.preview,
  ]
}

/** `at`: where the columns begin in the row. */
export function fromIndexRow(row: readonly unknown[], at: number): MessageIndex {
  const bits = row[at + 1] as number
  return {
    envelope: row[at + 4] as string,
    structure: row[at + 5] as string,
    parts: row[at + 6] as string,
    bodySize: row[at] as number,
    utf8Header: (bits & traits.utf8Header) !== 0,
    eightBitBody: (bits & traits.eightBitBody) !== 0,
    openEnd: (bits & traits.openEnd) !== 0,
    baseSubject: row[at + 7] as string,
    replyOrForward: (bits & traits.replyOrForward) !== 0,
    sortFrom: row[at + 8] as string,
    sortTo: row[at + 9] as string,
    sortCc: row[at + 10] as string,
    displayFrom: row[at + 11] as string,
    displayTo: row[at + 12] as string,
    sentAt: row[at + 2] as number | null,
    sentDay: row[at + 3] as number | null,
    messageIdHeader: row[at + 13] as string,
    references: readReferences(row[at + 14] as string),
    preview: row[at + 15] as string,
  }
}

type Field = { column: string; read(value: unknown): unknown }

/** Each field of MessageIndex alone: its column, and what its value means. */
export const indexFields: Readonly<Record<keyof MessageIndex, Field>> = {
  envelope: asIs('envelope'),
  structure: asIs('structure'),
  parts: asIs('parts'),
  bodySize: asIs('body_size'),
  utf8Header: trait(traits.utf8Header),
  eightBitBody: trait(traits.eightBitBody),
  openEnd: trait(traits.openEnd),
  baseSubject: asIs('base_subject'),
  replyOrForward: trait(traits.replyOrForward),
  sortFrom: asIs('sort_from'),
  sortTo: asIs('sort_to'),
  sortCc: asIs('sort_cc'),
  displayFrom: asIs('display_from'),
  displayTo: asIs('display_to'),
  sentAt: asIs('sent_at'),
  sentDay: asIs('sent_day'),
  messageIdHeader: asIs('message_id'),
  references: { column: 'thread_ids', read: (value) => readReferences(value as string) },
  preview: asIs('preview'),
}

function asIs(column: string): Field {
  return { column, read: (value) => value }
}

function trait(bit: number): Field {
  return { column: 'traits', read: (value) => ((value as number) & bit) !== 0 }
}

function readReferences(stored: string): string[] {
  return stored === '' ? [] : (JSON.parse(stored) as string[])
}
