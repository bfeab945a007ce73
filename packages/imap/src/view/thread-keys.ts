import { hash } from 'node:crypto'
import type { FetchedMessage, MailStore } from '@pennypost/model'
import type { ThreadText } from '../thread/print.ts'
import type { ThreadAlgorithm } from '../thread/thread.ts'
import { type KnownMailbox, ReadOn, withRoom } from './read-on.ts'

/**
 * What threads are made from: for each message in order of UID its date, and numbers that stand for its subject and for
 * message ids, equal ones for equal texts. What is in it never changes; there may be messages that have gone.
 */
export interface ThreadTable {
  readonly count: number
  readonly uids: Uint32Array
  readonly sentAt: Float64Array
  /** Of the base subject (RFC 5256 §2.1); 0: it is empty. */
  readonly subjects: Int32Array
  /** 1 where the subject is that of a reply or forward. */
  readonly replies: Int16Array
  /** 0: none. */
  readonly messageIds: Int32Array
  /** What the message at a place refers to, oldest first: those from `ends[place - 1]` to `ends[place]`. */
  readonly references: Int32Array
  readonly ends: Uint32Array
  /** Above every number that stands for a message id. */
  readonly idCount: number
}

/** What THREAD said last. */
interface Threaded {
  algorithm: ThreadAlgorithm
  /** Of which messages, in their order. */
  uids: Uint32Array<ArrayBuffer>
  text: ThreadText
}

/** Makes the table at the first THREAD in a mailbox, and goes on with it at the next. Some 45 octets a message, and the texts. */
export class ThreadKeys {
  last: Threaded | undefined
  readonly #mail: MailStore
  readonly #open: KnownMailbox
  #table: GrowingTable

  constructor(mail: MailStore, open: KnownMailbox) {
    this.#mail = mail
    this.#open = open
    this.#table = new GrowingTable(mail, open)
  }

  /** With everything that the mailbox has at the call. */
  table(): Promise<ThreadTable> {
    if (this.#table.count > 2 * this.#open.count + fewMessages) this.#table = new GrowingTable(this.#mail, this.#open)
    return this.#table.upToDate()
  }
}

const fewMessages = 1000
/** So many message ids are known for any mailbox, and two more for each message in it. */
const fewIds = 100_000

type TableColumns = { -readonly [Key in Exclude<keyof ThreadTable, 'idCount'>]: ThreadTable[Key] }

/** The table with the reading that fills it: who waits for one gets that one, though another has taken its place. */
class GrowingTable {
  readonly #columns: TableColumns = {
    count: 0,
    uids: new Uint32Array(0),
    sentAt: new Float64Array(0),
    subjects: new Int32Array(0),
    replies: new Int16Array(0),
    messageIds: new Int32Array(0),
    references: new Int32Array(0),
    ends: new Uint32Array(0),
  }
  readonly #ids = new Numbers()
  readonly #subjects = new Numbers()
  readonly #readOn: ReadOn

  constructor(mail: MailStore, open: KnownMailbox) {
    const index = ['sentAt', 'baseSubject', 'replyOrForward', 'messageIdHeader', 'references'] as const
    this.#readOn = new ReadOn(mail, open, { index }, (row) => this.#add(row))
  }

  get count(): number {
    return this.#columns.count
  }

  async upToDate(): Promise<ThreadTable> {
    await this.#readOn.upToDate()
    return { ...this.#columns, idCount: this.#ids.count + 1 }
  }

  #add({ uid, internalDate, index = {} }: FetchedMessage): void {
    const columns = this.#columns
    const { sentAt, baseSubject = '', replyOrForward, messageIdHeader = '' } = index
    const references = this.#counted(index.references ?? [])
    const place = columns.count++
    const begin = place === 0 ? 0 : (columns.ends[place - 1] as number)
    const end = begin + references.length
    this.#reserve(place + 1, end)
    columns.uids[place] = uid
    columns.sentAt[place] = sentAt ?? internalDate.at
    columns.subjects[place] = this.#subjects.of(baseSubject)
    columns.replies[place] = replyOrForward ? 1 : 0
    columns.messageIds[place] = this.#ids.of(messageIdHeader)
    for (let i = 0; i < references.length; i++) {
      columns.references[begin + i] = this.#ids.of(references[i] as string)
    }
    columns.ends[place] = end
  }

  /** Where mail names more ids than mail does that is written by people, only what a message answers counts. */
  #counted(references: readonly string[]): readonly string[] {
    return this.#ids.count > fewIds + 2 * this.#columns.count ? references.slice(-1) : references
  }

  #reserve(messages: number, references: number): void {
    const columns = this.#columns
    if (references > columns.references.length) columns.references = withRoom(columns.references, references)
    if (messages <= columns.uids.length) return
    columns.uids = withRoom(columns.uids, messages)
    columns.sentAt = withRoom(columns.sentAt, messages)
    columns.subjects = withRoom(columns.subjects, messages)
    columns.replies = withRoom(columns.replies, messages)
    columns.messageIds = withRoom(columns.messageIds, messages)
    columns.ends = withRoom(columns.ends, messages)
  }
}

/**
 * Numbers for texts, from 1; 0 stands for the empty text. In many small maps, since one that grows large holds up everybody.
 * Of a long text its digest is kept.
 */
class Numbers {
  readonly #maps = Array.from({ length: 256 }, () => new Map<string, number>())
  count = 0

  of(text: string): number {
    if (text === '') return 0
    const key = text.length > longText ? hash('sha256', text, 'base64') : text
    const { length } = key
    const sum = key.charCodeAt(length - 1) + 7 * key.charCodeAt(length >> 1) + 31 * key.charCodeAt(length >> 2) + length
    const map = this.#maps[sum % 256] as Map<string, number>
    let number = map.get(key)
    if (number === undefined) map.set(key, (number = ++this.count))
    return number
  }
}

const longText = 128
