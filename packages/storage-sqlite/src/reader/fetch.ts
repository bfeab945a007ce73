import type {
  FetchedMessage,
  FetchNeed,
  JourneyId,
  MailboxId,
  MessageId,
  StoredMessage,
  Uid,
  UidSet,
} from '@pennypost/model'
import { fromIndexRow, indexColumnCount, indexColumns } from '../message-columns.ts'
import { requireMailbox } from './mailboxes.ts'
import { nextTurn, type Reader } from './reader.ts'
import { SpanCursor } from './spans.ts'

/** Rows of messages for FETCH, RETR and the relay: pages of raw rows, no parsing, no statement open between pages. */
const filingColumns = 'uid, message, size, internal_at, internal_offset, saved_at, uidl, journey'
const filingColumnCount = 8

/** `ghostsSince`: the MODSEQ since which what is expunged stays readable; undefined when nobody pins the mailbox. */
export async function* fetchPages(
  reader: Reader,
  mailbox: MailboxId,
  uids: UidSet,
  need: FetchNeed,
  ghostsSince: () => number | undefined,
  signal?: AbortSignal,
): AsyncGenerator<readonly FetchedMessage[]> {
  reader.requireOpen()
  const cursor = new SpanCursor(uids)
  for (let first = true; cursor.current; first = false) {
    if (!first) await nextTurn()
    signal?.throwIfAborted()
    reader.requireOpen()
    requireMailbox(reader, mailbox)
    const page = readPage(reader, mailbox, uids, need, ghostsSince(), cursor)
    if (page.length > 0) yield page
  }
}

function readPage(
  reader: Reader,
  mailbox: MailboxId,
  uids: UidSet,
  need: FetchNeed,
  ghostsSince: number | undefined,
  cursor: SpanCursor,
): FetchedMessage[] {
  const statement = reader.raw(selectOf(need, ghostsSince !== undefined))
  const page = reader.page()
  const messages: FetchedMessage[] = []
  for (let span = cursor.current; span && !page.isFull; span = cursor.current) {
    const [from, to] = span
    const range = ghostsSince === undefined ? [] : [mailbox, from, to, ghostsSince]
    range.unshift(mailbox, from, to)
    let isFull = false
    // All at once is cheaper for each row, but only rows with octets in them can be large.
    const isLarge = need.header || need.body
    const rows = isLarge ? statement.iterate(...range, page.rowsLeft) : statement.all(...range, page.rowsLeft)
    for (const row of rows as Iterable<unknown[]>) {
      const uid = row[0] as Uid
      let octets = 0
      if (uids.has(uid)) {
        const message = fetchedMessage(row, need)
        octets = (message.header?.length ?? 0) + (message.body?.length ?? 0)
        messages.push(message)
      }
      isFull = page.add(octets)
      if (isFull) {
        cursor.readUpTo(uid)
        break
      }
    }
    if (!isFull) cursor.exhausted()
  }
  return messages
}

function selectOf(need: FetchNeed, withGhosts: boolean): string {
  const columns = [filingColumns]
  let tables = withGhosts ? `(${filingsAndGhosts})` : 'filings'
  if (need.index) columns.push(storedIndexColumns)
  if (need.envelope) columns.push('envelope')
  if (need.structure) columns.push('structure')
  if (need.index || need.envelope || need.structure) tables += ' JOIN messages ON messages.id = message'
  if (need.header || need.body) tables += ' JOIN contents USING (message)'
  if (need.header) columns.push('delivery, header')
  if (need.body) columns.push('body')
  const where = withGhosts ? '' : 'WHERE mailbox = ? AND uid BETWEEN ? AND ?'
  return `SELECT ${columns.join(', ')} FROM ${tables} ${where} ORDER BY uid LIMIT ?`
}

const ofFiling = `${filingColumns}, delivery`
const filingsAndGhosts = `SELECT ${ofFiling} FROM filings WHERE mailbox = ? AND uid BETWEEN ? AND ?
  UNION ALL SELECT ${ofFiling} FROM ghosts WHERE mailbox = ? AND uid BETWEEN ? AND ? AND expunged_modseq > ?`

function fetchedMessage(row: readonly unknown[], need: FetchNeed): FetchedMessage {
  const message: FetchedMessage = {
    uid: row[0] as Uid,
    message: row[1] as MessageId,
    size: row[2] as number,
    internalDate: { at: row[3] as number, offsetMinutes: row[4] as number },
    savedAt: row[5] as number,
    uidl: row[6] as string,
    journey: row[7] as JourneyId | null,
  }
  let at = filingColumnCount
  if (need.index) {
    message.index = fromIndexRow(row, at)
    at += indexColumnCount
  }
  if (need.envelope) message.envelope = row[at++] as string
  if (need.structure) message.structure = row[at++] as string
  if (need.header) {
    const delivery = row[at] as Buffer
    const header = row[at + 1] as Buffer
    message.header = delivery.length === 0 ? header : Buffer.concat([delivery, header])
    at += 2
  }
  if (need.body) message.body = row[at] as Buffer | null
  return message
}

// `contents` has a body_size too: that of the octets.
const storedIndexColumns = `messages.${indexColumns}`

/** Undefined when nothing refers to the message any more. */
export function readMessage(reader: Reader, message: MessageId): StoredMessage | undefined {
  const row = reader
    .raw(
      `SELECT header, contents.body_size, ${storedIndexColumns} FROM messages JOIN contents ON message = id WHERE id = ?`,
    )
    .get(message) as unknown[] | undefined
  if (!row) return undefined
  return { message, header: row[0] as Buffer, bodySize: row[1] as number, index: fromIndexRow(row, 2) }
}
