/** The job that ends an attempt: outcomes, DSNs and journey events in one transaction, or none of them. */
import { type RecipientOutcome, StoreError } from '@pennypost/model'
import type { WriterContext } from '../context.ts'
import { type AcceptedRow, accept, type PackedAcceptance } from './accept.ts'
import { type FlowRow, recordFlow } from './flow.ts'
import { releaseMessages } from './message-rows.ts'
import { enterLane, refreshLane } from './queue-rows.ts'

export interface SettleArguments {
  entry: number
  lease: string
  dueAt: number
  outcomes: readonly RecipientOutcome[]
  nextAttemptAt: number
  attempted: boolean
  goesOn?: boolean
  hold?: boolean
  delayNotified: readonly number[]
  accept: readonly PackedAcceptance[]
  flow: readonly FlowRow[]
}

interface StoredEntry {
  lease: string | null
  leaseUntil: number | null
  destination: string
  retry: number
  dueAt: number
  attempts: number
  held: number
  message: number
  recipients: string
}

interface StoredRecipient {
  index: number
  lastReply: string
  delayNotified: boolean
}

/** What came of an attempt, all of it in one transaction; ends the lease, unless the attempt goes on. */
export function settle(context: WriterContext, args: SettleArguments): AcceptedRow[] {
  const row = context
    .sql(
      `SELECT lease, lease_until AS leaseUntil, destination, retry, due_at AS dueAt, attempts, held, message, recipients
        FROM queue WHERE id = ?`,
    )
    .get(args.entry) as StoredEntry | undefined
  if (row?.lease !== args.lease) throw new StoreError('lease-lost', 'the lease on the queue entry is lost')
  const left = unsettled(JSON.parse(row.recipients) as StoredRecipient[], args)
  recordFlow(context, args.flow)
  const accepted = accept(context, args.accept)
  if (args.goesOn && left.length > 0) {
    context.sql('UPDATE queue SET recipients = ? WHERE id = ?').run(JSON.stringify(left), args.entry)
    return accepted
  }
  context.effects.queue = true
  if (left.length === 0) {
    context.sql('DELETE FROM queue WHERE id = ?').run(args.entry)
    releaseMessages(context, [row.message])
  } else putBack(context, args, row, left)
  // It had run out: the entry waited again, and does so no more, or for another time.
  if (row.leaseUntil === null) refreshLane(context, row.destination, row.retry)
  return accepted
}

function putBack(
  context: WriterContext,
  { entry, dueAt: leasedAt, attempted, hold = false, nextAttemptAt }: SettleArguments,
  { destination, dueAt: before, attempts: made, held: wasHeld }: StoredEntry,
  left: readonly StoredRecipient[],
): void {
  const attempts = made + (attempted ? 1 : 0)
  const dueAt = before === leasedAt ? nextAttemptAt : before
  const retry = attempts > 0 ? 1 : 0
  const held = hold ? 1 : wasHeld
  context
    .sql(
      `UPDATE queue SET lease = NULL, lease_until = NULL, attempts = ?, retry = ?, due_at = ?, held = ?, recipients = ?
        WHERE id = ?`,
    )
    .run(attempts, retry, dueAt, held, JSON.stringify(left), entry)
  if (!held) enterLane(context, destination, retry, dueAt)
}

/** The recipients that have no final outcome yet. */
function unsettled(recipients: readonly StoredRecipient[], args: SettleArguments): StoredRecipient[] {
  const outcomes = new Map(args.outcomes.map((outcome) => [outcome.index, outcome]))
  const left: StoredRecipient[] = []
  for (const recipient of recipients) {
    const outcome = outcomes.get(recipient.index)
    if (outcome && outcome.outcome !== 'deferred') continue
    left.push({
      ...recipient,
      lastReply: outcome?.reply ?? recipient.lastReply,
      delayNotified: recipient.delayNotified || args.delayNotified.includes(recipient.index),
    })
  }
  return left
}
