import type { MessageIndex } from '@pennypost/model'

/**
 * MessageIndex as columns of the table `messages` and back. Both directions stand here so that they can not drift apart.
 */

const traits = { utf8Header: 1, eightBitBody: 2, replyOrForward: 4, openEnd: 8 }

/** In the order of the table, from `body_size` on. */
export function toIndexRow(index: MessageIndex): (string | number | null)[] {
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

type Field = { column: string; read(value: unknown): unknown }

/** What each field is read from, in a query that has a column `message`: but for `openEnd`, the table `messages`. */
const indexFields: Readonly<Record<keyof MessageIndex, Field>> = {
  envelope: asIs('envelope'),
  structure: asIs('structure'),
  parts: asIs('parts'),
  bodySize: asIs('body_size'),
  utf8Header: trait(traits.utf8Header),
  eightBitBody: trait(traits.eightBitBody),
  // Out of an index in which hardly any message is: the rows themselves are wide.
  openEnd: {
    column: `EXISTS (SELECT 1 FROM messages AS ended INDEXED BY messages_open_end
      WHERE ended.id = message AND ended.traits & ${traits.openEnd})`,
    read: (value) => value === 1,
  },
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
  references: { column: 'messages.thread_ids', read: (value) => (value === '' ? [] : JSON.parse(value as string)) },
  preview: asIs('preview'),
}

export const allIndexFields = Object.keys(indexFields) as (keyof MessageIndex)[]

/** Fields of the index in a query: their columns, and what rows say in these from place `at` on. */
export interface IndexReader {
  columns: readonly string[]
  /** Whether the query must have the table `messages`. */
  needsMessages: boolean
  read(row: readonly unknown[], at: number): Partial<MessageIndex>
}

export function indexReader(names: readonly (keyof MessageIndex)[]): IndexReader {
  const fields = names.map((name) => ({ name, ...indexFields[name] }))
  return {
    columns: fields.map(({ column }) => column),
    needsMessages: names.some((name) => name !== 'openEnd'),
    read(row, at) {
      const index: Record<string, unknown> = {}
      let place = at
      for (const { name, read } of fields) index[name] = read(row[place++])
      return index
    },
  }
}

// `contents` has a body_size too: that of the octets.
function asIs(column: string): Field {
  return { column: `messages.${column}`, read: (value) => value }
}

function trait(bit: number): Field {
  return { column: 'messages.traits', read: (value) => ((value as number) & bit) !== 0 }
}
