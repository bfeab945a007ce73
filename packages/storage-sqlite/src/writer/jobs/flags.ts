import { type Acting, bitsOf, type FlagMode, isKeyword, systemFlags } from '@pennypost/model'
import type { WriterContext } from '../context.ts'
import { logChanged } from './changes.ts'
import { requirePlaces } from './keywords.ts'
import { loadMailbox, type MailboxState, saveMailbox } from './mailbox-rows.ts'
import { updateFlagsAs } from './viewers.ts'

/**
 * STORE: one UPDATE for each range of UIDs over the narrow marks, whatever it holds. At most `limit` rows are
 * changed at a time, so that other jobs get their turn; `resumeAt` is the UID to go on from, 0 when done.
 */
export interface FlagsArguments {
  mailbox: number
  bounds: readonly number[]
  mode: FlagMode
  flags: readonly string[]
  unchangedSince: number | null
  limit: number
  acting?: Acting | undefined
}

export interface FlagsResult {
  modSeq: number
  /** The highest one before. */
  since: number
  modified: number[]
  resumeAt: number
}

/** Which rows the mode changes, and into what. */
const modes = {
  add: { differs: 'flags & $bits <> $bits', value: 'flags | $bits' },
  remove: { differs: 'flags & $bits <> 0', value: 'flags & ~$bits' },
  replace: { differs: 'flags <> $bits', value: '$bits' },
}

const seen = systemFlags['\\Seen']
const deletedFlag = systemFlags['\\Deleted']
const inRange = 'WHERE mailbox = $mailbox AND uid BETWEEN $first AND $last'
const counting = `SELECT sum(flags & ${seen} = 0), sum(flags & ${deletedFlag} <> 0) FROM marks`
const highest = `SELECT uid FROM marks ${inRange} AND modseq = $modSeq ORDER BY uid DESC LIMIT 1`
const beyond = 'SELECT uid FROM marks WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid LIMIT 1 OFFSET ?'

export function updateFlags(context: WriterContext, args: FlagsArguments): FlagsResult {
  const mailbox = loadMailbox(context, args.mailbox)
  const { mode, acting } = args
  if (acting && acting.account !== mailbox.account) return updateFlagsAs(context, mailbox, { ...args, acting })
  const before = mailbox.highestModSeq
  const since = args.unchangedSince ?? Number.MAX_SAFE_INTEGER
  if (mode !== 'remove' && args.flags.some(isKeyword) && anyOpen(context, args, since)) {
    requirePlaces(context, mailbox, args.flags)
  }
  const bits = bitsOf(args.flags, mailbox.keywords)
  const modified: number[] = []
  const changed: number[] = []
  let budget = args.limit
  let resumeAt = 0
  for (let i = 0; i < args.bounds.length && resumeAt === 0; i += 2) {
    const first = args.bounds[i] as number
    let last = args.bounds[i + 1] as number
    if (last - first >= budget) {
      const next = context.pluck(beyond).get(mailbox.id, first, last, budget) as number | undefined
      if (next !== undefined) {
        resumeAt = next
        last = next - 1
      }
    }
    if (args.unchangedSince !== null) {
      const later = `SELECT uid FROM marks WHERE mailbox = ? AND uid BETWEEN ? AND ? AND modseq > ? ORDER BY uid`
      for (const uid of context.pluck(later).all(mailbox.id, first, last, since) as number[]) modified.push(uid, uid)
    }
    budget = Math.max(
      1,
      budget - changeRange(context, mailbox, mode, { mailbox: mailbox.id, first, last, bits, since }, changed),
    )
  }
  if (changed.length > 0) {
    const modSeq = context.modSeq(mailbox.account)
    logChanged(context, mailbox, modSeq, changed)
    mailbox.highestModSeq = modSeq
    saveMailbox(context, mailbox)
  }
  return { modSeq: mailbox.highestModSeq, since: before, modified, resumeAt }
}

/** Whether any message is to bear the flags: a STORE that reaches none adds no keyword. */
function anyOpen(context: WriterContext, { mailbox, bounds }: FlagsArguments, since: number): boolean {
  const open = context.pluck('SELECT 1 FROM marks WHERE mailbox = ? AND uid BETWEEN ? AND ? AND modseq <= ? LIMIT 1')
  for (let i = 0; i < bounds.length; i += 2) if (open.get(mailbox, bounds[i], bounds[i + 1], since)) return true
  return false
}

function changeRange(
  context: WriterContext,
  mailbox: MailboxState,
  mode: FlagMode,
  range: { mailbox: number; first: number; last: number; bits: number; since: number },
  changed: number[],
): number {
  const { bits } = range
  const { differs, value } = modes[mode]
  const condition = `${inRange} AND ${differs} AND modseq <= $since`
  const low = lowest(context, condition, range)
  if (low === undefined) return 0
  const counted = followsFromCount(mode, bits) ? undefined : context.raw(`${counting} ${condition}`).get(range)
  const modSeq = context.modSeq(mailbox.account)
  const update = context.sql(`UPDATE marks SET flags = ${value}, modseq = $modSeq ${condition}`)
  const count = update.run({ ...range, modSeq }).changes
  if (count === 0) return 0
  const [unseen, deleted] = (counted ?? countersBefore(mode, bits, count)) as [number, number]
  mailbox.unseen += count - bearers(mode, bits & seen, count, count - unseen) - unseen
  mailbox.deleted += bearers(mode, bits & deletedFlag, count, deleted) - deleted
  const high = count === 1 ? low : (context.pluck(highest).get({ ...range, modSeq }) as number)
  const end = changed.length - 1
  if (end > 0 && low === (changed[end] as number) + 1) changed[end] = high
  else changed.push(low, high)
  return count
}

/** The first UID that is to change; undefined when there is none. Of a single one the UPDATE tells. */
function lowest(context: WriterContext, condition: string, range: { first: number; last: number }): number | undefined {
  if (range.first === range.last) return range.first
  return context.pluck(`SELECT uid FROM marks ${condition} ORDER BY uid LIMIT 1`).get(range) as number | undefined
}

/** Whether the number of changed rows tells how many of them were unseen and deleted: then they are not read twice. */
function followsFromCount(mode: FlagMode, bits: number): boolean {
  if (mode === 'replace') return false
  return bits === seen || bits === deletedFlag || (bits & (seen | deletedFlag)) === 0
}

/** Of `count` rows that the mode changed, where `followsFromCount`: all lacked what was added and had what was removed. */
function countersBefore(mode: FlagMode, bits: number, count: number): [unseen: number, deleted: number] {
  const had = mode === 'remove' ? count : 0
  return [bits === seen ? count - had : 0, bits === deletedFlag ? had : 0]
}

/** How many of `count` changed rows bear a flag afterwards; `bit` is 0 when the change does not name it. */
function bearers(mode: FlagMode, bit: number, count: number, before: number): number {
  if (mode === 'replace') return bit ? count : 0
  if (bit === 0) return before
  return mode === 'add' ? count : 0
}

/** SELECT: from the returned UID on, messages are \Recent for this session and for no later one. */
export function claimRecent(context: WriterContext, mailbox: number): number {
  const { uidNext } = loadMailbox(context, mailbox)
  const recent = context.pluck('SELECT recent_uid FROM mailboxes WHERE id = ?').get(mailbox) as number
  if (recent < uidNext) context.sql('UPDATE mailboxes SET recent_uid = ? WHERE id = ?').run(uidNext, mailbox)
  return recent
}
