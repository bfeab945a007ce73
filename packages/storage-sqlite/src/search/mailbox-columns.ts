import type { MailboxId } from '@pennypost/model'
import { requireMailbox } from '../reader/mailboxes.ts'
import type { Reader } from '../reader/reader.ts'

/**
 * Columns of all messages of a mailbox that never change, in memory for searches: read once, then brought up to date by
 * what came and what was expunged since. Flags and MODSEQs are not among them.
 */
export interface ColumnKind {
  /** Behind `uid`, in SQL. */
  columns: string
  tables: string
  /** How many columns. */
  width: number
  /** Number for a value that is none. Null becomes NaN. */
  number?(value: unknown): number
}

/** One state of the mailbox; what comes later does not change it. */
export interface ColumnView {
  count: number
  /** Rising; the first `count` count. */
  uids: Uint32Array
  /** By column, in the order of the kind. */
  columns: readonly Float64Array[]
}

/** Rows that are read without a turn of the loop: some milliseconds. */
const sliceRows = 4000

export class MailboxColumns {
  readonly #mailbox: MailboxId
  readonly #kind: ColumnKind
  #count = 0
  #uids: Uint32Array
  #columns: Float64Array[]
  #modSeq = 0
  #whole = false

  constructor(mailbox: MailboxId, kind: ColumnKind) {
    this.#mailbox = mailbox
    this.#kind = kind
    this.#uids = new Uint32Array(0)
    this.#columns = Array.from({ length: kind.width }, () => new Float64Array(0))
  }

  get count(): number {
    return this.#count
  }

  /** The newest state. Rejects with `no-such-mailbox`. */
  async refresh(reader: Reader): Promise<ColumnView> {
    while (!reader.together(() => this.#step(reader))) {
      await reader.turn()
    }
    return { count: this.#count, uids: this.#uids, columns: this.#columns }
  }

  /** Reads a slice; true when what is here is one state of the mailbox, the newest. */
  #step(reader: Reader): boolean {
    const { mailbox, expungeFloor } = requireMailbox(reader, this.#mailbox)
    if (this.#whole && mailbox.highestModSeq === this.#modSeq) return true
    this.#takeOut(reader, expungeFloor)
    this.#modSeq = mailbox.highestModSeq
    const last = this.#count === 0 ? 0 : (this.#uids[this.#count - 1] as number)
    const { columns, tables } = this.#kind
    const rows = reader
      .raw(`SELECT uid, ${columns} FROM ${tables} WHERE mailbox = ? AND uid > ? ORDER BY uid LIMIT ?`)
      .all(this.#mailbox, last, sliceRows) as unknown[][]
    this.#reserve(this.#count + rows.length)
    for (const row of rows) this.#push(row)
    this.#whole = rows.length < sliceRows
    return this.#whole
  }

  /** What was expunged since the last step. Into new arrays: a search may go over the old ones. */
  #takeOut(reader: Reader, expungeFloor: number): void {
    if (this.#count === 0) return
    if (this.#modSeq < expungeFloor) {
      this.#count = 0
      this.#uids = new Uint32Array(0)
      this.#columns = this.#columns.map(() => new Float64Array(0))
      return
    }
    const gone = reader
      .raw('SELECT first, last FROM changes WHERE mailbox = ? AND expunged = 1 AND modseq > ? ORDER BY first')
      .all(this.#mailbox, this.#modSeq) as [number, number][]
    if (gone.length === 0) return
    const kept = keptIndexes(this.#uids.subarray(0, this.#count), gone)
    this.#uids = kept.map((at) => this.#uids[at] as number)
    this.#columns = this.#columns.map((column) => Float64Array.from(kept, (at) => column[at] as number))
    this.#count = kept.length
  }

  #push(row: readonly unknown[]): void {
    const { number } = this.#kind
    const at = this.#count++
    this.#uids[at] = row[0] as number
    for (const [index, column] of this.#columns.entries()) {
      const value = row[index + 1]
      column[at] = typeof value === 'number' ? value : value === null ? Number.NaN : (number?.(value) ?? Number.NaN)
    }
  }

  #reserve(count: number): void {
    if (count <= this.#uids.length) return
    const size = this.#uids.length === 0 ? count : Math.max(count, Math.ceil(this.#uids.length * 1.5))
    const uids = new Uint32Array(size)
    uids.set(this.#uids)
    this.#uids = uids
    this.#columns = this.#columns.map((column) => {
      const grown = new Float64Array(size)
      grown.set(column)
      return grown
    })
  }
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

/** How many rows are kept in memory, over all mailboxes. */
const rowsKept = 1_000_000

/** Columns of the mailboxes that were searched last. */
export class ColumnCache<Value> {
  readonly #make: (mailbox: MailboxId) => Value
  readonly #count: (value: Value) => number
  readonly #values = new Map<MailboxId, Value>()

  constructor(make: (mailbox: MailboxId) => Value, count: (value: Value) => number) {
    this.#make = make
    this.#count = count
  }

  /** Forgets what has not been asked for for the longest time. */
  of(mailbox: MailboxId): Value {
    const value = this.#values.get(mailbox) ?? this.#make(mailbox)
    this.#values.delete(mailbox)
    this.#values.set(mailbox, value)
    let rows = 0
    for (const [id, other] of [...this.#values].reverse()) {
      rows += this.#count(other)
      if (rows > rowsKept && other !== value) this.#values.delete(id)
    }
    return value
  }

  /** The mailbox is gone. */
  drop(mailbox: MailboxId): void {
    this.#values.delete(mailbox)
  }
}
