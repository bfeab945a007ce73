import { highestUid, type MailboxId, type SearchText } from '@pennypost/model'
import { readFloors, requireMailbox } from '../reader/mailboxes.ts'
import type { Reader } from '../reader/reader.ts'
import { Filings } from './filings.ts'

/**
 * Which message each UID of a mailbox is, and the folded text of its delivery block, which is no part of the message: in
 * memory for searches, read once, then brought up to date by what came and what was expunged since. Equal blocks are kept
 * once; those that no message has any more go when they are many.
 */
export class FilingColumns {
  readonly #mailbox: MailboxId
  readonly #text: SearchText
  /** Texts of delivery blocks. */
  #deliveries: string[] = []
  /** Their places, by the octets of the blocks. */
  #known = new Map<string, number>()
  #count = 0
  #uids = new Uint32Array(0)
  #messages = new Float64Array(0)
  /** Place of each one's delivery block. */
  #blocks = new Uint32Array(0)
  #modSeq = 0
  #whole = false
  /** Made of the newest state; undefined once it is another. */
  #filings: Filings | undefined

  constructor(mailbox: MailboxId, text: SearchText) {
    this.#mailbox = mailbox
    this.#text = text
  }

  /** Rows and blocks, and what a mailbox takes that has none. */
  get weight(): number {
    return this.#count + this.#deliveries.length + emptyWeight
  }

  /** The newest state; what comes later does not change it. Rejects with `no-such-mailbox`. */
  async refresh(reader: Reader): Promise<Filings> {
    while (!reader.together(() => this.#step(reader))) await reader.turn()
    this.#filings ??= new Filings({
      count: this.#count,
      uids: this.#uids,
      messages: this.#messages,
      blocks: this.#blocks,
      deliveries: this.#deliveries,
    })
    return this.#filings
  }

  /** Reads a slice; true when what is here is one state of the mailbox, the newest. */
  #step(reader: Reader): boolean {
    const { highestModSeq } = requireMailbox(reader, this.#mailbox)
    if (this.#whole && highestModSeq === this.#modSeq) return true
    this.#takeOut(reader)
    this.#modSeq = highestModSeq
    const last = this.#uids[this.#count - 1] ?? 0
    const rows = reader
      .raw('SELECT uid, message, delivery FROM filings WHERE mailbox = ? AND uid > ? ORDER BY uid LIMIT ?')
      .all(this.#mailbox, last, sliceRows) as [number, number, Buffer][]
    this.#push(rows)
    this.#whole = rows.length < sliceRows
    return this.#whole
  }

  /** What was expunged since the last step. Into new arrays: a search may go over the old ones. */
  #takeOut(reader: Reader): void {
    if (this.#count === 0) return
    const { expungeFloor } = readFloors(reader, this.#mailbox)
    const gone = this.#modSeq < expungeFloor ? everything : this.#expunged(reader)
    if (gone.length === 0) return
    const kept = keptIndexes(this.#uids.subarray(0, this.#count), gone)
    this.#uids = kept.map((at) => this.#uids[at] as number)
    this.#messages = Float64Array.from(kept, (at) => this.#messages[at] as number)
    this.#blocks = kept.map((at) => this.#blocks[at] as number)
    this.#count = kept.length
    this.#filings = undefined
    if (this.#deliveries.length > 2 * this.#count + fewBlocks) this.#dropUnused()
  }

  /** Each sender has a block of its own. Into new arrays, likewise. */
  #dropUnused(): void {
    const places = new Map([...new Set(this.#blocks)].map((block, place) => [block, place]))
    this.#deliveries = [...places.keys()].map((block) => this.#deliveries[block] as string)
    const known = [...this.#known].map(([octets, block]) => [octets, places.get(block)] as const)
    this.#known = new Map(known.filter((entry): entry is [string, number] => entry[1] !== undefined))
    this.#blocks = this.#blocks.map((block) => places.get(block) as number)
  }

  #expunged(reader: Reader): [number, number][] {
    return reader
      .raw('SELECT first, last FROM changes WHERE mailbox = ? AND expunged = 1 AND modseq > ? ORDER BY first')
      .all(this.#mailbox, this.#modSeq) as [number, number][]
  }

  #push(rows: readonly [number, number, Buffer][]): void {
    if (rows.length === 0) return
    this.#reserve(this.#count + rows.length)
    for (const [uid, message, delivery] of rows) {
      const at = this.#count++
      this.#uids[at] = uid
      this.#messages[at] = message
      this.#blocks[at] = this.#blockOf(delivery)
    }
    this.#filings = undefined
  }

  #blockOf(delivery: Buffer): number {
    const octets = delivery.toString('latin1')
    const known = this.#known.get(octets)
    if (known !== undefined) return known
    const block = this.#deliveries.push(this.#text.headerText(delivery)) - 1
    this.#known.set(octets, block)
    return block
  }

  #reserve(count: number): void {
    if (count <= this.#uids.length) return
    const size = Math.max(count, Math.ceil(this.#uids.length * 1.5))
    this.#uids = grown(new Uint32Array(size), this.#uids)
    this.#messages = grown(new Float64Array(size), this.#messages)
    this.#blocks = grown(new Uint32Array(size), this.#blocks)
  }
}

/** Rows that are read without a turn of the loop: some milliseconds. */
const sliceRows = 4000

/** So many are not worth tidying up. */
const fewBlocks = 100

const everything: readonly [number, number][] = [[1, highestUid]]

function grown<Column extends Uint32Array | Float64Array>(to: Column, from: Column): Column {
  to.set(from)
  return to
}

/** Where the UIDs stand that are in none of the ranges (by their first, perhaps overlapping). */
function keptIndexes(uids: Uint32Array, gone: readonly (readonly [number, number])[]): Uint32Array {
  const kept = new Uint32Array(uids.length)
  let count = 0
  let range = 0
  let end = 0
  for (const [at, uid] of uids.entries()) {
    for (let next = gone[range]; next && next[0] <= uid; next = gone[++range]) end = Math.max(end, next[1])
    if (uid > end) kept[count++] = at
  }
  return kept.subarray(0, count)
}

/** A kilobyte. */
const emptyWeight = 50

/** The columns of the mailboxes that were searched last. */
export class FilingColumnsCache {
  readonly #text: SearchText
  readonly #most: number
  readonly #mailboxes = new Map<MailboxId, FilingColumns>()

  /** @param most weight that is kept in memory, over all mailboxes */
  constructor(text: SearchText, most = 1_000_000) {
    this.#text = text
    this.#most = most
  }

  /** Forgets what has not been asked for for the longest time. */
  of(mailbox: MailboxId): FilingColumns {
    const columns = this.#mailboxes.get(mailbox) ?? new FilingColumns(mailbox, this.#text)
    this.#mailboxes.delete(mailbox)
    this.#mailboxes.set(mailbox, columns)
    let weight = 0
    for (const [id, other] of [...this.#mailboxes].reverse()) {
      weight += other.weight
      if (weight > this.#most && other !== columns) this.#mailboxes.delete(id)
    }
    return columns
  }

  /** The mailbox is gone. */
  drop(mailbox: MailboxId): void {
    this.#mailboxes.delete(mailbox)
  }
}
