/**
 * To whom a DSN goes, from whom it comes, and the way it takes: filed here, or queued.
 *
 * Never broken: a DSN about a forward goes to its original sender only if that sender is known to be one; nobody's
 * forged address gets our bounces, and nobody who may be anybody gets notices of success, which every stranger can ask for.
 * Who calls it: the making of DSNs and of reports, and local attempts.
 */

import {
  type AddressPath,
  type DeliveryPlan,
  deliveryBlock,
  isOurs,
  isSrs,
  type Mda,
  planFilings,
} from '@pennypost/mda'
import {
  type Directory,
  type JourneyId,
  lookupDomain,
  type NewQueueEntry,
  type QueueEnvelope,
  splitAddress,
} from '@pennypost/model'
import type { Arrivals } from './arrivals.ts'
import type { NoticeAction } from './dsn-recipients.ts'
import type { Routes } from './routes.ts'

export interface AddressOptions {
  mda: Pick<Mda, 'expand'>
  directory: Pick<Directory, 'domain'>
  arrivals: Arrivals
  routes: Pick<Routes, 'destination'>
  hostname: string
}

/** Destination of entries that are filed here. */
const localDestination = 'local'

/** An address as the MDA takes it; what has no @ is a local part alone. */
export function pathOf(address: string): AddressPath {
  const split = splitAddress(address) ?? { localPart: address, domain: '' }
  return { text: address, ...split }
}

/**
 * Who is told: the reverse-path; for a forward, whose reverse-path is ours (SRS), the original sender if the checks vouch
 * for it and the path still leads there, else the postmaster of the domain that forwards. Undefined for the null
 * reverse-path, and for one that is not to be told.
 */
export async function addresseeOf(
  journey: JourneyId,
  reversePath: string,
  action: NoticeAction,
  options: AddressOptions,
): Promise<string | undefined> {
  if (reversePath === '') return undefined
  const { sender } = await options.arrivals.of(journey)
  const isGood = action === 'relayed' || action === 'delivered'
  if (isGood && (sender === 'unknown' || sender === 'forged')) return undefined
  const { localPart, domain } = pathOf(reversePath)
  const isForward = isSrs(localPart) && (await isOurs(domain, options))
  if (!isForward) return sender === 'forged' ? undefined : reversePath
  const postmaster = isGood ? undefined : `postmaster@${domain}`
  if (sender !== 'known') return postmaster
  const expansion = await options.mda.expand(pathOf(reversePath), { reversePath: '', size: 0, mayRelay: true })
  // The secret that made it is replaced, it is too old after weeks on hold, or the clock was ahead.
  if (expansion.kind === 'refused') return postmaster
  const [delivery] = expansion.deliveries
  return delivery?.kind === 'relay' ? delivery.forwardPath : reversePath
}

/** The address that a DSN is from: postmaster of the first domain of ours among those that it is about. */
export async function postmasterFor(addresses: readonly string[], options: AddressOptions): Promise<string> {
  for (const address of addresses) {
    const { domain } = pathOf(address)
    if (domain !== '' && (await isOurs(domain, options))) return `postmaster@${lookupDomain(domain)}`
  }
  return `postmaster@${options.hostname}`
}

/** What is done with a DSN for this address; undefined when nobody can be reached. */
export async function planFor(
  to: string,
  envelope: QueueEnvelope,
  options: AddressOptions,
): Promise<(Pick<DeliveryPlan, 'filings'> & { queue: NewQueueEntry[] }) | undefined> {
  const expansion = await options.mda.expand(pathOf(to), { reversePath: '', size: 0, mayRelay: true })
  if (expansion.kind === 'refused') {
    if (expansion.reply.code >= 500) return undefined
    // A full mailbox may have room tomorrow: the queue asks again.
    const waiting = {
      destination: localDestination,
      route: 'local' as const,
      envelope,
      recipients: [{ forwardPath: to }],
    }
    return { filings: [], queue: [waiting] }
  }
  const recipients = [{ forwardPath: to, deliveries: expansion.deliveries }]
  const plan = planFilings({ reversePath: '', recipients, verdict: 'accept' })
  return { filings: plan.filings, queue: queueFor(plan, envelope, [to], options.routes) }
}

/** The queue entries of a plan. `forwardPaths`: of the plan's recipients. Nobody is told about them again. */
export function queueFor(
  { relays, later }: Pick<DeliveryPlan, 'relays' | 'later'>,
  envelope: QueueEnvelope,
  forwardPaths: readonly string[],
  routes: Pick<Routes, 'destination'>,
): NewQueueEntry[] {
  const remote = relays.map(({ relay: { forwardPath, reversePath, trace, nextHop } }): NewQueueEntry => {
    const { domain } = pathOf(forwardPath)
    const from = reversePath ?? envelope.reversePath
    const recipient = { forwardPath, ...(trace === '' ? {} : { trace }) }
    return {
      destination: routes.destination(domain, nextHop, from),
      route: 'remote',
      envelope: { ...envelope, reversePath: from },
      // RFC 3461 §6.1: a DSN asks for no other DSN.
      recipients: [from === '' ? { ...recipient, notify: ['NEVER'] } : recipient],
    }
  })
  const local = later.map(({ recipient, filing: { account, deliveredTo } }): NewQueueEntry => {
    const trace = deliveryBlock(envelope.reversePath, deliveredTo).toString()
    const forwardPath = forwardPaths[recipient] as string
    return { destination: localDestination, route: 'local', envelope, recipients: [{ forwardPath, account, trace }] }
  })
  return [...remote, ...local]
}
