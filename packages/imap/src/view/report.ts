import type { OpenMailbox } from './open-mailbox.ts'
import type { View } from './view.ts'

/** What a session is to be told of; as soon as it is known here the view counts it as told. */
export interface Changes {
  /** The mailbox has new keywords (RFC 9051 §7.3.5). */
  flagNames: boolean
  /** What has gone; sequence numbers as EXPUNGE wants them, each valid after those before it. */
  expunged: { seqs: readonly number[]; uids: readonly number[] }
  /** There are new messages. */
  exists: boolean
  /** How many messages are \\Recent is to be told: there are new ones, or fewer of them (RFC 3501 §7.3.2). */
  recent: boolean
  /** This session has taken messages as its \\Recent ones: the store must know. */
  claimed: boolean
  /** UIDs of messages whose flags have changed. */
  flags: readonly number[]
}

/** What a session wants to be told; the rest is told when it wants it again. */
export interface WantedChanges {
  /** New messages. */
  messages: boolean
  flags: boolean
}

const everything: WantedChanges = { messages: true, flags: true }

/**
 * What has changed in the shared state since a session was last told (RFC 9051 §7.5); undefined when there is nothing.
 * EXPUNGE only when `mayExpunge`; withheld ones stay in the view under their numbers.
 */
export function report(view: View, mayExpunge: boolean, wanted = everything): Changes | undefined {
  const { open, told } = view
  const flagNames = told.keywords !== open.keywords
  told.keywords = open.keywords
  let expunged: Changes['expunged'] = nothing
  let fewerRecent = false
  if (mayExpunge && told.removals !== open.removals) {
    told.removals = open.removals
    const recent = view.recentCount
    expunged = removeGone(view)
    fewerRecent = view.recentCount < recent
  }
  const before = view.lastUid
  const exists = wanted.messages && open.count > 0 && (open.uids[open.count - 1] as number) > before
  const claimed = exists && addNew(view)
  let flags: readonly number[] = none
  if (wanted.flags || nothingUntold(view)) {
    if (told.journal !== open.journalEnd) flags = changedFlags(view, before)
    told.journal = open.journalEnd
    told.modSeq = open.modSeq
    if (told.removals === open.removals) told.settled = open.modSeq
    if (told.already.size > 0) told.already.clear()
  }
  if (!flagNames && !exists && expunged.seqs.length === 0 && flags.length === 0) return undefined
  return { flagNames, expunged, exists, recent: exists || fewerRecent, claimed, flags }
}

/** But for expunges. */
function nothingUntold({ open, told, lastUid }: View): boolean {
  return told.journal === open.journalEnd && (open.count === 0 || (open.uids[open.count - 1] as number) <= lastUid)
}

const none: readonly number[] = []
const nothing = { seqs: none, uids: none }

/** What is left of the view is then how the shared state begins: new messages only ever come behind. */
function removeGone(view: View): Changes['expunged'] {
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
  return { seqs, uids: gone }
}

/** Whether some of them are \\Recent to this session. */
function addNew(view: View): boolean {
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
  view.told.uidNext = open.uidNext
  view.told.own = { messages: 0, uidNext: 0 }
  return claimRecent(view, open)
}

/** The first session that is told of a new message has it as \\Recent (RFC 3501 §2.3.2). */
function claimRecent(view: View, open: OpenMailbox): boolean {
  // What is \\Recent is the owner's to claim.
  if (open.viewer !== undefined || view.lastUid < open.recentFrom) return false
  view.addRecent(open.recentFrom)
  // To the next session too (RFC 3501 §6.3.2).
  if (view.readOnly) return false
  open.recentFrom = view.lastUid + 1
  return true
}

/** Of messages up to the UID `before`: those behind it the session is told of just now, and fetches their flags. */
function changedFlags(view: View, before: number): number[] {
  const { open, told } = view
  const flags: number[] = []
  const note = (uid: number, index: number): void => {
    if (view.hasUntold(index) && view.seqOf(uid) !== 0) flags.push(uid)
  }
  const noted = open.journalSince(told.journal)
  if (noted) {
    for (const uid of sortedOnce(noted)) {
      const index = uid <= before ? open.indexOf(uid) : -1
      if (index >= 0) note(uid, index)
    }
    return flags
  }
  for (let index = 0; index < open.count; index++) {
    const uid = open.uids[index] as number
    if (uid > before) break
    note(uid, index)
  }
  return flags
}

function sortedOnce(uids: readonly number[]): Iterable<number> {
  return uids.length === 1 ? uids : new Set([...uids].sort((a, b) => a - b))
}
