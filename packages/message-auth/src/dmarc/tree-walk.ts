import type { Resolver } from '@pennypost/model'
import { type DmarcRecord, recordAmong } from './record.ts'

/**
 * The DNS tree walk (RFC 9989 §4.10): from a name upwards, which records are there, and which name is the organization's.
 * At most eight queries per walk; what a walk has asked the resolver's cache knows for the next.
 */

/** DNS did not say; another time it may. */
export class WalkFailedError extends Error {
  override readonly name = 'WalkFailedError'
}

export interface Found {
  domain: string
  record: DmarcRecord
}

export interface Walk {
  /** From the longest name to the shortest. */
  found: readonly Found[]
  /** Why it ended early. */
  failure?: string
}

/** From here on names are shortened label by label; a longer one is cut to this at once (§4.10). */
const stepwiseLabels = 7

export async function walkTree(resolver: Resolver, domain: string, signal: AbortSignal): Promise<Walk> {
  const found: Found[] = []
  let labels = domain.split('.')
  while (labels.length > 0) {
    const name = labels.join('.')
    const answer = await resolver.query(`_dmarc.${name}`, 'TXT', signal)
    if (answer.status === 'failed') return { found, failure: answer.reason }
    if (answer.status === 'found') {
      const record = recordAmong(answer.records)
      if (record) found.push({ domain: name, record })
      if (record && record.publicSuffix !== 'unknown') break
    }
    labels = labels.length > stepwiseLabels ? labels.slice(-stepwiseLabels) : labels.slice(1)
  }
  return { found }
}

/**
 * §4.10.2: which of the names on a walk that ended is the organizational domain. Without psd it is the shortest with a
 * record; psd=n says so outright, and psd=y that it is one label below, or the public suffix itself.
 */
export function organizationalDomain(domain: string, found: readonly Found[]): string {
  const last = found.at(-1)
  if (last?.record.publicSuffix !== 'yes') return last?.domain ?? domain
  return domain
    .split('.')
    .slice(-(last.domain.split('.').length + 1))
    .join('.')
}

/** Rejects with `WalkFailedError`. */
export async function findOrganizationalDomain(
  resolver: Resolver,
  domain: string,
  signal: AbortSignal,
): Promise<string> {
  const { found, failure } = await walkTree(resolver, domain, signal)
  if (failure !== undefined) throw new WalkFailedError(failure)
  return organizationalDomain(domain, found)
}
