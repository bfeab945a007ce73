import type { WriterContext } from '../context.ts'
import { messageIds } from '../reserved-numbers.ts'

/**
 * A message on its way to the writer. `columns` are those of the table `messages` from `body_size` on, in its order, as
 * `message-columns.ts` makes them. Header and inline body travel in one buffer of their own.
 */
export interface PackedMessage {
  columns: readonly (string | number | null)[]
  octets: Uint8Array
  headerSize: number
  bodySize: number
  /** Content file, or null when the body is inline: then it follows the header in `octets`. */
  file: string | null
  /** Where the body starts in the file. */
  bodyStart: number
}

const insertIndex = `INSERT INTO messages (id, refs, body_size, traits, sent_at, sent_day,
  envelope, structure, parts, base_subject, sort_from, sort_to, sort_cc, display_from, display_to, message_id,
  thread_ids, preview) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
const insertContent =
  'INSERT INTO contents (message, file, body_start, body_size, header, body) VALUES (?, ?, ?, ?, ?, ?)'

/** Stores a message that `refs` filings and queue entries will share; gives its id. */
export function insertMessage(context: WriterContext, message: PackedMessage, refs: number): number {
  const id = context.numbers.next(messageIds)
  context.sql(insertIndex).run(id, refs, ...message.columns)
  const { octets, headerSize, file } = message
  const header = octets.subarray(0, headerSize)
  const body = file === null ? octets.subarray(headerSize, headerSize + message.bodySize) : null
  context.sql(insertContent).run(id, file, message.bodyStart, message.bodySize, header, body)
  if (file !== null) context.effects.directories.add(file.slice(0, file.indexOf('/')))
  return id
}

/** Adds one reference to each. */
export function retainMessages(context: WriterContext, messages: Iterable<number>): void {
  const increment = context.sql('UPDATE messages SET refs = refs + 1 WHERE id = ?')
  for (const message of messages) increment.run(message)
}

/** Takes away one reference of each; content that nothing refers to any more goes with its file after the commit. */
export function releaseMessages(context: WriterContext, messages: Iterable<number>): void {
  const decrement = context.sql('UPDATE messages SET refs = refs - 1 WHERE id = ? AND refs > 1')
  const dropIndex = context.sql('DELETE FROM messages WHERE id = ?')
  const dropContent = context.pluck('DELETE FROM contents WHERE message = ? RETURNING file')
  for (const message of messages) {
    if (decrement.run(message).changes > 0) continue
    dropIndex.run(message)
    context.effects.gone.push(message)
    const file = dropContent.get(message) as string | null | undefined
    if (file) context.effects.unlink.push(file)
  }
}

export interface NewFilingRow {
  mailbox: number
  uid: number
  message: number
  size: number
  internalAt: number
  internalOffset: number
  savedAt: number
  uidl: string
  journey: string | null
  delivery: Uint8Array
  flags: number
  modSeq: number
}

export function insertFiling(context: WriterContext, filing: NewFilingRow): void {
  context
    .sql(
      `INSERT INTO filings (mailbox, uid, message, size, internal_at, internal_offset, saved_at, uidl, journey,
        delivery) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      filing.mailbox,
      filing.uid,
      filing.message,
      filing.size,
      filing.internalAt,
      filing.internalOffset,
      filing.savedAt,
      filing.uidl,
      filing.journey,
      filing.delivery,
    )
  context
    .sql('INSERT INTO marks (mailbox, uid, flags, modseq) VALUES (?, ?, ?, ?)')
    .run(filing.mailbox, filing.uid, filing.flags, filing.modSeq)
}
