import type { Statements } from '../statements.ts'
import { blockSize, OpenBlock, placesHaving, slicesPerBlock } from './block.ts'

/**
 * The signatures of all texts: full blocks of `blockSize` messages in search.db, cut into slices so that a search reads
 * one slice per bit of its needle and block; and the newest messages in a block in memory, which is made again from their
 * texts at start. Blocks cover ranges of message ids that do not overlap. Whoever calls a method that writes has a
 * transaction open, and calls `load` when it was rolled back.
 */
interface Block {
  id: number
  /** Ids of its messages lie between, inclusive. */
  first: number
  last: number
  /** How many of its messages are still there. */
  alive: number
}

/** What is signed of a message; `undefined` for one whose text is not kept. */
export type Texts = readonly string[] | undefined

export class Blocks {
  readonly #statements: Statements
  /** By range, rising. */
  #closed: Block[] = []
  readonly #open = new OpenBlock()
  /** How many messages of the open block have gone. */
  #gone = 0

  constructor(statements: Statements) {
    this.#statements = statements
  }

  /** Reads what is on disk; `texts` gives the messages above an id, for the open block. */
  load(texts: (above: number) => Iterable<readonly [message: number, texts: Texts]>): void {
    this.#closed = this.#statements
      .sql('SELECT id, first, last, alive FROM blocks ORDER BY first')
      .all() as unknown as Block[]
    this.#clear()
    for (const [message, own] of texts(this.#closed.at(-1)?.last ?? 0)) this.#open.add(message, own)
  }

  /** Blocks with messages in a range of ids. */
  count(first: number, last: number): number {
    return this.#within(first, last).length
  }

  /** Adds the newest message. */
  add(message: number, texts: Texts): void {
    if (this.#open.isFull) this.#flush()
    this.#open.add(message, texts)
  }

  /** Messages of a range of ids that have all these bits, rising. Some may be gone. */
  having(bits: readonly number[], first: number, last: number): number[] {
    const found: number[] = []
    const slice = this.#statements.pluck('SELECT bits FROM slices WHERE id = ?')
    for (const block of this.#within(first, last)) {
      const places = placesHaving(bits, (number) => slice.get(block.id * slicesPerBlock + number) as Buffer)
      if (places.length === 0) continue
      const messages = this.#statements.pluck('SELECT messages FROM blocks WHERE id = ?').get(block.id) as Buffer
      for (const place of places) if (place * 8 < messages.length) found.push(messages.readDoubleLE(place * 8))
    }
    found.push(...this.#open.having(bits))
    return found.filter((message) => message >= first && message <= last)
  }

  /** A message that was there has gone. */
  forget(message: number): void {
    const at = this.#closed.findIndex(({ first, last }) => message >= first && message <= last)
    const block = this.#closed[at]
    if (!block) {
      this.#gone++
      return
    }
    block.alive--
    if (block.alive > 0) {
      this.#statements.sql('UPDATE blocks SET alive = ? WHERE id = ?').run(block.alive, block.id)
      return
    }
    this.#drop(block)
    this.#closed.splice(at, 1)
  }

  /**
   * Joins two neighbours of which little is left into one; gives whether there were any. `texts`: of the messages of a
   * range, rising.
   */
  join(texts: (first: number, last: number) => Iterable<readonly [message: number, texts: Texts]>): boolean {
    const at = this.#closed.findIndex((block, index) => {
      const next = this.#closed[index + 1]
      return next !== undefined && block.alive + next.alive <= blockSize / 2
    })
    const [one, two] = this.#closed.slice(at, at + 2)
    if (at < 0 || !one || !two) return false
    const joined = new OpenBlock()
    for (const [message, own] of texts(one.first, two.last)) joined.add(message, own)
    this.#drop(one)
    this.#drop(two)
    this.#closed.splice(at, 2, ...this.#write(joined, 0))
    return true
  }

  #within(from: number, to: number): Block[] {
    return this.#closed.filter(({ first, last }) => last >= from && first <= to)
  }

  #flush(): void {
    this.#closed.push(...this.#write(this.#open, this.#gone))
    this.#clear()
  }

  #clear(): void {
    this.#open.clear()
    this.#gone = 0
  }

  /** `gone`: how many of its messages are no longer there. Nothing is written of a block that has no others. */
  #write(open: OpenBlock, gone: number): Block[] {
    const { messages } = open
    const [first, last, alive] = [messages[0], messages.at(-1), messages.length - gone]
    if (first === undefined || last === undefined || alive === 0) return []
    const { lastInsertRowid } = this.#statements
      .sql('INSERT INTO blocks (first, last, alive, messages) VALUES (?, ?, ?, ?)')
      .run(first, last, alive, doubles(messages))
    const id = Number(lastInsertRowid)
    const insert = this.#statements.sql('INSERT INTO slices (id, bits) VALUES (?, ?)')
    let number = id * slicesPerBlock
    for (const slice of open.slices()) insert.run(number++, slice)
    return [{ id, first, last, alive }]
  }

  #drop({ id }: Block): void {
    this.#statements.sql('DELETE FROM blocks WHERE id = ?').run(id)
    this.#statements
      .sql('DELETE FROM slices WHERE id BETWEEN ? AND ?')
      .run(id * slicesPerBlock, (id + 1) * slicesPerBlock - 1)
  }
}

function doubles(numbers: readonly number[]): Buffer {
  const octets = Buffer.alloc(numbers.length * 8)
  for (const [at, number] of numbers.entries()) octets.writeDoubleLE(number, at * 8)
  return octets
}
