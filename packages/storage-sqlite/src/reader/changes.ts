import {
  type Mailbox,
  type MailboxChanges,
  type MailboxId,
  type MailboxSnapshot,
  type ModSeq,
  nextTurn,
  StoreError,
  type Uid,
  UidSet,
} from '@pennypost/model'
import { type Floors, readFloors, requireMailbox } from './mailboxes.ts'
import type { Reader } from './reader.ts'

/**
 * Snapshots of mailboxes and what changed since a cursor.
 *
 * Theory of operation: rows are read in slices, with a turn of the event loop in between, so they may be of different
 * states. Therefore a read notes the mailbox's HIGHESTMODSEQ before it begins, and when it was interrupted, it is
 * followed by a read of what changed since then, until one went through without interruption. That last read and the
 * mailbox row are of one state of the database, and so is then the whole.
 */
export async function readSnapshot(reader: Reader, id: MailboxId): Promise<MailboxSnapshot> {
  const { mailbox, marks } = await collect(reader, id, 0, false)
  return { mailbox, ...marks.columns() }
}

export async function readChanges(reader: Reader, id: MailboxId, since: ModSeq): Promise<MailboxChanges> {
  try {
    const { mailbox, marks, vanished } = await collect(reader, id, since, true)
    const { highestModSeq: modSeq, uidNext, keywords } = mailbox
    return { modSeq, uidNext, keywords, vanished, deleted: false, ...marks.columns() }
  } catch (error) {
    if (error instanceof StoreError && error.reason === 'no-such-mailbox') return goneChanges(since)
    throw error
  }
}

/** What is said of a mailbox that is not there. */
export function goneChanges(since: ModSeq): MailboxChanges {
  const cursor = { modSeq: since, uidNext: 1 as Uid, keywords: [], vanished: UidSet.empty, deleted: true }
  return { ...cursor, ...new Marks().columns() }
}

/** Rows that are read without a turn of the loop: about 2 ms. */
const sliceRows = 8000

interface Collected {
  mailbox: Mailbox
  marks: Marks
  vanished: UidSet
}

async function collect(reader: Reader, id: MailboxId, since: number, wantVanished: boolean): Promise<Collected> {
  let marks = new Marks()
  let vanished = UidSet.empty
  let cursor = since
  let log = unread(cursor)
  for (let first = true; ; first = false) {
    let read = new ChangeRead(reader, id, cursor, wantVanished || !first, log)
    while (read.logIsLong) {
      log = await readLog(reader, id, log)
      read = new ChangeRead(reader, id, cursor, wantVanished || !first, log)
    }
    const wasWhole = read.done
    while (!read.done) {
      await reader.turn()
      read.next()
    }
    const gone = read.vanished
    marks = marks.merge(read.marks, gone)
    vanished = vanished.union(gone)
    if (wasWhole) {
      // A long log: whoever asked has as much to do with it, which is not to be in the same turn of the loop.
      if (log.ranges.length > 0) await nextTurn()
      return { mailbox: read.mailbox, marks, vanished }
    }
    cursor = read.mailbox.highestModSeq
    log = unread(cursor)
  }
}

/** What has been read of the log of expunges, up to the row of `modSeq` and `first`. */
interface LogRead {
  readonly ranges: [number, number][]
  readonly modSeq: number
  readonly first: number
}

function unread(since: number): LogRead {
  return { ranges: [], modSeq: since, first: Number.MAX_SAFE_INTEGER }
}

const expungesAfter = `SELECT modseq, first, last FROM changes WHERE mailbox = ? AND expunged = 1
  AND (modseq, first) > (?, ?) ORDER BY modseq, first LIMIT ?`

/** Reads on in slices, until less than one is left. A row of the log never changes; it may be forgotten, see `isForgotten`. */
async function readLog(reader: Reader, id: MailboxId, log: LogRead): Promise<LogRead> {
  const { ranges } = log
  let { modSeq, first } = log
  for (;;) {
    const rows = reader.raw(expungesAfter).all(id, modSeq, first, sliceRows) as [number, number, number][]
    for (const row of rows) ranges.push([row[1], row[2]])
    const last = rows.at(-1)
    if (last) [modSeq, first] = last
    await reader.turn()
    if (rows.length < sliceRows) return { ranges, modSeq, first }
  }
}

/** Rows behind what has been read may be gone from the log. */
function isForgotten({ modSeq, first }: LogRead, { expungeFloor }: Floors): boolean {
  return modSeq < expungeFloor || (modSeq === expungeFloor && first !== Number.MAX_SAFE_INTEGER)
}

/** One read of what changed after `since`; 0 reads everything. */
class ChangeRead {
  readonly marks = new Marks()
  readonly mailbox: Mailbox
  done: boolean
  /** Too much of the log is left to be read at once: nothing was read. */
  readonly logIsLong: boolean
  readonly #reader: Reader
  readonly #since: number
  /** Ranges that are still to be read. */
  readonly #ranges: [number, number][]
  /** What the log says has vanished. */
  readonly #vanished: UidSet
  /** Where the log does not reach back so far, all marks pass by, and what is between them has vanished. */
  readonly #gaps: Gaps | undefined

  /** Reads the mailbox row, the log, and the first slice, all of one state. */
  constructor(reader: Reader, id: MailboxId, since: number, wantVanished: boolean, log: LogRead) {
    this.#reader = reader
    this.#since = since
    const begun = reader.together(() => {
      const mailbox = requireMailbox(reader, id)
      // Whoever asks has mostly missed nothing.
      if (since > 0 && mailbox.highestModSeq <= since)
        return { mailbox, ranges: [], vanished: UidSet.empty, gaps: undefined, done: true, logIsLong: false }
      const floors = readFloors(reader, id)
      const gaps = wantVanished && isForgotten(log, floors) ? new Gaps() : undefined
      const vanished = wantVanished && !gaps ? vanishedSince(reader, id, log) : UidSet.empty
      if (!vanished) return { mailbox, ranges: [], vanished: UidSet.empty, gaps, done: false, logIsLong: true }
      const reachesBack = since > 0 && since >= floors.changeFloor
      const ranges = reachesBack && !gaps ? changedRanges(reader, mailbox, since) : everywhere(mailbox)
      return { mailbox, ranges, vanished, gaps, done: this.#read(id, ranges, gaps), logIsLong: false }
    })
    this.mailbox = begun.mailbox
    this.#ranges = begun.ranges
    this.#vanished = begun.vanished
    this.#gaps = begun.gaps
    this.done = begun.done
    this.logIsLong = begun.logIsLong
  }

  /** Known when it is done. */
  get vanished(): UidSet {
    return this.#gaps?.below(this.mailbox.uidNext) ?? this.#vanished
  }

  /** Reads another slice. */
  next(): void {
    this.done = this.#read(this.mailbox.id, this.#ranges, this.#gaps)
  }

  #read(mailbox: MailboxId, ranges: [number, number][], gaps: Gaps | undefined): boolean {
    const statement = this.#reader.raw(
      'SELECT uid, flags, modseq FROM marks WHERE mailbox = ? AND uid BETWEEN ? AND ? AND modseq > ? ORDER BY uid LIMIT ?',
    )
    const since = this.#since
    let left = sliceRows
    for (let range = ranges[0]; range; range = ranges[0]) {
      const rows = statement.all(mailbox, range[0], range[1], gaps ? 0 : since, left) as [number, number, number][]
      for (const row of gaps ? rows : []) gaps?.pass(row[0])
      this.marks.push(gaps ? rows.filter((row) => row[2] > since) : rows)
      left -= rows.length
      if (left <= 0) {
        range[0] = (rows.at(-1)?.[0] ?? range[1]) + 1
        return false
      }
      ranges.shift()
    }
    return true
  }
}

/** Where to look for changed marks, by a log that reaches back so far. */
function changedRanges(reader: Reader, mailbox: Mailbox, since: number): [number, number][] {
  const rows = reader
    .raw('SELECT first, last FROM changes WHERE mailbox = ? AND expunged = 0 AND modseq > ?')
    .all(mailbox.id, since) as [number, number][]
  // A row's MODSEQ is at least that of its arrival, which rises with the UID. So below the first row from the end that
  // has not changed since, nothing is new.
  const newest = reader
    .pluck('SELECT uid FROM marks WHERE mailbox = ? AND modseq <= ? ORDER BY uid DESC LIMIT 1')
    .get(mailbox.id, since) as number | undefined
  rows.push([(newest ?? 0) + 1, mailbox.uidNext])
  return Array.from(UidSet.ofRanges(rows).ranges(), ([first, last]) => [first, last])
}

function everywhere({ uidNext }: Mailbox): [number, number][] {
  return [[1, uidNext]]
}

/** From the expunge floor on; undefined when more than a slice of the log is left. */
function vanishedSince(reader: Reader, id: MailboxId, { ranges, modSeq, first }: LogRead): UidSet | undefined {
  const rows = reader.raw(expungesAfter).all(id, modSeq, first, sliceRows) as [number, number, number][]
  if (rows.length === sliceRows) return undefined
  if (rows.length + ranges.length === 0) return UidSet.empty
  return UidSet.ofRanges([...ranges, ...rows.map(([, from, to]): [number, number] => [from, to])])
}

/** The UIDs between those that pass by, rising. */
class Gaps {
  readonly #ranges: [number, number][] = []
  #next = 1

  pass(uid: number): void {
    if (uid > this.#next) this.#ranges.push([this.#next, uid - 1])
    this.#next = uid + 1
  }

  /** `end`: the first UID behind all of them, but for one that came meanwhile. */
  below(end: number): UidSet {
    this.pass(end)
    return UidSet.ofSortedRanges(this.#ranges)
  }
}

/** UIDs, flags and MODSEQs side by side, rising by UID. */
class Marks {
  #uids = new Uint32Array(0)
  #flags = new Float64Array(0)
  #modSeqs = new Float64Array(0)
  #length = 0

  push(rows: readonly [number, number, number][]): void {
    this.#reserve(this.#length + rows.length)
    for (const row of rows) this.#put(row[0], row[1], row[2])
  }

  /** Puts later marks over these; those of expunged UIDs go. */
  merge(later: Marks, expunged: UidSet): Marks {
    if (this.#length === 0) return later
    if (later.#length === 0 && expunged.isEmpty) return this
    const merged = new Marks()
    merged.#reserve(this.#length + later.#length)
    let other = 0
    for (let at = 0; at < this.#length; at++) {
      const uid = this.#uids[at] as number
      while (other < later.#length && (later.#uids[other] as number) < uid) merged.#copy(later, other++)
      if (other < later.#length && later.#uids[other] === uid) merged.#copy(later, other++)
      else if (!expunged.has(uid)) merged.#copy(this, at)
    }
    while (other < later.#length) merged.#copy(later, other++)
    return merged
  }

  columns(): Pick<MailboxSnapshot, 'uids' | 'flags' | 'modSeqs'> {
    if (this.#length === this.#uids.length) return { uids: this.#uids, flags: this.#flags, modSeqs: this.#modSeqs }
    return {
      uids: this.#uids.slice(0, this.#length),
      flags: this.#flags.slice(0, this.#length),
      modSeqs: this.#modSeqs.slice(0, this.#length),
    }
  }

  #copy(from: Marks, at: number): void {
    this.#put(from.#uids[at] as number, from.#flags[at] as number, from.#modSeqs[at] as number)
  }

  #put(uid: number, flags: number, modSeq: number): void {
    this.#uids[this.#length] = uid
    this.#flags[this.#length] = flags
    this.#modSeqs[this.#length++] = modSeq
  }

  #reserve(length: number): void {
    if (length <= this.#uids.length) return
    // Exact for what fits into one slice, as most do; doubled beyond.
    const size = this.#length === 0 ? length : Math.max(length, this.#length * 2)
    const grow = <T extends Uint32Array | Float64Array>(to: T, from: T): T => {
      to.set(from)
      return to
    }
    this.#uids = grow(new Uint32Array(size), this.#uids)
    this.#flags = grow(new Float64Array(size), this.#flags)
    this.#modSeqs = grow(new Float64Array(size), this.#modSeqs)
  }
}
