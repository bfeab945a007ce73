import {
  type AccountId,
  bitsOf,
  type Flag,
  type FlagBits,
  type FlagChange,
  type FlagsUpdated,
  flagsAfter,
  flagsOf,
  type Mailbox,
  type MailboxChanges,
  type MailStore,
  type ModSeq,
  systemFlags,
} from '@pennypost/model'
import { Columns } from './columns.ts'
import { lowerBound, placeOf } from './lower-bound.ts'
import { withRoom } from './read-on.ts'
import { ThreadKeys } from './thread-keys.ts'

/**
 * What this process knows of one mailbox that sessions have open: UIDs, flags and MODSEQs in typed arrays, loaded once
 * and shared by all its sessions. Kept current from the change log; a wake only says that there is something to read.
 *
 * Never broken: `uids` rises; the three arrays go together up to `count`; everything up to `modSeq` is in them. Each
 * session has its own `View` on it, since it may know only what it was told; views share the array `uids`, so what is
 * in it up to `count` never changes: when messages go, there is a new one.
 */
export class OpenMailbox {
  /** As of loading: of counts, keywords and UIDNEXT in it nothing holds any more, they are in the fields below. */
  readonly mailbox: Mailbox
  uids: Uint32Array
  flags: Float64Array
  modSeqs: Float64Array
  count: number
  keywords: readonly string[]
  uidNext: number
  /** Everything that the change log had up to here is in the arrays. */
  modSeq: ModSeq
  /** Rises whenever messages are removed. */
  removals = 0
  /** The mailbox itself is gone, or the viewer may not read it any more. */
  deleted = false
  /** UIDs from here on are \Recent to nobody of this process yet. */
  recentFrom: number
  readonly #mail: MailStore
  /** Whose \Seen this is, when it is not the owner's: each viewer has arrays of its own. */
  readonly viewer: AccountId | undefined
  /** No message below this UID is unseen. */
  #unseenFrom = 0
  /** UIDs whose flags changed, in order of change; the first one is number `#journalBase`. */
  #journal: number[] = []
  #journalBase = 0
  readonly #flagTexts = new Map<FlagBits, string>()
  /** A commit said that there is something up to here. */
  #committed = 0
  /** There may be something else. */
  #missed = false
  #reading: Promise<void> | undefined
  #again: Promise<void> | undefined
  #columns: Columns | undefined
  #threadKeys: ThreadKeys | undefined
  /** Idling sessions, told of every change at once. */
  readonly watchers = new Set<() => void>()

  private constructor(mail: MailStore, mailbox: Mailbox, viewer: AccountId | undefined) {
    this.#mail = mail
    this.viewer = viewer
    this.mailbox = mailbox
    this.uids = new Uint32Array(0)
    this.flags = this.modSeqs = new Float64Array(0)
    this.count = 0
    this.keywords = mailbox.keywords
    this.uidNext = mailbox.uidNext
    this.modSeq = mailbox.highestModSeq
    this.recentFrom = mailbox.recentUid
  }

  static async load(mail: MailStore, id: Mailbox['id'], viewer?: AccountId): Promise<OpenMailbox> {
    const snapshot = await mail.snapshot(id, viewer)
    const open = new OpenMailbox(mail, snapshot.mailbox, viewer)
    open.uids = snapshot.uids
    open.flags = snapshot.flags
    open.modSeqs = snapshot.modSeqs
    open.count = snapshot.uids.length
    return open
  }

  /** Dates, sizes and the like of its messages; nothing of them is read before it is asked for. */
  get columns(): Columns {
    return (this.#columns ??= new Columns(this.#mail, this))
  }

  /** What threads are made from, likewise. */
  get threadKeys(): ThreadKeys {
    return (this.#threadKeys ??= new ThreadKeys(this.#mail, this))
  }

  /** The last session has left it: gives back what is large and can be read again. */
  rest(): void {
    this.#threadKeys = undefined
  }

  /** Something was committed that has not been read. */
  get dirty(): boolean {
    return this.#missed || this.#committed > this.modSeq
  }

  /**
   * A commit has touched it, which brought it up to `modSeq`, or may have. Read at once when somebody idles, else by the
   * next command; what sessions of this process changed themselves is mostly known by then (`applyUpdate`).
   */
  wake(modSeq: ModSeq | undefined, onError: (error: unknown) => void): void {
    if (modSeq === undefined) this.#missed = true
    else this.#committed = Math.max(this.#committed, modSeq)
    if (this.dirty && this.watchers.size > 0) this.refresh().catch(onError)
  }

  /** Resolves when everything of which commits have told is in the arrays; undefined when it is already. */
  catchUp(): Promise<void> | undefined {
    return this.dirty ? this.refresh() : this.#reading
  }

  /** Resolves when everything that was committed before the call is in the arrays. */
  refresh(): Promise<void> {
    // A read that has begun may have missed the latest commit: one more follows it, for all who ask meanwhile.
    if (this.#reading) {
      this.#again ??= this.#reading.then(
        () => this.#next(),
        () => this.#next(),
      )
      return this.#again
    }
    this.#missed = false
    this.#committed = 0
    this.#reading = this.#read()
    return this.#reading
  }

  #next(): Promise<void> {
    this.#again = undefined
    return this.refresh()
  }

  async #read(): Promise<void> {
    try {
      this.apply(await this.#mail.changesSince(this.mailbox.id, this.modSeq, this.viewer))
    } catch (error) {
      this.#missed = true
      throw error
    } finally {
      this.#reading = undefined
    }
    for (const tell of this.watchers) tell()
  }

  /** Takes in what the change log says. */
  apply(changes: MailboxChanges): void {
    if (changes.deleted) {
      // There is nothing else in them: what is known of it stays as it was.
      this.deleted = true
      return
    }
    if (changes.modSeq > this.modSeq) this.modSeq = changes.modSeq
    this.uidNext = Math.max(this.uidNext, changes.uidNext)
    if (!sameList(this.keywords, changes.keywords)) {
      this.keywords = changes.keywords
      this.#flagTexts.clear()
    }
    if (!changes.vanished.isEmpty) this.#remove(changes)
    let near = 0
    for (let i = 0; i < changes.uids.length; i++) {
      near = 1 + this.#put(changes.uids[i] as number, changes.flags[i] as number, changes.modSeqs[i] as number, near)
    }
  }

  /**
   * Takes in a change of flags that the store has made, without reading it back. False when the store had more than is
   * here, or the change of others in between: then `refresh` tells.
   */
  applyUpdate(
    { uids, mode, flags, unchangedSince = Number.MAX_SAFE_INTEGER as ModSeq }: FlagChange,
    done: FlagsUpdated,
  ): boolean {
    if (done.since !== this.modSeq) return false
    // A keyword that is new to the mailbox: its place is not known here.
    if (mode !== 'remove' && flags.some((flag) => this.bitsOf(flag) === undefined)) return false
    const bits = bitsOf(flags, this.keywords)
    const { steps } = done
    let step = 0
    for (const [first, last] of uids.ranges()) {
      for (let index = this.lowerBound(first); index < this.count; index++) {
        const uid = this.uids[index] as number
        if (uid > last) break
        const before = this.flags[index] as number
        const after = flagsAfter(before, mode, bits)
        if (after === before || (this.modSeqs[index] as number) > unchangedSince) continue
        while (uid > (steps[step] as (typeof steps)[0]).last) step++
        this.#note(uid)
        this.#set(index, uid, after, (steps[step] as (typeof steps)[0]).modSeq)
      }
    }
    this.modSeq = done.modSeq
    for (const tell of this.watchers) tell()
    return true
  }

  /** Gives where it is, -1 when it has gone; `near`: where it may be. */
  #put(uid: number, flags: number, modSeq: number, near: number): number {
    let index = this.count
    if (index > 0 && uid <= (this.uids[index - 1] as number)) {
      index = placeOf(this.uids, this.count, uid, near)
      // Known already: see `applyUpdate`.
      if (index < 0 || modSeq <= (this.modSeqs[index] as number)) return index
      this.#note(uid)
    } else {
      if (index === this.uids.length) this.#grow()
      this.count++
      this.uids[index] = uid
    }
    this.#set(index, uid, flags, modSeq)
    return index
  }

  #set(index: number, uid: number, flags: number, modSeq: number): void {
    this.flags[index] = flags
    this.modSeqs[index] = modSeq
    if (uid < this.#unseenFrom && (flags & seen) === 0) this.#unseenFrom = uid
  }

  #grow(): void {
    const size = this.count + 1
    this.uids = withRoom(this.uids, size)
    this.flags = withRoom(this.flags, size)
    this.modSeqs = withRoom(this.modSeqs, size)
  }

  #remove(changes: MailboxChanges): void {
    // Views go on with the old one until they tell of it.
    const before = this.uids
    this.uids = before.slice()
    let kept = 0
    let from = 0
    for (const [first, last] of changes.vanished.ranges()) {
      const start = Math.max(from, lowerBound(before, this.count, first))
      kept = this.#shift(from, start, kept)
      from = Math.max(start, lowerBound(before, this.count, last + 1))
    }
    kept = this.#shift(from, this.count, kept)
    if (kept === this.count) {
      this.uids = before
      return
    }
    this.count = kept
    this.removals++
  }

  /** Index of the first message that is not \\Seen, -1 when there is none. */
  firstUnseen(): number {
    let index = this.lowerBound(this.#unseenFrom)
    while (index < this.count && ((this.flags[index] as number) & seen) !== 0) index++
    this.#unseenFrom = index < this.count ? (this.uids[index] as number) : this.uidNext
    return index < this.count ? index : -1
  }

  /** Moves [from, end) to `to`; returns where the next one goes. */
  #shift(from: number, end: number, to: number): number {
    if (from !== to && end > from) {
      this.uids.copyWithin(to, from, end)
      this.flags.copyWithin(to, from, end)
      this.modSeqs.copyWithin(to, from, end)
    }
    return to + end - from
  }

  /** Index of the first UID that is not below `uid`. */
  lowerBound(uid: number): number {
    return lowerBound(this.uids, this.count, uid)
  }

  /** -1 when it is not there (any more). */
  indexOf(uid: number): number {
    return placeOf(this.uids, this.count, uid)
  }

  // --- journal of flag changes ---

  #note(uid: number): void {
    this.#journal.push(uid)
    if (this.#journal.length <= longestJournal) return
    this.#journalBase += longestJournal / 2
    this.#journal = this.#journal.slice(longestJournal / 2)
  }

  /** Where the next change will be noted. */
  get journalEnd(): number {
    return this.#journalBase + this.#journal.length
  }

  /** UIDs noted since, with repetitions; undefined when the journal does not reach back so far. */
  journalSince(position: number): readonly number[] | undefined {
    if (position < this.#journalBase) return undefined
    return position === this.journalEnd ? none : this.#journal.slice(position - this.#journalBase)
  }

  // --- flags as text ---

  /** The names of the flags, as between the parentheses of `FLAGS (…)`. */
  flagText(bits: FlagBits): string {
    let text = this.#flagTexts.get(bits)
    if (text === undefined) {
      text = flagsOf(bits, this.keywords).join(' ')
      if (this.#flagTexts.size > mostFlagTexts) this.#flagTexts.clear()
      this.#flagTexts.set(bits, text)
    }
    return text
  }

  /** The bits of a flag; undefined for a keyword that this mailbox does not have. */
  bitsOf(flag: Flag): FlagBits | undefined {
    const bits = bitsOf([flag], this.keywords)
    return bits === 0 ? undefined : bits
  }
}

const seen = systemFlags['\\Seen']
const longestJournal = 4096
const mostFlagTexts = 1000
const none: readonly number[] = []

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((item, index) => item === b[index]))
}
