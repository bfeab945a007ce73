import { allRights, type FlagsUpdated, type ModSeq, type Rights, type SeqNum, type Uid, UidSet } from '@pennypost/model'
import type { By, SequenceSet } from '../grammar/sequence-set.ts'
import { bad } from '../refusal.ts'
import { ResultContexts } from '../search/result-contexts.ts'
import { lowerBound, placeOf } from './lower-bound.ts'
import type { OpenMailbox } from './open-mailbox.ts'

/**
 * One session's selected mailbox: which messages it was told of, under which numbers. Sequence numbers mean something
 * only here (RFC 9051 §2.3.1.2). What others changed gets into it by `report` alone, when the protocol allows.
 *
 * Never broken: `uids` rises; a sequence number is an index in it plus one; it shrinks only as EXPUNGE is sent and
 * grows only as EXISTS is.
 */
export class View {
  readonly open: OpenMailbox
  /** Opened by EXAMINE: nothing is changed through it. */
  readonly readOnly: boolean
  /** Shared with `open` and other views: read only. */
  uids: Uint32Array
  count: number
  /** Results that the client is told the changes of. */
  readonly contexts = new ResultContexts()
  /** `$`: RFC 9051 §6.4.4.1. */
  saved: UidSet = UidSet.empty
  /** Called at once when something changed; set while the session idles. */
  #onChange: (() => void) | undefined
  /** What the session was told of, see `report`. */
  readonly told: Told
  /** The name by which the session knows the mailbox. */
  name: string
  /** What the account may do with it, as last told. */
  rights: Rights
  /** Up to where changes of annotations were told; those of its own need not be. */
  readonly annotations: { modSeq: ModSeq; own: Map<string, ModSeq> }
  /** UIDs that are \Recent to this session, and some that are gone. */
  recent = UidSet.empty

  constructor(open: OpenMailbox, readOnly: boolean, name = open.mailbox.name, rights = allRights) {
    this.open = open
    this.readOnly = readOnly
    this.name = name
    this.rights = rights
    this.annotations = { modSeq: open.modSeq, own: new Map() }
    this.uids = open.uids
    this.count = open.count
    this.told = {
      modSeq: open.modSeq,
      settled: open.modSeq,
      journal: open.journalEnd,
      removals: open.removals,
      uidNext: open.uidNext,
      own: { messages: 0, uidNext: 0 },
      said: 0,
      keywords: open.keywords,
      already: new Map(),
    }
  }

  /** Highest UID in it, 0 when it is empty. */
  get lastUid(): number {
    return this.count === 0 ? 0 : (this.uids[this.count - 1] as number)
  }

  /** HIGHESTMODSEQ for this session: all that happened up to here it was told, no expunge is withheld (RFC 7162 §3.1.2.1). */
  get settledModSeq(): number {
    return this.told.settled
  }

  /** MODSEQ of a message, to be said to the client; of one that is gone, what is true of all. */
  saidModSeq(openIndex: number): number {
    if (openIndex < 0) return this.told.settled
    const modSeq = this.open.modSeqs[openIndex] as number
    if (modSeq > this.told.said) this.told.said = modSeq
    return modSeq
  }

  /** Others have expunged messages of it, and the session could not be told yet. */
  get holdsBack(): boolean {
    return this.told.removals !== this.open.removals
  }

  watch(onChange: (() => void) | undefined): void {
    if (this.#onChange) this.open.watchers.delete(this.#onChange)
    this.#onChange = onChange
    if (onChange) this.open.watchers.add(onChange)
  }

  /** Index of the first UID that is not below `uid`. */
  lowerBound(uid: number): number {
    return lowerBound(this.uids, this.count, uid)
  }

  /** 0 when the session knows no such message. */
  seqOf(uid: Uid | number): SeqNum | 0 {
    return (placeOf(this.uids, this.count, uid) + 1) as SeqNum | 0
  }

  get recentCount(): number {
    let count = 0
    for (const [first, last] of this.recent.ranges()) count += this.lowerBound(last + 1) - this.lowerBound(first)
    return count
  }

  /** Messages up to the last that it knows of are \Recent to it from `from` on. */
  addRecent(from: number): void {
    this.recent = this.recent.union(UidSet.ofRanges([[from, this.lastUid]]))
  }

  /**
   * The UIDs that a sequence-set means. They may include some that are gone, never one that the session has not been
   * told of. A message number beyond the last is BAD (RFC 9051 §6.4.5), but means nothing to a search (RFC 7377 §2);
   * UIDs that are not there mean nothing (RFC 9051 §6.4.9).
   */
  select(set: SequenceSet, by: By, beyond: 'bad' | 'nothing' = 'bad'): UidSet {
    if (set.saved) return this.saved
    const ranges: [number, number][] = []
    for (const [first, last] of set.ranges) {
      if (by === 'sequence') {
        const range = this.#sequenceRange(first, last, beyond)
        if (range) ranges.push(range)
      } else if (this.count > 0) {
        const star = this.lastUid
        // `559:*` with 559 above the last UID means the last one too: `*` is the smaller end then.
        const low =
          first === Number.POSITIVE_INFINITY ? star : last === Number.POSITIVE_INFINITY ? Math.min(first, star) : first
        const high = Math.min(last, star)
        if (low <= high) ranges.push([low, high])
      }
    }
    return UidSet.ofRanges(ranges)
  }

  #sequenceRange(first: number, last: number, beyond: 'bad' | 'nothing'): [number, number] | undefined {
    if (this.count === 0) {
      // In an empty mailbox `*` and `1:*` find nothing; clients send them before they know that it is empty.
      const isAll = last === Number.POSITIVE_INFINITY && (first === last || first === 1)
      if (isAll || beyond === 'nothing') return undefined
    }
    const numbers = [first, last].map((number) => (number === Number.POSITIVE_INFINITY ? this.count : number))
    const low = Math.min(...numbers)
    const high = beyond === 'nothing' ? Math.min(this.count, Math.max(...numbers)) : Math.max(...numbers)
    if (low > high) return undefined
    if (high > this.count) throw bad(`There is no message ${high}: the mailbox has ${this.count}`)
    return [this.uids[low - 1] as number, this.uids[high - 1] as number]
  }

  /** Those of a set that the session knows of. */
  among(uids: UidSet): UidSet {
    const known: number[] = []
    for (const [first, last] of uids.ranges()) {
      for (let index = this.lowerBound(first); index < this.count; index++) {
        const uid = this.uids[index] as number
        if (uid > last) break
        known.push(uid)
      }
    }
    return UidSet.ofSorted(known)
  }

  /** All that the session knows of. */
  all(): UidSet {
    return this.count === 0 ? UidSet.empty : UidSet.ofRanges([[this.uids[0] as number, this.lastUid]])
  }

  /**
   * The session's own change has been taken into the shared state; it knows of it, or is told now. False when there is more
   * in that state that it was not told of.
   */
  toldOwn(done: FlagsUpdated): boolean {
    const { told, open } = this
    if (told.modSeq !== done.since || open.modSeq !== done.modSeq) return false
    told.modSeq = done.modSeq
    told.journal = open.journalEnd
    return true
  }

  /**
   * A FETCH or STORE response has told, or need not tell, the flags of this message as they stand: `report` will not
   * say them again unless they change once more.
   */
  markTold(openIndex: number): void {
    if (openIndex < 0) return
    const modSeq = this.open.modSeqs[openIndex] as number
    if (modSeq > this.told.modSeq) this.told.already.set(this.open.uids[openIndex] as number, modSeq)
  }

  /** Whether the flags of this message have changed since they were told. */
  hasUntold(openIndex: number): boolean {
    const { told, open } = this
    const modSeq = open.modSeqs[openIndex] as number
    if (modSeq <= told.modSeq) return false
    return told.already.size === 0 || told.already.get(open.uids[openIndex] as number) !== modSeq
  }
}

/** How far a session has been told of the shared state. */
export interface Told {
  /** Flag changes up to here. */
  modSeq: number
  /** Everything up to here, expunges too. */
  settled: number
  /** Flag changes up to this place in the journal. */
  journal: number
  /** `OpenMailbox.removals` up to which messages were taken out. */
  removals: number
  /** What came below it was told, or was gone before it could be. */
  uidNext: number
  /** What the session has put there itself and was not told of, since NOTIFY did not ask for it; UIDNEXT behind that. */
  own: { messages: number; uidNext: number }
  /** The highest MODSEQ that was said with a message since changes were told last. */
  said: number
  keywords: readonly string[]
  /** MODSEQ above `modSeq` at which the flags of a UID were told by other means. */
  already: Map<number, number>
}
