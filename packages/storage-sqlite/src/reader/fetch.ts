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

/** One fetch: where it is, and how many rows are thought to fit into a page. */
class Fetch {
  readonly cursor: SpanCursor
  readonly #reader: Reader
  readonly #mailbox: MailboxId
  readonly #uids: UidSet
  readonly #need: FetchNeed
  readonly #plan: FetchPlan
  #fitting: number

  constructor(reader: Reader, mailbox: MailboxId, uids: UidSet, need: FetchNeed) {
    this.#reader = reader
    this.#mailbox = mailbox
    this.#uids = uids
    this.#need = need
    this.#plan = planFetch(need)
    this.cursor = new SpanCursor(uids)
    this.#fitting = Math.min(this.#plan.mostAtOnce, need.body ? 8 : 32)
  }

  page(ghostsSince: number | undefined): FetchedMessage[] {
    const page = this.#reader.page()
    const messages: FetchedMessage[] = []
    const { mostAtOnce } = this.#plan
    for (let span = this.cursor.current; span && !page.isFull; span = this.cursor.current) {
      // All at once is cheaper for each, but what does not fit would be read in vain.
      const limit = mostAtOnce === Number.POSITIVE_INFINITY ? page.rowsLeft : Math.min(page.rowsLeft, this.#fitting)
      const rows = this.#rows(this.#plan, span, ghostsSince, limit)
      for (const row of rows) this.#take(row, page, messages, ghostsSince)
      if (rows.length < limit) this.cursor.exhausted()
      else this.cursor.readUpTo((rows.at(-1) as Row)[0])
      this.#fitting = Math.max(1, Math.min(mostAtOnce, page.rowsFitting))
    }
    return messages
  }

  #rows(plan: FetchPlan, [from, to]: readonly [number, number], ghostsSince: number | undefined, limit: number): Row[] {
    const { sql, sqlWithGhosts } = plan
    const range = [this.#mailbox, from, to]
    if (ghostsSince === undefined) return this.#reader.raw(sql).all(...range, limit) as Row[]
    return this.#reader.raw(sqlWithGhosts).all(...range, ...range, ghostsSince, limit) as Row[]
  }

  #take(row: Row, page: Page, messages: FetchedMessage[], ghostsSince: number | undefined): void {
    const uid = row[0]
    let octets = 0
    if (this.#uids.has(uid)) {
      const message = this.#plan.read(row)
      if (this.#need.headerText && message.headerText === undefined) {
        const header = this.#headerOctets(uid, ghostsSince)
        // Expunged between the two reads.
        if (!header) return void page.add(0)
        message.header = header
      }
      octets = (message.headerText ?? message.header ?? '').length + (message.body?.length ?? 0)
      messages.push(message)
    }
    page.add(octets)
  }

  #headerOctets(uid: number, ghostsSince: number | undefined): Buffer | undefined {
    const [row] = this.#rows(octetHeader, [uid, uid], ghostsSince, 1)
    return row && octetHeader.read(row).header
  }
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
