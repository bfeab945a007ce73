import {
  type AccountId,
  type Acting,
  bitsOf,
  divideFlags,
  foreignTo,
  seenAfter,
  sharedBits,
  systemFlags,
  UidSet,
  withSeen,
} from '@pennypost/model'
import { boundsOf } from '../../bounds.ts'
import type { WriterContext } from '../context.ts'
import { logChanged } from './changes.ts'
import type { FlagsArguments, FlagsResult } from './flags.ts'
import { requirePlaces } from './keywords.ts'
import { type MailboxState, saveMailbox } from './mailbox-rows.ts'

/**
 * Flags in mailboxes of others: \Seen of each viewer lies in `seen`, with the count in `viewers`; all else is changed in
 * the marks, as far as the viewer may. Row by row: shared mailboxes are few and their STOREs small.
 */
const deletedBit = systemFlags['\\Deleted']

/** A message's flags with the viewer's \Seen in the place of the owner's. */
export function viewedFlags(
  context: WriterContext,
  mailbox: MailboxState,
  row: { uid: number; flags: number },
  acting: Acting | undefined,
): number {
  const viewer = foreignTo(mailbox.account as AccountId, acting?.account)
  if (viewer === undefined) return row.flags
  const seen = context.pluck('SELECT seen FROM seen WHERE mailbox = ? AND viewer = ? AND uid = ?')
  return withSeen(row.flags, seen.get(mailbox.id, viewer, row.uid) === 1)
}

/** \Seen of messages that have just come, which nobody has seen before. */
export function addSeen(
  context: WriterContext,
  mailbox: MailboxState,
  viewer: number,
  uids: readonly number[],
  modSeq: number,
): void {
  for (const uid of uids) putSeen(context, mailbox, viewer, uid, true, modSeq)
  countSeen(context, mailbox, viewer, uids.length)
}

function putSeen(
  context: WriterContext,
  mailbox: MailboxState,
  viewer: number,
  uid: number,
  seen: boolean,
  modSeq: number,
): void {
  context
    .sql('INSERT OR REPLACE INTO seen (mailbox, viewer, uid, seen, modseq) VALUES (?, ?, ?, ?, ?)')
    .run(mailbox.id, viewer, uid, seen ? 1 : 0, modSeq)
}

function countSeen(context: WriterContext, mailbox: MailboxState, viewer: number, more: number): void {
  context
    .sql(
      `INSERT INTO viewers (mailbox, viewer, seen) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET seen = seen + excluded.seen`,
    )
    .run(mailbox.id, viewer, more)
}

/** Forgets who has seen what is taken out; `bounds`: first, last, first, last … One look where nobody else looks in. */
export function dropSeen(context: WriterContext, mailbox: MailboxState, bounds: readonly number[]): void {
  const viewers = context.pluck('SELECT viewer FROM viewers WHERE mailbox = ?').all(mailbox.id) as number[]
  for (const viewer of viewers) {
    let seen = 0
    for (let i = 0; i < bounds.length; i += 2) {
      const range = [mailbox.id, viewer, bounds[i], bounds[i + 1]]
      const where = 'FROM seen WHERE mailbox = ? AND viewer = ? AND uid BETWEEN ? AND ?'
      seen += (context.pluck(`SELECT sum(seen) ${where}`).get(...range) as number | null) ?? 0
      context.sql(`DELETE ${where}`).run(...range)
    }
    if (seen > 0) countSeen(context, mailbox, viewer, -seen)
  }
}

const maxRows = 2000

const select = `SELECT marks.uid, flags, marks.modseq, seen.seen, seen.modseq FROM marks
  LEFT JOIN seen ON seen.mailbox = marks.mailbox AND seen.viewer = ? AND seen.uid = marks.uid
  WHERE marks.mailbox = ? AND marks.uid BETWEEN ? AND ? ORDER BY marks.uid LIMIT ?`

type Row = [uid: number, flags: number, modSeq: number, seen: number | null, seenModSeq: number | null]

/** STORE by an account that is not the owner; at most `maxRows` at a time, see `updateFlags`. */
export function updateFlagsAs(
  context: WriterContext,
  mailbox: MailboxState,
  args: FlagsArguments & { acting: Acting },
): FlagsResult {
  const viewer = args.acting.account
  const { rows, resumeAt } = rowsOf(context, mailbox, viewer, args.bounds)
  const since = args.unchangedSince ?? Number.MAX_SAFE_INTEGER
  const isOpen = (row: Row): boolean => Math.max(row[2], row[4] ?? 0) <= since
  const { mode, acting } = args
  const { flags, seenBy } = divideFlags(mailbox.account as AccountId, args.flags, acting)
  if (mode !== 'remove' && rows.some(isOpen)) requirePlaces(context, mailbox, flags)
  const bits = bitsOf(flags, mailbox.keywords)
  const mark = context.sql('UPDATE marks SET flags = ?, modseq = ? WHERE mailbox = ? AND uid = ?')
  const changed: number[] = []
  let touched = false
  let more = 0
  for (const [uid, before, , wasSeen] of rows.filter(isOpen)) {
    const after = sharedBits(before, mode, bits, acting.may)
    if (after !== before) {
      mark.run(after, context.modSeq(mailbox.account), mailbox.id, uid)
      mailbox.deleted += Math.sign(after & deletedBit) - Math.sign(before & deletedBit)
      changed.push(uid)
    }
    const seen = seenAfter(wasSeen === 1, mode, seenBy !== undefined, acting.may)
    if (seen !== (wasSeen === 1)) {
      putSeen(context, mailbox, viewer, uid, seen, context.modSeq(mailbox.account))
      more += seen ? 1 : -1
      touched = true
    }
  }
  if (touched) countSeen(context, mailbox, viewer, more)
  if (changed.length > 0) {
    logChanged(context, mailbox, context.modSeq(mailbox.account), boundsOf(UidSet.ofSorted(changed)))
  }
  if (touched || changed.length > 0) {
    mailbox.highestModSeq = context.modSeq(mailbox.account)
    saveMailbox(context, mailbox)
  }
  const modified = rows.filter((row) => !isOpen(row)).flatMap(([uid]) => [uid, uid])
  return { modSeq: mailbox.highestModSeq, since: 0, modified, resumeAt }
}

function rowsOf(
  context: WriterContext,
  mailbox: MailboxState,
  viewer: number,
  bounds: readonly number[],
): { rows: Row[]; resumeAt: number } {
  const rows: Row[] = []
  for (let i = 0; i < bounds.length; i += 2) {
    const left = maxRows + 1 - rows.length
    rows.push(...(context.raw(select).all(viewer, mailbox.id, bounds[i], bounds[i + 1], left) as Row[]))
    if (rows.length > maxRows) return { rows: rows.slice(0, maxRows), resumeAt: (rows[maxRows] as Row)[0] }
  }
  return { rows, resumeAt: 0 }
}
