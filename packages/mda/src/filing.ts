/**
 * What one acceptance does with its recipients' deliveries: which mailbox of which account gets the message, with which
 * delivery block, and what goes on to elsewhere. Pure; called after the final dot, when the verdict is known.
 *
 * Never broken: one filing per account, however many forward-paths lead there; the first of them is the one that
 * Delivered-To shows, and each is named for its DSN. An outside address gets the message once likewise.
 */
import { type AccountId, lookupAddress, lookupDomain, type NewFiling } from '@pennypost/model'
import type { Delivery, DeliveryPlan, FileDelivery, PlanInput, PlannedRelay, RelayDelivery } from './mda.ts'

/** More filings than this in one transaction would hold up the writer: the rest is queued with route `local`. */
export const filingsAtOnce = 100

type Filing = NewFiling & { forwardPaths: string[] }
type Relay = PlannedRelay & { also: number[] }

/** Decides for all recipients of one message. */
export function planFilings({ reversePath, recipients, verdict }: PlanInput, limit = filingsAtOnce): DeliveryPlan {
  const filings = new Map<AccountId, Filing>()
  const relays = new Map<string, Relay>()
  const later: DeliveryPlan['later'][number][] = []
  const withheld: number[] = []
  /** Accounts that have been planned for later already. */
  const planned = new Set<AccountId>()
  const isFirst = (account: AccountId): boolean => !planned.has(account) && planned.add(account) !== undefined
  const mailbox = mailboxFor(verdict)
  /** Names the forward-path in the filing of the account; false when it has none. */
  const joins = ({ account }: FileDelivery, forwardPath: string): boolean => {
    const filing = filings.get(account)
    if (filing && !filing.forwardPaths.includes(forwardPath)) filing.forwardPaths.push(forwardPath)
    return filing !== undefined
  }

  for (const [recipient, { forwardPath, deliveries }] of recipients.entries()) {
    const due = deliveries.filter((delivery) => !isWithheld(delivery, verdict))
    if (due.length === 0) withheld.push(recipient)
    for (const delivery of due) {
      if (delivery.kind === 'relay') {
        planRelay(relays, delivery, recipient)
        continue
      }
      if (joins(delivery, forwardPath)) continue
      if (delivery.later || filings.size >= limit) {
        if (isFirst(delivery.account)) later.push({ recipient, filing: delivery })
      } else filings.set(delivery.account, fileInto(mailbox, delivery, reversePath, forwardPath))
    }
  }
  // A full account may be reached as postmaster by another forward-path.
  const waiting = later.filter(({ recipient, filing }) => !joins(filing, recipients[recipient]!.forwardPath))
  return { filings: [...filings.values()], relays: [...new Set(relays.values())], later: waiting, withheld }
}

/** `relays`: by what tells whether two addresses are one. */
function planRelay(relays: Map<string, Relay>, relay: RelayDelivery, recipient: number): void {
  const keys = relayKeys(relay)
  const known = keys.map((key) => relays.get(key)).find((each) => each !== undefined)
  known?.also.push(recipient)
  const planned = known ?? { recipient, also: [], relay }
  for (const key of keys) relays.set(key, planned)
}

/** Local parts elsewhere may differ in their case alone (RFC 5321 §2.4); in aliases of ours nobody means that. */
function relayKeys({ forwardPath, trace }: RelayDelivery): string[] {
  const at = forwardPath.lastIndexOf('@') + 1
  const domain = forwardPath.slice(at)
  const exact = forwardPath.slice(0, at) + (lookupDomain(domain) ?? domain.toLowerCase())
  return trace === '' ? [exact] : [exact, `forward ${lookupAddress(forwardPath) ?? exact}`]
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
