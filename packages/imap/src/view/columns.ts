import type { FetchedMessage, MailStore, SearchSubject } from '@pennypost/model'
import { codePointOrder } from '../sort/code-point-order.ts'
import { mergeSort } from '../sort/merge-sort.ts'
import { placeOf } from './lower-bound.ts'
import { type KnownMailbox, ReadOn, withRoom } from './read-on.ts'

/** The fields of the index that messages are sorted by as texts. */
export type TextField = 'baseSubject' | 'sortFrom' | 'sortTo' | 'sortCc' | 'displayFrom' | 'displayTo'

/**
 * Dates and sizes of the messages of an open mailbox, and the ranks of their texts: what SORT and SEARCH compare, read
 * at the first command that asks for it and kept beside the flags. 34 octets a message, 4 more for each text.
 *
 * Messages that were expunged stay in it until it is made anew: places are found by UID, never by those of the mailbox.
 */
export class Columns {
  count = 0
  uids = new Uint32Array(0)
  internalAt = new Float64Array(0)
  internalOffset = new Int16Array(0)
  savedAt = new Float64Array(0)
  size = new Float64Array(0)
  /** NaN where there is no Date field. */
  sentAt = new Float64Array(0)
  /** yyyymmdd; 0 likewise. */
  sentDay = new Int32Array(0)
  readonly #mail: MailStore
  readonly #open: KnownMailbox
  readonly #readOn: ReadOn
  readonly #ranks = new Map<TextField, Ranks>()

  constructor(mail: MailStore, open: KnownMailbox) {
    this.#mail = mail
    this.#open = open
    const need = { index: ['sentAt', 'sentDay'] as const }
    this.#readOn = new ReadOn(mail, open, need, (row) => this.#add(row))
  }

  /** Resolves when everything is in it that the mailbox has at the call. */
  async upToDate(): Promise<void> {
    await this.#readOn.upToDate()
    if (this.count > 2 * this.#open.count + fewMessages) this.#dropGone()
  }

  /** -1 when it is not in it. `near`: where it may be. */
  placeOf(uid: number, near: number): number {
    return placeOf(this.uids, this.count, uid, near)
  }

  /** Puts what is at the place into the subject of a search. */
  describe(place: number, row: NonNullable<SearchSubject['row']>): void {
    row.size = this.size[place] as number
    row.internalDate.at = this.internalAt[place] as number
    row.internalDate.offsetMinutes = this.internalOffset[place] as number
    row.savedAt = this.savedAt[place] as number
    row.sentDay = this.sentDay[place] || null
  }

  /** What texts are compared by. Read anew, and sorted anew, when messages have come since the last time. */
  async ranks(field: TextField): Promise<Ranks> {
    const known = this.#ranks.get(field)
    const { uids, count } = this.#open
    const upTo = count === 0 ? 0 : (uids[count - 1] as number)
    if (known && known.upTo >= upTo) return known
    const found: number[] = []
    const texts: string[] = []
    await new ReadOn(this.#mail, this.#open, { index: [field] }, ({ uid, index }) => {
      found.push(uid)
      texts.push(codePointOrder(index?.[field] ?? ''))
    }).upToDate()
    const ranks = { upTo, uids: Uint32Array.from(found), ranks: await ranksOf(texts) }
    this.#ranks.set(field, ranks)
    return ranks
  }

  #add({ uid, internalDate, savedAt, size, index }: FetchedMessage): void {
    const place = this.count++
    this.#reserve(this.count)
    this.uids[place] = uid
    this.internalAt[place] = internalDate.at
    this.internalOffset[place] = internalDate.offsetMinutes
    this.savedAt[place] = savedAt
    this.size[place] = size
    this.sentAt[place] = index?.sentAt ?? Number.NaN
    this.sentDay[place] = index?.sentDay ?? 0
  }

  #reserve(size: number): void {
    if (size <= this.uids.length) return
    for (const name of arrays) Object.assign(this, { [name]: withRoom<Numbers>(this[name], size) })
  }

  #dropGone(): void {
    const { uids, count } = this.#open
    let near = 0
    const kept: number[] = []
    for (let place = 0; place < this.count; place++) {
      const index = placeOf(uids, count, this.uids[place] as number, near)
      if (index < 0) continue
      kept.push(place)
      near = index + 1
    }
    for (const name of arrays) {
      const before: Numbers = this[name]
      const after = withRoom<Numbers>(before.slice(0, 0), kept.length)
      for (let place = 0; place < kept.length; place++) after[place] = before[kept[place] as number] as number
      Object.assign(this, { [name]: after })
    }
    this.count = kept.length
  }
}

const arrays = ['uids', 'internalAt', 'internalOffset', 'savedAt', 'size', 'sentAt', 'sentDay'] as const
type Numbers = Uint32Array | Int32Array | Int16Array | Float64Array
const fewMessages = 1000

/** For each of the UIDs a number that is less where its text is; equal texts have equal numbers. */
export interface Ranks {
  /** Everything up to this UID is in it. */
  upTo: number
  uids: Uint32Array
  ranks: Uint32Array
}

async function ranksOf(texts: readonly string[]): Promise<Uint32Array> {
  const ranks = new Uint32Array(texts.length)
  const order = await mergeSort(texts.length, (a, b) => {
    const one = texts[a] as string
    const other = texts[b] as string
    return one === other ? 0 : one < other ? -1 : 1
  })
  let rank = 0
  for (let at = 1; at < order.length; at++) {
    if (texts[order[at] as number] !== texts[order[at - 1] as number]) rank++
    ranks[order[at] as number] = rank
  }
  return ranks
}
