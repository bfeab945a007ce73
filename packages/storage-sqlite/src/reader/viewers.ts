/**
 * Mailboxes as accounts see them that do not own them: \Seen of each viewer lies over the flags that all share. A row of
 * `seen` has a MODSEQ of its own, of the owner's counter, so that one cursor serves both.
 *
 * What lies over a snapshot is read after it, in slices, and may be newer; then it has a MODSEQ above that of the
 * snapshot, and comes again with the changes since then.
 */
import {
  type AccountId,
  type Mailbox,
  type MailboxChanges,
  type MailboxSnapshot,
  type ModSeq,
  systemFlags,
  withSeen,
} from '@pennypost/model'
import type { Reader } from './reader.ts'

type Columns = Pick<MailboxSnapshot, 'uids' | 'flags' | 'modSeqs'>

/** Whether the viewer is another than the owner. */
export function isForeign(mailbox: Mailbox, viewer: AccountId | undefined): viewer is AccountId {
  return viewer !== undefined && viewer !== mailbox.account
}

/**
 * A mailbox with what the viewer has not seen of it. What there is and what was seen are of one state: or else more may have
 * been seen than there is.
 */
export function readViewed(
  reader: Reader,
  read: () => Mailbox | undefined,
  viewer: AccountId | undefined,
): Mailbox | undefined {
  const mailbox = read()
  if (!mailbox || !isForeign(mailbox, viewer)) return mailbox
  return reader.together(() => {
    const now = read()
    const seen = reader.pluck('SELECT seen FROM viewers WHERE mailbox = ? AND viewer = ?')
    return now && { ...now, unseen: now.messages - ((seen.get(now.id, viewer) as number | undefined) ?? 0) }
  })
}

export async function viewSnapshot(
  reader: Reader,
  snapshot: MailboxSnapshot,
  viewer: AccountId | undefined,
): Promise<MailboxSnapshot> {
  const { mailbox } = snapshot
  if (!isForeign(mailbox, viewer)) return snapshot
  hideSeen(snapshot)
  const changed = new Map<number, SeenMark>()
  await readSeen(reader, mailbox, viewer, 0, changed)
  if (changed.size > 0) for (const [index, uid] of snapshot.uids.entries()) apply(snapshot, index, changed.get(uid))
  return { ...snapshot, mailbox: { ...mailbox, unseen: unseenIn(snapshot) } }
}

/** Adds to what changed for all what changed for the viewer. */
export async function viewChanges(
  reader: Reader,
  mailbox: Mailbox,
  changes: MailboxChanges,
  since: ModSeq,
  viewer: AccountId,
): Promise<MailboxChanges> {
  hideSeen(changes)
  const marks = new Map<number, SeenMark>()
  const many = changes.uids.length > mostLookups
  await readSeen(reader, mailbox, viewer, many ? 0 : since, marks)
  const one = reader.raw('SELECT seen, modseq FROM seen WHERE mailbox = ? AND viewer = ? AND uid = ?')
  const hasSeen = reader.pluck('SELECT 1 FROM viewers WHERE mailbox = ? AND viewer = ?').get(mailbox.id, viewer)
  for (const [index, uid] of hasSeen ? changes.uids.entries() : []) {
    const row = many || marks.has(uid) ? undefined : (one.get(mailbox.id, viewer, uid) as [number, number] | undefined)
    apply(changes, index, row ? { seen: row[0] === 1, modSeq: row[1] } : marks.get(uid))
    marks.delete(uid)
  }
  // What is newer than the shared changes comes again: its message may be one that they do not tell of yet.
  for (const [uid, { modSeq }] of marks) if (modSeq > changes.modSeq || modSeq <= since) marks.delete(uid)
  return marks.size === 0 ? changes : { ...changes, ...merged(reader, mailbox, changes, marks) }
}

/** Changed messages that are looked up one by one; for more, all that the viewer has seen is read. */
const mostLookups = 500

interface SeenMark {
  seen: boolean
  modSeq: number
}

const sliceRows = 8000

/** The viewer's rows after `since`, in slices with a turn of the loop between. */
async function readSeen(
  reader: Reader,
  mailbox: Mailbox,
  viewer: AccountId,
  since: number,
  into: Map<number, SeenMark>,
): Promise<void> {
  const statement = reader.raw(
    'SELECT uid, seen, modseq FROM seen WHERE mailbox = ? AND viewer = ? AND (modseq, uid) > (?, ?) ORDER BY modseq, uid LIMIT ?',
  )
  for (let last: [number, number] = [since, 2 ** 32]; ; ) {
    const rows = statement.all(mailbox.id, viewer, ...last, sliceRows) as [number, number, number][]
    for (const [uid, seen, modSeq] of rows) into.set(uid, { seen: seen === 1, modSeq })
    const end = rows.at(-1)
    if (!end || rows.length < sliceRows) return
    last = [end[2], end[0]]
    await reader.turn()
  }
}

/** The owner's \Seen is nobody else's. The arrays are new with each read, so they may be changed. */
function hideSeen({ flags }: Columns): void {
  for (let index = 0; index < flags.length; index++) {
    flags[index] = withSeen(flags[index] as number, false)
  }
}

/** Counted, since what the store counts for the viewer may be newer than the snapshot. */
function unseenIn({ flags }: Columns): number {
  let unseen = 0
  for (const bits of flags) if ((bits & systemFlags['\\Seen']) === 0) unseen++
  return unseen
}

function apply({ flags, modSeqs }: Columns, index: number, mark: SeenMark | undefined): void {
  if (!mark) return
  flags[index] = withSeen(flags[index] as number, mark.seen)
  modSeqs[index] = Math.max(modSeqs[index] as number, mark.modSeq)
}

/** The changes with the rows, in order of UID, of messages of which only the viewer's \Seen changed. */
function merged(reader: Reader, mailbox: Mailbox, changes: Columns, marks: Map<number, SeenMark>): Columns {
  const rows = [...changes.uids].map((uid, index) => [uid, changes.flags[index], changes.modSeqs[index]] as number[])
  const shared = reader.raw('SELECT flags, modseq FROM marks WHERE mailbox = ? AND uid = ?')
  for (const [uid, { seen, modSeq }] of marks) {
    const mark = shared.get(mailbox.id, uid) as [number, number] | undefined
    if (!mark) continue
    rows.push([uid, withSeen(mark[0], seen), Math.max(mark[1], modSeq)])
  }
  rows.sort((a, b) => (a[0] as number) - (b[0] as number))
  return {
    uids: Uint32Array.from(rows, (row) => row[0] as number),
    flags: Float64Array.from(rows, (row) => row[1] as number),
    modSeqs: Float64Array.from(rows, (row) => row[2] as number),
  }
}
