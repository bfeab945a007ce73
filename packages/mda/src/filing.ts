/**
 * What one acceptance does with its recipients' deliveries: which mailbox of which account gets the message, with which
 * delivery block, and what goes on to elsewhere. Pure; called after the final dot, when the verdict is known.
 *
 * Never broken: one filing per account, however many forward-paths lead there; the first of them is the one that
 * Delivered-To shows, and each is named for its DSN. An outside address gets one forward, however many aliases name it.
 */
import { type AccountId, lookupAddress, type NewFiling } from '@pennypost/model'
import type { Delivery, DeliveryPlan, FileDelivery, PlanInput } from './mda.ts'

/** More filings than this in one transaction would hold up the writer: the rest is queued with route `local`. */
export const filingsAtOnce = 100

type Filing = NewFiling & { forwardPaths: string[] }

/** Decides for all recipients of one message. */
export function planFilings({ reversePath, recipients, verdict }: PlanInput, limit = filingsAtOnce): DeliveryPlan {
  const filings = new Map<AccountId, Filing>()
  const relays: DeliveryPlan['relays'][number][] = []
  const later: DeliveryPlan['later'][number][] = []
  const withheld: number[] = []
  /** What has been planned already and has no filing to be added to. */
  const planned = new Set<string>()
  const isFirst = (key: string): boolean => !planned.has(key) && planned.add(key) !== undefined
  const mailbox = mailboxFor(verdict)
  /** Names the forward-path in the filing of the account; false when it has none. */
  const joins = ({ account }: FileDelivery, forwardPath: string): boolean => {
    const filing = filings.get(account)
    if (filing && !filing.forwardPaths.includes(forwardPath)) filing.forwardPaths.push(forwardPath)
    return filing !== undefined
  }

  for (const [recipient, { forwardPath, deliveries }] of recipients.entries()) {
    const due = deliveries.filter((delivery) => !isWithheld(delivery, verdict))
    if (due.length === 0 && deliveries.length > 0) withheld.push(recipient)
    for (const delivery of due) {
      if (delivery.kind === 'relay') {
        const key = lookupAddress(delivery.forwardPath) ?? delivery.forwardPath
        if (delivery.trace === '' || isFirst(key)) relays.push({ recipient, relay: delivery })
        continue
      }
      if (joins(delivery, forwardPath)) continue
      if (delivery.later || filings.size >= limit) {
        if (isFirst(String(delivery.account))) later.push({ recipient, filing: delivery })
      } else filings.set(delivery.account, fileInto(mailbox, delivery, reversePath, forwardPath))
    }
  }
  // A full account may be reached as postmaster by another forward-path.
  const waiting = later.filter(({ recipient, filing }) => !joins(filing, recipients[recipient]!.forwardPath))
  return { filings: [...filings.values()], relays, later: waiting, withheld }
}

/** Doubtful mail is not forwarded in our name; what is merely relayed is judged by its own host. */
function isWithheld(delivery: Delivery, verdict: PlanInput['verdict']): boolean {
  return verdict === 'quarantine' && delivery.kind === 'relay' && delivery.trace !== ''
}

/** Where the message goes when the account has no rules of its own. */
function mailboxFor(verdict: PlanInput['verdict']): string {
  return verdict === 'quarantine' ? '\\Junk' : 'INBOX'
}

function fileInto(mailbox: string, { account, deliveredTo }: FileDelivery, from: string, forwardPath: string): Filing {
  return { account, mailbox, delivery: deliveryBlock(from, deliveredTo), flags: [], forwardPaths: [forwardPath] }
}

/** RFC 5321 §4.4: Return-Path at final delivery; Delivered-To beside it, by which loops are found. */
export function deliveryBlock(reversePath: string, deliveredTo: string): Buffer {
  return Buffer.from(`Return-Path: <${reversePath}>\r\nDelivered-To: ${deliveredTo}\r\n`)
}
