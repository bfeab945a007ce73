/** The jobs behind COPY and MOVE, and what RENAME of INBOX needs of them. */
import { type AccountId, type Acting, divideFlags, flagsOf, StoreError, trashQuota } from '@pennypost/model'
import type { WriterContext } from '../context.ts'
import { arrived, defaultUidl } from './accept.ts'
import { type FilingRow, filingRows, takeOut } from './expunge.ts'
import { flagBits } from './keywords.ts'
import { addUsage, checkQuota, loadMailbox, type MailboxState, saveMailbox } from './mailbox-rows.ts'
import { retainMessages } from './message-rows.ts'
import { addSeen, viewedFlags } from './viewers.ts'

export interface CopiedRows {
  uidValidity: number
  /** Same length: source[n] became target[n]. */
  source: number[]
  target: number[]
  /** UID to go on from; 0 when done. */
  resumeAt: number
}

/** COPY: whole or not at all (RFC 9051 §6.4.7), however much it is. */
export function copy(
  context: WriterContext,
  args: {
    from: number
    bounds: readonly number[]
    to: number
    now: number
    acting?: Acting | undefined
    count: number
  },
): CopiedRows {
  const from = loadMailbox(context, args.from)
  const to = args.to === args.from ? from : loadMailbox(context, args.to)
  const { rows } = filingRows(context, from.id, args.bounds, 'all', Number.MAX_SAFE_INTEGER)
  if (rows.length < args.count) throw new StoreError('no-such-message', 'some of the messages are gone')
  const octets = rows.reduce((sum, row) => sum + row.size, 0)
  checkQuota(context, to.account, octets, isDeletion(context, from, to) ? trashQuota : undefined)
  const target = putInto(context, rows, from, to, args)
  retainMessages(
    context,
    rows.map((row) => row.message),
  )
  if (rows.length > 0) {
    saveMailbox(context, to)
    addUsage(context, to.account, octets, rows.length)
  }
  return { uidValidity: to.uidValidity, source: rows.map((row) => row.uid), target, resumeAt: 0 }
}

/** Whether messages of an account are copied to its Trash. */
function isDeletion(context: WriterContext, from: MailboxState, to: MailboxState): boolean {
  if (from.account !== to.account) return false
  return context.pluck('SELECT special_use FROM mailboxes WHERE id = ?').get(to.id) === '\\Trash'
}

export interface MoveArguments {
  from: number
  bounds: readonly number[]
  to: number
  now: number
  pinned: boolean
  limit: number
  acting?: Acting | undefined
}

/** MOVE: atomic for each message (RFC 6851 §3.3), at most `limit` of them at a time. */
export function move(context: WriterContext, args: MoveArguments): CopiedRows {
  const from = loadMailbox(context, args.from)
  const to = args.to === args.from ? from : loadMailbox(context, args.to)
  const { rows, resumeAt } = filingRows(context, from.id, args.bounds, 'all', args.limit)
  const target = moveRows(context, rows, from, to, args)
  return { uidValidity: to.uidValidity, source: rows.map((row) => row.uid), target, resumeAt }
}

/** Gives the new UIDs. Saves both mailboxes. */
export function moveRows(
  context: WriterContext,
  rows: readonly FilingRow[],
  from: MailboxState,
  to: MailboxState,
  { now, pinned, acting }: { now: number; pinned: boolean; acting?: Acting | undefined },
): number[] {
  if (rows.length === 0) return []
  const octets = rows.reduce((sum, row) => sum + row.size, 0)
  if (from.account !== to.account) checkQuota(context, to.account, octets)
  const target = putInto(context, rows, from, to, { now, acting })
  takeOut(context, from, rows, pinned)
  // The ghost keeps the reference of the filing that was taken out, so the new filing has one of its own.
  if (pinned) {
    retainMessages(
      context,
      rows.map((row) => row.message),
    )
  }
  saveMailbox(context, to)
  if (from.id !== to.id) saveMailbox(context, from)
  if (from.account !== to.account) {
    addUsage(context, from.account, -octets, -rows.length)
    addUsage(context, to.account, octets, rows.length)
  }
  return target
}

const insertFilings = `INSERT INTO filings (mailbox, uid, message, size, internal_at, internal_offset, saved_at, uidl,
  journey, delivery) SELECT ?, ?, message, size, internal_at, internal_offset, ?, ?, journey, delivery
  FROM filings WHERE mailbox = ? AND uid = ?`

function putInto(
  context: WriterContext,
  rows: readonly FilingRow[],
  from: MailboxState,
  to: MailboxState,
  { now, acting }: { now: number; acting?: Acting | undefined },
): number[] {
  if (rows.length === 0) return []
  const modSeq = context.modSeq(to.account)
  const translated = new Map<number, { flags: number; seenBy: number | undefined }>()
  const seen: number[] = []
  const file = context.sql(insertFilings)
  const mark = context.sql('INSERT INTO marks (mailbox, uid, flags, modseq) VALUES (?, ?, ?, ?)')
  const target: number[] = []
  for (const row of rows) {
    const uid = to.uidNext
    const viewed = viewedFlags(context, from, row, acting)
    let kept = translated.get(viewed)
    if (!kept) {
      const { flags: names, seenBy } = divideFlags(to.account as AccountId, flagsOf(viewed, from.keywords), acting)
      kept = { flags: from.id === to.id && !acting ? row.flags : flagBits(context, to, names), seenBy }
      translated.set(viewed, kept)
    }
    const { flags, seenBy } = kept
    if (seenBy !== undefined) seen.push(uid)
    file.run(to.id, uid, now, defaultUidl(to, uid), from.id, row.uid)
    mark.run(to.id, uid, flags, modSeq)
    arrived(to, modSeq, row.size, flags)
    target.push(uid)
  }
  if (acting && seen.length > 0) addSeen(context, to, acting.account, seen, modSeq)
  return target
}
