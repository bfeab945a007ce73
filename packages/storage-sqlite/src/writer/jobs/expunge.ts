import { systemFlags, UidSet } from '@pennypost/model'
import { boundsOf } from '../../bounds.ts'
import type { WriterContext } from '../context.ts'
import { logExpunged } from './changes.ts'
import { addUsage, loadMailbox, type MailboxState, saveMailbox } from './mailbox-rows.ts'
import { releaseMessages } from './message-rows.ts'
import { dropSeen } from './viewers.ts'

/** What taking a message out of a mailbox needs to know of it. */
export interface FilingRow {
  uid: number
  flags: number
  message: number
  size: number
}

export interface ExpungedRows {
  /** Bounds of what was expunged. */
  bounds: number[]
  modSeq: number
  /** UID to go on from; 0 when done. */
  resumeAt: number
}

/** EXPUNGE, UID EXPUNGE and POP3's update: at most `limit` messages at a time, so that others get their turn. */
export function expunge(
  context: WriterContext,
  args: { mailbox: number; bounds: readonly number[]; only: 'deleted' | 'all'; pinned: boolean; limit: number },
): ExpungedRows {
  const mailbox = loadMailbox(context, args.mailbox)
  const { rows, resumeAt } = filingRows(context, mailbox.id, args.bounds, args.only, args.limit)
  if (rows.length === 0) return { bounds: [], modSeq: mailbox.highestModSeq, resumeAt }
  const bounds = takeOut(context, mailbox, rows, args.pinned)
  if (!args.pinned) {
    releaseMessages(
      context,
      rows.map((row) => row.message),
    )
  }
  saveMailbox(context, mailbox)
  addUsage(context, mailbox.account, -rows.reduce((sum, row) => sum + row.size, 0), -rows.length)
  return { bounds, modSeq: mailbox.highestModSeq, resumeAt }
}

const select = `SELECT uid, flags, message, size FROM marks JOIN filings USING (mailbox, uid)
  WHERE mailbox = ? AND uid BETWEEN ? AND ?`

/** What is there of these UIDs, in their order, up to `limit` rows. */
export function filingRows(
  context: WriterContext,
  mailbox: number,
  bounds: readonly number[],
  only: 'deleted' | 'all',
  limit: number,
): { rows: FilingRow[]; resumeAt: number } {
  const condition = only === 'deleted' ? `AND flags & ${systemFlags['\\Deleted']} <> 0` : ''
  const statement = context.raw(`${select} ${condition} ORDER BY uid LIMIT ?`)
  const rows: FilingRow[] = []
  for (let i = 0; i < bounds.length; i += 2) {
    const found = statement.all(mailbox, bounds[i], bounds[i + 1], limit + 1 - rows.length)
    for (const [uid, flags, message, size] of found as [number, number, number, number][]) {
      if (rows.length === limit) return { rows, resumeAt: uid }
      rows.push({ uid, flags, message, size })
    }
  }
  return { rows, resumeAt: 0 }
}

/**
 * Takes rows out of the mailbox and says so in the log; gives their bounds. With a pin the filings stay readable as
 * ghosts and keep their reference to the message. The caller releases messages otherwise, and saves the mailbox.
 */
export function takeOut(
  context: WriterContext,
  mailbox: MailboxState,
  rows: readonly FilingRow[],
  pinned: boolean,
): number[] {
  const bounds = boundsOf(UidSet.ofSorted(rows.map(({ uid }) => uid)))
  for (const { flags, size } of rows) {
    mailbox.messages--
    mailbox.size -= size
    if ((flags & systemFlags['\\Seen']) === 0) mailbox.unseen--
    if ((flags & systemFlags['\\Deleted']) !== 0) mailbox.deleted--
  }
  const modSeq = context.modSeq(mailbox.account)
  const haunt = context.sql(
    'INSERT OR REPLACE INTO ghosts SELECT *, ? FROM filings WHERE mailbox = ? AND uid BETWEEN ? AND ?',
  )
  const unfile = context.sql('DELETE FROM filings WHERE mailbox = ? AND uid BETWEEN ? AND ?')
  const unmark = context.sql('DELETE FROM marks WHERE mailbox = ? AND uid BETWEEN ? AND ?')
  for (let i = 0; i < bounds.length; i += 2) {
    if (pinned) haunt.run(modSeq, mailbox.id, bounds[i], bounds[i + 1])
    unfile.run(mailbox.id, bounds[i], bounds[i + 1])
    unmark.run(mailbox.id, bounds[i], bounds[i + 1])
  }
  mailbox.highestModSeq = modSeq
  dropSeen(context, mailbox, bounds)
  logExpunged(context, mailbox, modSeq, bounds)
  return bounds
}

/** No pin needs what was expunged up to this MODSEQ: forgets up to `limit` ghosts of it; gives how many. */
export function releaseGhosts(context: WriterContext, args: { mailbox: number; upTo: number; limit: number }): number {
  const rows = context
    .raw('SELECT uid, message FROM ghosts WHERE mailbox = ? AND expunged_modseq <= ? ORDER BY uid LIMIT ?')
    .all(args.mailbox, args.upTo, args.limit) as [number, number][]
  const drop = context.sql('DELETE FROM ghosts WHERE mailbox = ? AND uid = ?')
  for (const [uid] of rows) drop.run(args.mailbox, uid)
  releaseMessages(
    context,
    rows.map(([, message]) => message),
  )
  return rows.length
}
