import type { WriterContext } from '../context.ts'
import type { MailboxState } from './mailbox-rows.ts'

/**
 * Writing the change log: UIDs whose flags a transaction changed, and those that it expunged. Reading it is
 * `reader/changes.ts`, which finds new messages without a log. The log is bounded: rows of changed UIDs below `change_floor` are gone, which costs readers a
 * scan of the marks; rows of expunged UIDs below `expunge_floor` are gone, which QRESYNC has words for.
 */
const insert = 'INSERT INTO changes (mailbox, expunged, modseq, first, last) VALUES (?, ?, ?, ?, ?)'

/** More ranges than this are logged as one that spans them: marks tell exactly which UIDs changed. */
const maxRanges = 64

/** `bounds`: first, last, first, last …, rising. */
export function logChanged(context: WriterContext, mailbox: MailboxState, modSeq: number, bounds: number[]): void {
  if (bounds.length / 2 > maxRanges) {
    context.sql(insert).run(mailbox.id, 0, modSeq, bounds[0], bounds.at(-1))
  } else {
    for (let i = 0; i < bounds.length; i += 2) {
      context.sql(insert).run(mailbox.id, 0, modSeq, bounds[i], bounds[i + 1])
    }
  }
  if (sometimes(modSeq)) pruneChanged(context, mailbox.id)
}

export function logExpunged(context: WriterContext, mailbox: MailboxState, modSeq: number, bounds: number[]): void {
  for (let i = 0; i < bounds.length; i += 2) {
    const first = bounds[i] as number
    const last = bounds[i + 1] as number
    context.sql(insert).run(mailbox.id, 1, modSeq, first, last)
    mailbox.expunges += last - first + 1
  }
  if (mailbox.expunges > context.limits.expungesPerMailbox) forgetExpunges(context, mailbox)
}

/** One time in 64, whatever pattern the MODSEQs of one mailbox have in those of the account. */
function sometimes(modSeq: number): boolean {
  return Math.imul(modSeq, 0x9e3779b1) >>> 26 === 0
}

const nthNewest = 'SELECT modseq FROM changes WHERE mailbox = ? AND expunged = 0 ORDER BY modseq DESC LIMIT 1 OFFSET ?'
const dropOld = 'DELETE FROM changes WHERE mailbox = ? AND expunged = 0 AND modseq <= ?'

function pruneChanged(context: WriterContext, mailbox: number): void {
  const floor = context.pluck(nthNewest).get(mailbox, context.limits.changesPerMailbox) as number | undefined
  if (floor === undefined) return
  context.sql(dropOld).run(mailbox, floor)
  context.sql('UPDATE mailboxes SET change_floor = ? WHERE id = ?').run(floor, mailbox)
}

/** Forgets the oldest expunges, as many as are too many. */
function forgetExpunges(context: WriterContext, mailbox: MailboxState): void {
  const oldest = context.raw(
    'SELECT modseq, first, last FROM changes WHERE mailbox = ? AND expunged = 1 ORDER BY modseq, first LIMIT 1',
  )
  const drop = context.sql('DELETE FROM changes WHERE mailbox = ? AND expunged = 1 AND modseq = ? AND first = ?')
  while (mailbox.expunges > context.limits.expungesPerMailbox) {
    const [modSeq, first, last] = oldest.get(mailbox.id) as [number, number, number]
    drop.run(mailbox.id, modSeq, first)
    mailbox.expunges -= last - first + 1
    mailbox.expungeFloor = modSeq
  }
}
