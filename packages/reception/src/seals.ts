import type { DeliveryPlan } from '@pennypost/mda'
import type { Sealing } from '@pennypost/message-auth'
import { type FlowFact, lookupDomain, type NewMessage } from '@pennypost/model'
import type { Session } from './session.ts'
import type { Transaction } from './transaction.ts'

/**
 * ARC sets for what goes on elsewhere of strangers' mail: for an alias, to the host of a domain that is relayed, or back to
 * its sender. Whoever gets it sees a client that its sender's SPF does not know, and under the seal what was found here.
 *
 * The domain that was written to seals, in whose name the mail goes on, and its set is no part of the message but of what
 * goes on for it: nobody learns by it who else was written to.
 *
 * What it must never break: mail that is only filed costs nothing here, and no want of a seal refuses mail.
 * Who calls it: the conclusion of a transaction, once it is settled what goes where.
 */

export interface SealedSet {
  domain: string
  /** To set before the message. */
  fields: string
}

export interface Seals {
  /** For what goes on for this recipient. */
  of(recipient: number): SealedSet | undefined
  /** For the journey: who has sealed, or why not. */
  facts: readonly FlowFact[]
}

const none: Seals = { of: () => undefined, facts: [] }

export async function sealsFor(
  { options }: Session,
  { recipients, screening }: Transaction,
  { relays }: DeliveryPlan,
  { header, content, bodyStart }: NewMessage,
): Promise<Seals> {
  const arc = screening?.arc
  if (!options.seal || !arc || relays.length === 0) return none
  const domains = recipients.map(({ path }) => lookupDomain(path.domain) ?? options.hostname)
  const sealings = await options.seal({
    domains: [...new Set(relays.map(({ recipient }) => domains[recipient] as string))],
    header,
    body: () => content.read(bodyStart),
    results: screening.trace(),
    arc,
  })
  const sets = new Map(sealings.filter((each) => 'fields' in each).map((each) => [each.domain, each]))
  return { of: (recipient) => sets.get(domains[recipient] as string), facts: sealings.map(factOf) }
}

function factOf(sealing: Sealing): FlowFact {
  if ('reason' in sealing) return { kind: 'finding', check: 'arc-seal', result: 'none', detail: sealing.reason }
  const { domain, selector, instance, validation } = sealing
  const detail = `i=${instance} cv=${validation}, by ${domain} with the key ${selector}`
  return { kind: 'finding', check: 'arc-seal', result: 'sealed', detail }
}
