import type { Statements } from '../statements.ts'
import { blockSize, OpenBlock, placesHaving, slicesPerBlock } from './block.ts'

/**
 * The signatures of all texts: full blocks of `blockSize` messages in search.db, cut into slices so that a search reads
 * one slice per bit of its needle and block; and the messages that were added last in a block in memory, the open one,
 * which is made again from their texts at start. `texts.block` says in which block a message is. Whoever calls a method
 * that writes has a transaction open, and calls `load` when it was rolled back.
 */
interface Block {
  id: number
  /** Ids of its messages lie between, inclusive; those of others may, too. */
  first: number
  last: number
  /** How many of its messages are still there. */
  alive: number
}

/** What is signed of a message; `undefined` for one whose text is not kept. */
export type Texts = readonly string[] | undefined

export class Blocks {
  readonly #statements: Statements
  readonly #textsIn: (block: number) => Iterable<readonly [message: number, texts: Texts]>
  #closed: Block[] = []
  readonly #open = new OpenBlock()
  #openId = 0
  /** How many messages of the open block have gone. */
  #gone = 0

  /** @param textsIn messages that are in a block, and what is signed of them */
  constructor(statements: Statements, textsIn: (block: number) => Iterable<readonly [message: number, texts: Texts]>) {
    this.#statements = statements
    this.#textsIn = textsIn
  }

  /** Reads what is on disk. */
  load(): void {
    this.#closed = this.#statements
      .sql('SELECT id, first, last, alive FROM blocks ORDER BY id')
      .all() as unknown as Block[]
    this.#clear(this.#meta('openBlock'))
    for (const [message, own] of this.#textsIn(this.#openId)) this.#open.add(message, own)
  }

  /** Blocks with messages in a range of ids. */
  count(first: number, last: number): number {
    return this.#within(first, last).length
  }

  /** Adds a message; gives the block in which it is. */
  add(message: number, texts: Texts): number {
    if (this.#open.isFull) this.#flush()
    this.#open.add(message, texts)
    return this.#openId
  }

  /** Messages of a range of ids that have all these bits. Some may be gone. */
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

  /** A message of this block has gone. */
  forget(id: number): void {
    const at = this.#closed.findIndex((block) => block.id === id)
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

  /** Joins two neighbours of which little is left into one; gives whether there were any. */
  join(): boolean {
    const at = this.#closed.findIndex((block, index) => {
      const next = this.#closed[index + 1]
      return next !== undefined && block.alive + next.alive <= blockSize / 2
    })
    const [one, two] = this.#closed.slice(at, at + 2)
    if (at < 0 || !one || !two) return false
    const joined = new OpenBlock()
    for (const { id } of [one, two]) for (const [message, own] of this.#textsIn(id)) joined.add(message, own)
    this.#drop(one)
    this.#drop(two)
    const id = this.#nextId()
    this.#statements.sql('UPDATE texts SET block = ? WHERE block IN (?, ?)').run(id, one.id, two.id)
    this.#closed.splice(at, 2, ...this.#write(id, joined, 0))
    return true
  }

  #within(from: number, to: number): Block[] {
    return this.#closed.filter(({ first, last }) => last >= from && first <= to)
  }

  #flush(): void {
    this.#closed.push(...this.#write(this.#openId, this.#open, this.#gone))
    this.#clear(this.#nextId())
    this.#setMeta('openBlock', this.#openId)
  }

  #clear(openId: number): void {
    this.#open.clear()
    this.#openId = openId
    this.#gone = 0
  }

  /** `gone`: how many of its messages are no longer there. Nothing is written of a block that has no others. */
  #write(id: number, open: OpenBlock, gone: number): Block[] {
    const { messages } = open
    const alive = messages.length - gone
    if (alive === 0) return []
    const first = messages.reduce((a, b) => Math.min(a, b))
    const last = messages.reduce((a, b) => Math.max(a, b))
    this.#statements
      .sql('INSERT INTO blocks (id, first, last, alive, messages) VALUES (?, ?, ?, ?, ?)')
      .run(id, first, last, alive, doubles(messages))
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

  /** No two blocks ever have the same. */
  #nextId(): number {
    const id = this.#meta('newestBlock') + 1
    this.#setMeta('newestBlock', id)
    return id
  }

  #meta(key: string): number {
    return this.#statements.pluck('SELECT value FROM meta WHERE key = ?').get(key) as number
  }

  #setMeta(key: string, value: number): void {
    this.#statements.sql('UPDATE meta SET value = ? WHERE key = ?').run(value, key)
  }
}

function doubles(numbers: readonly number[]): Buffer {
  const octets = Buffer.alloc(numbers.length * 8)
  for (const [at, number] of numbers.entries()) octets.writeDoubleLE(number, at * 8)
  return octets
}
