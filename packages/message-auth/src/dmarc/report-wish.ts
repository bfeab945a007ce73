/**
 * Whether the owner of a domain wants aggregate reports, and where (RFC 9990 §3.4, §4). Nobody can have reports sent to
 * somebody else: an address of another organization gets them only if that one says so in its DNS.
 * Who calls it: the relay, at night.
 */
import { lookupDomain, type Resolver } from '@pennypost/model'
import { type DmarcRecord, parseTags, recordAmong, urisIn } from './record.ts'
import { findOrganizationalDomain } from './tree-walk.ts'

export interface ReportWish {
  /** As it is published now. */
  record: DmarcRecord
  /** `mailto` URIs; at most five, and as their owners wrote them. */
  uris: readonly string[]
}

/** RFC 9990 §3.5 leaves the number to us. */
const urisMax = 5

/**
 * Undefined: nobody wants any. Rejects when DNS does not say; where it fails for one address, the others do without it.
 * `policyDomain`: where the record stands, in A-labels.
 */
export async function findReportWish(
  resolver: Resolver,
  policyDomain: string,
  signal: AbortSignal,
): Promise<ReportWish | undefined> {
  const record = recordAmong(await textsAt(resolver, `_dmarc.${policyDomain}`, signal))
  if (!record) return undefined
  const written = record.reportUris.slice(0, urisMax)
  const asked = await Promise.allSettled(written.map((uri) => allowedUri(resolver, policyDomain, uri, signal)))
  signal.throwIfAborted()
  const uris = new Set(asked.flatMap((each) => (each.status === 'fulfilled' ? (each.value ?? []) : [])))
  if (uris.size > 0) return { record, uris: [...uris] }
  const failed = asked.find((each) => each.status === 'rejected')
  if (failed) throw failed.reason
  return undefined
}

/** The URI, or the one that its host puts in its place; undefined if the host has not asked for these reports (§4). */
async function allowedUri(
  resolver: Resolver,
  policyDomain: string,
  uri: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const host = hostOf(uri)
  if (host === undefined) return undefined
  const plain = withoutSize(uri)
  if (host === policyDomain) return plain
  const [own, its] = await Promise.all(
    [policyDomain, host].map((domain) => findOrganizationalDomain(resolver, domain, signal)),
  )
  if (own === its) return plain
  const name = `${policyDomain}._report._dmarc.${host}`
  if (name.length > 253) return undefined
  const consents = (await textsAt(resolver, name, signal)).flatMap((text) => parseTags(text.trim()) ?? [])
  if (consents.length === 0) return undefined
  const [other] = consents.flatMap((tags) => urisIn(tags.get('rua') ?? ''))
  if (other === undefined) return plain
  return hostOf(other) === host ? withoutSize(other) : undefined
}

/** The domain of the mailbox, in A-labels; undefined for what is no `mailto` URI with one. */
function hostOf(uri: string): string | undefined {
  const [, mailbox = ''] = /^mailto:([^?]*)/i.exec(withoutSize(uri)) ?? []
  const at = mailbox.lastIndexOf('@')
  if (at < 1) return undefined
  try {
    return lookupDomain(decodeURIComponent(mailbox.slice(at + 1)))
  } catch {
    return undefined
  }
}

/** RFC 7489 had a limit of size behind the URI; ours are small. */
function withoutSize(uri: string): string {
  return uri.replace(/!\d+[kmgt]?$/i, '')
}

async function textsAt(resolver: Resolver, name: string, signal: AbortSignal): Promise<readonly string[]> {
  const answer = await resolver.query(name, 'TXT', signal)
  if (answer.status === 'failed') throw new Error(`${name} cannot be looked up: ${answer.reason}`)
  return answer.status === 'found' ? answer.records : []
}
