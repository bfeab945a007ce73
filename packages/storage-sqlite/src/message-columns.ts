import type { MessageIndex } from '@pennypost/model'

/**
 * MessageIndex as columns of the table `messages` and back. Both directions stand here so that they can not drift
 * apart; the order is that of the table.
 */
export const indexColumns = `body_size, traits, sent_at, sent_day, envelope, structure, parts, base_subject, sort_from,
  sort_to, sort_cc, display_from, display_to, message_id, thread_ids, preview`

export const indexColumnCount = 16

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

const traits = { utf8Header: 1, eightBitBody: 2, replyOrForward: 4 }

export function toIndexRow(index: MessageIndex): IndexRow {
  return [
    index.bodySize,
    (index.utf8Header ? traits.utf8Header : 0) |
      (index.eightBitBody ? traits.eightBitBody : 0) |
      (index.replyOrForward ? traits.replyOrForward : 0),
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
  const threadIds = row[at + 14] as string
  return {
    envelope: row[at + 4] as string,
    structure: row[at + 5] as string,
    parts: row[at + 6] as string,
    bodySize: row[at] as number,
    utf8Header: (bits & traits.utf8Header) !== 0,
    eightBitBody: (bits & traits.eightBitBody) !== 0,
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
    references: threadIds === '' ? [] : (JSON.parse(threadIds) as string[]),
    preview: row[at + 15] as string,
  }
}
