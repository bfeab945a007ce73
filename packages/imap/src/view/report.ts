import type { OpenMailbox } from './open-mailbox.ts'
import type { View } from './view.ts'

/** What is said to the session; each is an untagged response. */
export interface Reporter {
  /** Sequence numbers as EXPUNGE wants them, each valid after those before it; `uids` are theirs. */
  expunged(seqs: readonly number[], uids: readonly number[]): void
  exists(count: number): void
  recent(count: number): void
  /** This session has taken messages as its \\Recent ones: the store must know. */
  claimed(): void
  /** The mailbox has new keywords (RFC 9051 §7.3.5). */
  flagNames(): void
  flags(seq: number, openIndex: number): void
}

/** What a session wants to be told; the rest is told when it wants it again. */
export interface Reported {
  /** New messages. */
  messages: boolean
  flags: boolean
}

const everything: Reported = { messages: true, flags: true }

/**
 * Tells a session what has changed in the shared state since it was last told (RFC 9051 §7.5). EXPUNGE only when
 * `mayExpunge`; withheld ones stay in the view under their numbers. Does nothing when nothing changed.
 */
export function report(view: View, mayExpunge: boolean, reporter: Reporter, wanted = everything): void {
  const { open, told } = view
  if (told.keywords !== open.keywords) {
    told.keywords = open.keywords
    reporter.flagNames()
  }
  if (mayExpunge && told.removals !== open.removals) {
    told.removals = open.removals
    removeGone(view, reporter)
  }
  const before = view.lastUid
  if (wanted.messages && open.count > 0 && (open.uids[open.count - 1] as number) > before) addNew(view, reporter)
  if (!wanted.flags) return
  if (told.journal !== open.journalEnd) reportFlags(view, before, reporter)
  told.modSeq = open.modSeq
  if (told.removals === open.removals) told.settled = open.modSeq
  if (told.already.size > 0) told.already.clear()
}

/** What is left of the view is then how the shared state begins: new messages only ever come behind. */
function removeGone(view: View, reporter: Reporter): void {
  const { open, uids } = view
  const kept = open.lowerBound(view.lastUid + 1)
  const seqs: number[] = []
  const gone: number[] = []
  let at = 0
  for (let i = 0; i < view.count; i++) {
    const uid = uids[i] as number
    if (at < kept && open.uids[at] === uid) {
      at++
      continue
    }
    seqs.push(at + 1)
    gone.push(uid)
  }
  view.uids = open.uids
  view.count = kept
  if (seqs.length > 0) reporter.expunged(seqs, gone)
}

function addNew(view: View, reporter: Reporter): void {
  const { open } = view
  const from = open.lowerBound(view.lastUid + 1)
  if (view.told.removals === open.removals) view.uids = open.uids
  else {
    const uids = new Uint32Array(view.count + open.count - from)
    uids.set(view.uids.subarray(0, view.count))
    uids.set(open.uids.subarray(from, open.count), view.count)
    view.uids = uids
  }
  view.count += open.count - from
  if (claimRecent(view, open)) reporter.claimed()
  reporter.exists(view.count)
  reporter.recent(view.recentCount)
}

/** The first session that is told of a new message has it as \Recent (RFC 3501 §2.3.2). */
function claimRecent(view: View, open: OpenMailbox): boolean {
  // What is \Recent is the owner's to claim.
  if (view.readOnly || open.viewer !== undefined || view.lastUid < open.recentFrom) return false
  view.recent.push([open.recentFrom, view.lastUid])
  open.recentFrom = view.lastUid + 1
  return true
}

function reportFlags(view: View, before: number, reporter: Reporter): void {
  const { open, told } = view
  const changed = open.journalSince(told.journal)
  told.journal = open.journalEnd
  const say = (uid: number, index: number): void => {
    const modSeq = open.modSeqs[index] as number
    if (modSeq <= told.modSeq || told.already.get(uid) === modSeq) return
    const seq = view.seqOf(uid)
    if (seq !== 0) reporter.flags(seq, index)
  }
  if (changed) {
    for (const uid of sortedOnce(changed)) {
      // Messages that the session is told of just now have their flags fetched by it.
      const index = uid <= before ? open.indexOf(uid) : -1
      if (index >= 0) say(uid, index)
    }
    return
  }
  for (let index = 0; index < open.count; index++) {
    const uid = open.uids[index] as number
    if (uid > before) break
    say(uid, index)
  }
}

function sortedOnce(uids: readonly number[]): Iterable<number> {
  return uids.length === 1 ? uids : new Set([...uids].sort((a, b) => a - b))
}
