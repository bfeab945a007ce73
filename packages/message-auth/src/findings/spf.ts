import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { plainAddress, type Resolver } from '@pennypost/model'
import type { CheckWorker } from '../checks/check-worker.ts'
import type { SpfFinding } from './finding.ts'

/**
 * SPF (RFC 7208) of the mailbox in MAIL FROM, or of the HELO name for the null reverse-path. A domain without a record,
 * which most senders of junk have, is found out here; only a record is given to the worker.
 */

export interface SenderFacts {
  /** Of the SMTP client. */
  clientAddress: string
  /** As the client gave it. */
  helo: string
  /** Without angle brackets; '' for the null reverse-path. */
  reversePath: string
}

export interface SpfContext {
  resolver: Resolver
  worker: CheckWorker
  /** Ours, for macros in explanations. */
  hostname: string
}

export function spfIdentity({ helo, reversePath }: SenderFacts): Pick<SpfFinding, 'check' | 'identity' | 'domain'> {
  const identity = reversePath === '' ? 'helo' : 'mailfrom'
  const name = identity === 'helo' ? helo : reversePath.slice(reversePath.lastIndexOf('@') + 1)
  return { check: 'spf', identity, domain: domainToASCII(name.replace(/\.$/, '')) }
}

export async function checkSpf(context: SpfContext, facts: SenderFacts, signal: AbortSignal): Promise<SpfFinding> {
  const finding = spfIdentity(facts)
  const { domain } = finding
  const clientAddress = plainAddress(facts.clientAddress)
  if (isIP(clientAddress) === 0) return { ...finding, result: 'unavailable', detail: 'the address is not known' }
  // RFC 7208 §4.3: literals, single labels and what is no name have no policy.
  if (!isQualifiedName(domain)) return { ...finding, result: 'none', detail: 'no domain that can have a record' }
  const records = await context.resolver.query(domain, 'TXT', signal)
  if (records.status === 'failed') return { ...finding, result: 'temperror', detail: records.reason }
  if (records.status !== 'found' || !records.records.some((text) => /^v=spf1( |$)/i.test(text))) {
    return { ...finding, result: 'none', detail: `${domain} has no SPF record` }
  }
  const { result, detail } = await context.worker.spf(
    {
      kind: 'spf',
      clientAddress,
      // The name as it was looked at: A-labels, no dot at its end.
      helo: finding.identity === 'helo' ? domain : facts.helo,
      reversePath: facts.reversePath.replace(/[^@]+$/, () => domain),
      hostname: context.hostname,
    },
    signal,
  )
  return { ...finding, result, detail }
}

function isQualifiedName(domain: string): boolean {
  const labels = domain.split('.')
  return (
    labels.length > 1 &&
    domain.length <= 253 &&
    labels.every((label) => /^[!-Z\\^-~]{1,63}$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1)!)
  )
}
