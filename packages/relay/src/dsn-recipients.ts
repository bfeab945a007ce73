/**
 * Who is told what about a message (RFC 3461 §5.2): which recipients of a settlement need a notice of which kind. Pure.
 *
 * Never broken: nothing answers the null reverse-path; NEVER is never; delays are told once, and not to programs.
 * Who calls it: the conclusion of attempts.
 */
import type { QueueEntry, QueueRecipient } from '@pennypost/model'
import type { OriginalRecipient } from '@pennypost/smtp'
import type { Verdict } from './verdict.ts'

export type NoticeAction = 'failed' | 'delayed' | 'relayed' | 'delivered'

/** A recipient with what became of it. */
export interface Told {
  recipient: QueueRecipient
  verdict: Verdict
}

/** One DSN: about these, of one kind. */
export interface Notice {
  action: NoticeAction
  recipients: readonly Told[]
}

type Envelope = QueueEntry['envelope']

/** Whether the recipient will have a notice once the delay is long enough. */
export function awaitsDelayNotice({ reversePath, autoSubmitted }: Envelope, recipient: QueueRecipient): boolean {
  if (reversePath === '' || autoSubmitted || recipient.delayNotified) return false
  return wantsDelayNotice(recipient)
}

function wantsDelayNotice({ notify }: QueueRecipient): boolean {
  return notify?.includes('DELAY') ?? true
}

function wantsFailureNotice({ notify }: QueueRecipient): boolean {
  return notify?.includes('FAILURE') ?? true
}

/** Those who fail, and whose sender wants no word of it (RFC 3461 §4.1). */
export function failedUnheard(told: readonly Told[]): Told[] {
  return told.filter(({ recipient, verdict }) => verdict.outcome === 'failed' && !wantsFailureNotice(recipient))
}

/** What the next hop does not tell itself, we do (RFC 3461 §5.2.2); a local delivery is ours to tell. */
function wantsSuccessNotice({ notify }: QueueRecipient, { withoutDsn, host }: Verdict): boolean {
  return (notify?.includes('SUCCESS') ?? false) && (withoutDsn === true || host === null)
}

/**
 * One for each recipient of the sender's. The next hop was asked about the first alone, so that of the others we tell
 * ourselves that they were passed on.
 */
function eachOf({ recipient: { also = [], ...recipient }, verdict }: Told): Told[] {
  const { notify, orcpt, ...same } = recipient
  const others = also.map((asked) => ({
    recipient: { ...same, ...asked },
    verdict: { ...verdict, withoutDsn: true as const },
  }))
  return [{ recipient, verdict }, ...others]
}

/** The notices of one settlement. `delayed`: those whose delay is told now. */
export function noticesFor(told: readonly Told[], delayed: readonly Told[]): Notice[] {
  const each = told.flatMap(eachOf)
  const failed = each.filter(({ recipient, verdict }) => verdict.outcome === 'failed' && wantsFailureNotice(recipient))
  const passed = each.filter(
    ({ recipient, verdict }) => verdict.outcome === 'delivered' && wantsSuccessNotice(recipient, verdict),
  )
  const notices: Notice[] = [
    { action: 'failed', recipients: failed },
    { action: 'delayed', recipients: delayed.flatMap(eachOf).filter(({ recipient }) => wantsDelayNotice(recipient)) },
    { action: 'relayed', recipients: passed.filter(({ verdict }) => verdict.host !== null) },
    { action: 'delivered', recipients: passed.filter(({ verdict }) => verdict.host === null) },
  ]
  return notices.filter(({ recipients }) => recipients.length > 0)
}

/** `type;address`, decoded, as the queue keeps it. */
export function originalRecipient(orcpt: string | undefined): OriginalRecipient | null {
  const semicolon = orcpt?.indexOf(';') ?? -1
  if (orcpt === undefined || semicolon < 1) return null
  return { type: orcpt.slice(0, semicolon), address: orcpt.slice(semicolon + 1) }
}
