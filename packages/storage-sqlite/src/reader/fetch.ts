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
    const hasOctets = need.body || need.header || need.headerText
    this.#fitting = need.body ? 8 : hasOctets ? 32 : this.#plan.mostAtOnce
  }

  page(ghostsSince: number | undefined): FetchedMessage[] {
    const page = this.#reader.page()
    const messages: FetchedMessage[] = []
    for (let span = this.cursor.current; span && !page.isFull; span = this.cursor.current) {
      // All at once is cheaper for each, but what does not fit would be read in vain.
      const limit = Math.min(page.rowsLeft, this.#fitting)
      const rows = this.#rows(this.#plan.rows, span, ghostsSince, limit)
      const taken = this.#takeRows(rows, page, messages, ghostsSince)
      if (taken === rows.length && taken < limit) this.cursor.exhausted()
      else this.cursor.readUpTo((rows[taken - 1] as Row)[0])
      this.#fitting = Math.max(1, Math.min(this.#plan.mostAtOnce, page.rowsFitting))
    }
    return messages
  }

  #rows(
    { sql, sqlWithGhosts }: FetchPlan['rows'],
    [from, to]: readonly [number, number],
    ghostsSince: number | undefined,
    limit: number,
  ): Row[] {
    const range = [this.#mailbox, from, to]
    if (ghostsSince === undefined) return this.#reader.raw(sql).all(...range, limit) as Row[]
    return this.#reader.raw(sqlWithGhosts).all(...range, ...range, ghostsSince, limit) as Row[]
  }
  /** Gives how many it has taken: no more once a large one has filled the page. */
  #takeRows(rows: readonly Row[], page: Page, messages: FetchedMessage[], ghostsSince: number | undefined): number {
    let taken = 0
    for (const row of rows) {
      taken++
      const uid = row[0]
      const isWanted = this.#uids.has(uid)
      const isCut = isWanted && this.#plan.isCut(row)
      const whole = isCut ? this.#one(this.#plan, uid, ghostsSince) : row
      const message = isWanted && whole ? this.#messageOf(whole, ghostsSince) : undefined
      if (message) messages.push(message)
      page.add(isCut ? octetsOf(whole ?? row) : octetsIn(message))
      if (isCut && page.isFull) break
    }
    return taken
  }

  /** Undefined when it was expunged between two reads. */
  #messageOf(row: Row, ghostsSince: number | undefined): FetchedMessage | undefined {
    const message = this.#plan.read(row)
    if (!this.#need.headerText || message.headerText !== undefined) return message
    const whole = this.#one(octetHeader, row[0], ghostsSince)
    if (!whole) return undefined
    message.header = octetHeader.read(whole).header as Buffer
    return message
  }

  #one({ whole }: FetchPlan, uid: number, ghostsSince: number | undefined): Row | undefined {
    return this.#rows(whole, [uid, uid], ghostsSince, 1)[0]
  }
}

function octetsIn(message: FetchedMessage | undefined): number {
  return (message?.headerText ?? message?.header ?? '').length + (message?.body?.length ?? 0)
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
