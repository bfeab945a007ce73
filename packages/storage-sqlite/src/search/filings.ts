/** Columns side by side; the first `count` of each count. */
export interface FilingsState {
  count: number
  /** Rising. */
  uids: Uint32Array
  messages: Float64Array
  /** Place of each one's delivery block in `deliveries`. */
  blocks: Uint32Array
  deliveries: readonly string[]
}

/** One state of a mailbox for a search: messages by place, in order of UID. Made by `filing-columns.ts`. */
export class Filings {
  readonly count: number
  readonly #uids: Uint32Array
  readonly #messages: Float64Array
  readonly #blocks: Uint32Array
  readonly #deliveries: readonly string[]
  /** Places in order of message; undefined when they are in order already, as where nothing was ever copied in. */
  #order: Uint32Array | undefined
  /** Ids of the oldest and the newest message; 0 where there is none. */
  readonly first: number
  readonly last: number

  constructor({ count, uids, messages, blocks, deliveries }: FilingsState) {
    this.count = count
    this.#uids = uids
    this.#messages = messages
    this.#blocks = blocks
    this.#deliveries = deliveries
    if (!this.#isOrdered()) this.#order = this.#sorted()
    this.first = count === 0 ? 0 : this.message(this.#placeAt(0))
    this.last = count === 0 ? 0 : this.message(this.#placeAt(count - 1))
  }

  uid(place: number): number {
    return this.#uids[place] as number
  }

  message(place: number): number {
    return this.#messages[place] as number
  }

  delivery(place: number): string {
    return this.#deliveries[this.#blocks[place] as number] as string
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

  /** Places whose delivery block contains the needle. */
  *placesDelivered(needle: string): Generator<number> {
    const having = new Uint8Array(this.#deliveries.length)
    let some = false
    for (const [block, text] of this.#deliveries.entries()) {
      if (!text.includes(needle)) continue
      having[block] = 1
      some = true
    }
    if (!some) return
    for (let place = 0; place < this.count; place++) {
      if (having[this.#blocks[place] as number] === 1) yield place
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
