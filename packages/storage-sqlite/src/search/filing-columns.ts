import type { MailboxId, SearchText } from '@pennypost/model'
import type { Reader } from '../reader/reader.ts'
import { type ColumnView, MailboxColumns } from './mailbox-columns.ts'

/**
 * Which message each UID of a mailbox is, and the folded text of its delivery block, which is no part of the message.
 * Equal blocks are kept once.
 */
export class FilingColumns {
  readonly #columns: MailboxColumns
  readonly #deliveries: string[] = []
  readonly #known = new Map<string, number>()
  #filings: Filings | undefined

  constructor(mailbox: MailboxId, text: SearchText) {
    this.#columns = new MailboxColumns(mailbox, {
      columns: 'message, delivery',
      tables: 'filings',
      width: 2,
      number: (delivery) => this.#deliveryNumber(delivery as Buffer, text),
    })
  }

  get count(): number {
    return this.#columns.count
  }

  /** The newest state. Rejects with `no-such-mailbox`. */
  async refresh(reader: Reader): Promise<Filings> {
    const view = await this.#columns.refresh(reader)
    if (!this.#filings?.isOf(view)) this.#filings = new Filings(view, this.#deliveries)
    return this.#filings
  }

  #deliveryNumber(delivery: Buffer, text: SearchText): number {
    const octets = delivery.toString('latin1')
    const known = this.#known.get(octets)
    if (known !== undefined) return known
    const number = this.#deliveries.push(text.headerText(delivery)) - 1
    this.#known.set(octets, number)
    return number
  }
}

/** One state of a mailbox: messages by place, in order of UID. */
export class Filings {
  readonly count: number
  readonly #uids: Uint32Array
  readonly #messages: Float64Array
  readonly #numbers: Float64Array
  readonly #deliveries: readonly string[]
  /** Places in order of message; undefined when they are in order already, as where nothing was ever copied in. */
  #order: Uint32Array | undefined
  readonly first: number
  readonly last: number

  constructor(view: ColumnView, deliveries: readonly string[]) {
    this.count = view.count
    this.#uids = view.uids
    this.#messages = view.columns[0] as Float64Array
    this.#numbers = view.columns[1] as Float64Array
    this.#deliveries = deliveries
    if (!this.#isOrdered()) this.#order = this.#sorted()
    this.first = this.count === 0 ? 0 : this.message(this.#placeAt(0))
    this.last = this.count === 0 ? 0 : this.message(this.#placeAt(this.count - 1))
  }

  /** Whether it was made of this state: arrays are replaced when anything is taken out of them. */
  isOf({ count, uids }: ColumnView): boolean {
    return count === this.count && uids === this.#uids
  }

  uid(place: number): number {
    return this.#uids[place] as number
  }

  message(place: number): number {
    return this.#messages[place] as number
  }

  delivery(place: number): string {
    return this.#deliveries[this.#numbers[place] as number] as string
  }

  /** The first place whose UID is not below this one. */
  placeOf(uid: number): number {
    return lowerBound(this.count, (place) => this.uid(place) < uid)
  }

  /** Places of a message; more than one when it was copied within the mailbox. */
  *placesOf(message: number): Generator<number> {
    const from = lowerBound(this.count, (index) => this.message(this.#placeAt(index)) < message)
    for (let index = from; index < this.count; index++) {
      const place = this.#placeAt(index)
      if (this.message(place) !== message) return
      yield place
    }
  }

  /** Places of messages above an id. */
  *placesAbove(message: number): Generator<number> {
    const from = lowerBound(this.count, (index) => this.message(this.#placeAt(index)) <= message)
    for (let index = from; index < this.count; index++) yield this.#placeAt(index)
  }

  /** Places whose delivery block contains the needle. */
  *placesDelivered(needle: string): Generator<number> {
    const having = new Uint8Array(this.#deliveries.length)
    let some = false
    for (const [number, text] of this.#deliveries.entries()) {
      if (!text.includes(needle)) continue
      having[number] = 1
      some = true
    }
    if (!some) return
    for (let place = 0; place < this.count; place++) {
      if (having[this.#numbers[place] as number] === 1) yield place
    }
  }

  #placeAt(index: number): number {
    return this.#order ? (this.#order[index] as number) : index
  }

  #isOrdered(): boolean {
    for (let place = 1; place < this.count; place++) {
      if ((this.#messages[place] as number) < (this.#messages[place - 1] as number)) return false
    }
    return true
  }

  #sorted(): Uint32Array {
    return Uint32Array.from({ length: this.count }, (_, place) => place).sort(
      (a, b) => this.message(a) - this.message(b),
    )
  }
}

/** The first index for which `isBelow` does not hold, if it holds for all before and for none behind. */
function lowerBound(count: number, isBelow: (index: number) => boolean): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBelow(middle)) low = middle + 1
    else high = middle
  }
  return low
}
