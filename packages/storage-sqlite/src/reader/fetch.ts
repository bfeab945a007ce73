import type {
  FetchedMessage,
  FetchNeed,
  MailboxId,
  MessageId,
  MessageIndex,
  StoredMessage,
  UidSet,
} from '@pennypost/model'
import { nextTurn } from '@pennypost/model'
import { allIndexFields, indexReader } from '../message-columns.ts'
import { type FetchPlan, planFetch, type Row } from './fetch-plan.ts'
import { requireMailboxExists } from './mailboxes.ts'
import type { Page, Reader } from './reader.ts'
import { SpanCursor } from './spans.ts'

/**
 * Rows of messages for FETCH, RETR and the relay: pages of raw rows, no parsing, no statement open between pages.
 * `ghostsSince`: the MODSEQ since which what is expunged stays readable; undefined when nobody pins the mailbox.
 */
export async function* fetchPages(
  reader: Reader,
  mailbox: MailboxId,
  uids: UidSet,
  need: FetchNeed,
  ghostsSince: () => number | undefined,
  signal?: AbortSignal,
): AsyncGenerator<readonly FetchedMessage[]> {
  reader.requireOpen()
  const fetch = new Fetch(reader, mailbox, uids, need)
  for (let first = true; fetch.cursor.current; first = false) {
    if (!first) await nextTurn()
    signal?.throwIfAborted()
    requireMailboxExists(reader, mailbox)
    const page = fetch.page(ghostsSince())
    if (page.length > 0) yield page
  }
}

/** One fetch, and where it is. */
class Fetch {
  readonly cursor: SpanCursor
  readonly #reader: Reader
  readonly #mailbox: MailboxId
  readonly #uids: UidSet
  readonly #need: FetchNeed
  readonly #plan: FetchPlan

  constructor(reader: Reader, mailbox: MailboxId, uids: UidSet, need: FetchNeed) {
    this.#reader = reader
    this.#mailbox = mailbox
    this.#uids = uids
    this.#need = need
    this.#plan = planFetch(need)
    this.cursor = new SpanCursor(uids)
  }

  page(ghostsSince: number | undefined): FetchedMessage[] {
    const page = this.#reader.page()
    const messages: FetchedMessage[] = []
    for (let span = this.cursor.current; span && !page.isFull; span = this.cursor.current) {
      const limit = page.rowsLeft
      let read = 0
      let upTo = span[1]
      for (const row of this.#rows(this.#plan, span, ghostsSince, limit)) {
        this.#take(row, page, messages, ghostsSince)
        if (++read < limit && !(this.#plan.wide && page.isFull)) continue
        upTo = row[0]
        break
      }
      this.cursor.readUpTo(upTo)
    }
    return messages
  }

  #rows(
    { sql, sqlWithGhosts, wide }: FetchPlan,
    [from, to]: readonly [number, number],
    ghostsSince: number | undefined,
    limit: number,
  ): Iterable<Row> {
    const range = [this.#mailbox, from, to]
    const statement = this.#reader.raw(ghostsSince === undefined ? sql : sqlWithGhosts)
    const values = ghostsSince === undefined ? [...range, limit] : [...range, ...range, ghostsSince, limit]
    return (wide ? statement.iterate(...values) : statement.all(...values)) as Iterable<Row>
  }

  #take(row: Row, page: Page, messages: FetchedMessage[], ghostsSince: number | undefined): void {
    const uid = row[0]
    if (this.#uids.has(uid)) {
      const message = this.#plan.read(row)
      if (this.#need.headerText && message.headerText === undefined) {
        const header = this.#headerOctets(uid, ghostsSince)
        // Expunged between the two reads.
        if (!header) return void page.add(0)
        message.header = header
      }
      messages.push(message)
    }
    page.add(this.#plan.wide ? octetsOf(row) : 0)
  }

  #headerOctets(uid: number, ghostsSince: number | undefined): Buffer | undefined {
    const [row] = this.#rows(octetHeader, [uid, uid], ghostsSince, 1)
    return row && octetHeader.read(row).header
  }
}

/** About as many octets as a row has. */
function octetsOf(row: Row): number {
  let octets = 0
  for (const value of row) if (typeof value === 'string' || Buffer.isBuffer(value)) octets += value.length
  return octets
}

const octetHeader = planFetch({ header: true })

/** Undefined when nothing refers to the message any more. */
export function readMessage(reader: Reader, message: MessageId): StoredMessage | undefined {
  const row = reader.raw(messageSql).get(message) as unknown[] | undefined
  if (!row) return undefined
  const index = wholeIndex.read(row, 2) as MessageIndex
  return { message, header: row[0] as Buffer, bodySize: row[1] as number, index }
}

const wholeIndex = indexReader(allIndexFields)
const messageSql = `SELECT header, contents.body_size, ${wholeIndex.columns.join(', ')}
  FROM messages JOIN contents ON message = id WHERE id = ?`
