import type { Resolver } from '@pennypost/model'
import type { Aligned, DkimFinding, DmarcFinding, DmarcPolicy, SpfFinding } from '../findings/finding.ts'
import type { DmarcRecord } from './record.ts'
import { findOrganizationalDomain, organizationalDomain, WalkFailedError, walkTree } from './tree-walk.ts'

/**
 * DMARC (RFC 9989): which policy the author domain publishes, and which of the identifiers that SPF and DKIM
 * established belong to the same organization. Finding that out needs DNS and does not depend on what passed; what
 * follows from it is `dmarcResult`, pure, so that a finding can be judged again with another SPF or DKIM result.
 */

export interface DmarcFacts {
  /** In A-labels, lower case: of every address in every From field, each once. */
  authorDomains: readonly string[]
  spf: SpfFinding
  dkim: DkimFinding
}

/** Identifiers that need a walk of their own beyond this are `unknown`. */
const maxWalks = 10

const noPolicy = { policyDomain: '', policy: 'none', alignment: { spf: 'no', dkim: [] } } as const

export async function checkDmarc(resolver: Resolver, facts: DmarcFacts, signal: AbortSignal): Promise<DmarcFinding> {
  const authorDomain = authorDomainOf(facts)
  if (typeof authorDomain !== 'string') return authorDomain
  const finding = { check: 'dmarc', authorDomain, ...noPolicy } as const
  const found = await discoverPolicy(resolver, authorDomain, signal)
  if (typeof found === 'string') return { ...finding, result: 'temperror', detail: found }
  if (!found) return { ...finding, result: 'none', detail: `${authorDomain} has no DMARC record` }
  const { policyDomain, record, organization } = found
  const { policy, isKnown } = await effectivePolicy(resolver, authorDomain, found, signal)
  const align = aligner(resolver, authorDomain, organization, signal)
  // All at once: whoever forges may name ten domains that each take eight questions to far name servers.
  const [spf, ...dkim] = await Promise.all([
    align(facts.spf.domain, record.alignment.spf),
    ...facts.dkim.signatures.map(({ domain }) => align(domain, record.alignment.dkim)),
  ])
  const alignment = { spf, dkim }
  const outcome = dmarcResult(alignment, facts.spf, facts.dkim)
  if (outcome.result === 'fail' && !isKnown) {
    outcome.result = 'temperror'
    outcome.detail = `whether ${authorDomain} exists is not known`
  }
  return { ...finding, policyDomain, policy, alignment, ...outcome }
}

/** The one author domain; where there is none, or several, the finding that nobody has to be asked for. */
function authorDomainOf({ authorDomains }: DmarcFacts): string | DmarcFinding {
  const [authorDomain = '', ...others] = authorDomains
  if (authorDomain !== '' && others.length === 0) return authorDomain
  const detail = authorDomain === '' ? 'no author domain' : `authors of ${authorDomains.length} domains`
  return { check: 'dmarc', authorDomain: '', ...noPolicy, result: 'permerror', detail }
}

/** What alignment and results come to: one aligned identifier that passed is enough (RFC 9989 §3.2.10). */
export function dmarcResult(
  alignment: DmarcFinding['alignment'],
  spf: SpfFinding,
  dkim: DkimFinding,
): Pick<DmarcFinding, 'result' | 'detail'> {
  const established = [
    { by: 'spf', domain: spf.domain, result: spf.result, aligned: alignment.spf },
    ...dkim.signatures.map(({ domain, result }, i) => ({ by: 'dkim', domain, result, aligned: alignment.dkim[i] })),
  ]
  const passed = established.filter(({ result }) => result === 'pass')
  const proof = passed.filter(({ aligned }) => aligned === 'yes')
  if (proof.length > 0) return { result: 'pass', detail: proof.map(({ by, domain }) => `${by} ${domain}`).join(', ') }
  const open = (result: string) => result === 'temperror' || result === 'unavailable'
  const doubt =
    passed.find(({ aligned }) => aligned === 'unknown') ??
    established.find(({ result, aligned }) => open(result) && aligned !== 'no') ??
    (open(dkim.result) && dkim.signatures.length === 0 ? { by: 'dkim', domain: '' } : undefined)
  if (doubt)
    return { result: 'temperror', detail: `${doubt.by} ${doubt.domain} could not be settled`.replace('  ', ' ') }
  return { result: 'fail', detail: 'no aligned identifier passed' }
}

/** What is found when DNS could not be asked. */
export function dmarcUnavailable(facts: DmarcFacts, detail: string): DmarcFinding {
  const authorDomain = authorDomainOf(facts)
  if (typeof authorDomain !== 'string') return authorDomain
  return { check: 'dmarc', authorDomain, ...noPolicy, result: 'unavailable', detail }
}

interface Discovered {
  policyDomain: string
  record: DmarcRecord
  /** Undefined if the walk broke off above a record that applies anyway. */
  organization: string | undefined
}

/** RFC 9989 §4.10.1. Undefined: no policy; a text: why it is not known. */
async function discoverPolicy(
  resolver: Resolver,
  domain: string,
  signal: AbortSignal,
): Promise<Discovered | string | undefined> {
  const { found, failure } = await walkTree(resolver, domain, signal)
  const organization = failure === undefined ? organizationalDomain(domain, found) : undefined
  const own = found[0]?.domain === domain ? found[0] : undefined
  if (!own && failure !== undefined) return failure
  const last = found.at(-1)
  const suffix = last?.record.publicSuffix === 'yes' ? last : undefined
  const source = own ?? found.find((entry) => entry.domain === organization) ?? suffix
  return source?.record.applies ? { policyDomain: source.domain, record: source.record, organization } : undefined
}

/** `isKnown` is false when it depends on whether the author domain exists, and DNS did not say: then it is `sp`. */
async function effectivePolicy(
  resolver: Resolver,
  authorDomain: string,
  { policyDomain, record }: Discovered,
  signal: AbortSignal,
): Promise<{ policy: DmarcPolicy; isKnown: boolean }> {
  let { policy } = record
  let exists: boolean | undefined = true
  if (policyDomain !== authorDomain) {
    policy = record.subdomainPolicy
    if (record.nonExistentPolicy !== policy) exists = await nameExists(resolver, authorDomain, signal)
    if (exists === false) policy = record.nonExistentPolicy
  }
  if (record.isTest) policy = policy === 'reject' ? 'quarantine' : 'none'
  return { policy, isKnown: exists !== undefined }
}

/** RFC 9989 appendix A.4: only NXDOMAIN says that a name does not exist; an alias whose target is gone still does. */
async function nameExists(resolver: Resolver, domain: string, signal: AbortSignal): Promise<boolean | undefined> {
  for (const type of ['A', 'CNAME'] as const) {
    const { status } = await resolver.query(domain, type, signal)
    if (status === 'failed') return undefined
    if (status !== 'nxdomain') return true
  }
  return false
}

type Align = (domain: string, mode: 'relaxed' | 'strict') => Promise<Aligned>

/** RFC 9989 §3.2.10: equal, or under relaxed alignment of one organization. */
function aligner(resolver: Resolver, author: string, organization: string | undefined, signal: AbortSignal): Align {
  const known = new Map<string, Promise<Aligned>>()
  const compare = async (domain: string): Promise<Aligned> => {
    const its = await findOrganizationalDomain(resolver, domain, signal).catch((error: Error) => {
      if (error instanceof WalkFailedError) return undefined
      throw error
    })
    return its === undefined ? 'unknown' : its === organization ? 'yes' : 'no'
  }
  const walk = (domain: string): Promise<Aligned> | Aligned => {
    if (known.size >= maxWalks) return 'unknown'
    const compared = compare(domain)
    known.set(domain, compared)
    return compared
  }
  return async (domain, mode) => {
    if (domain === author) return 'yes'
    if (domain === '' || mode === 'strict') return 'no'
    const isBelow = (parent: string) => domain === parent || domain.endsWith(`.${parent}`)
    // The author's own organization is not known: only names without a common ancestor can be told apart.
    if (organization === undefined) return isBelow(author.slice(author.lastIndexOf('.') + 1)) ? 'unknown' : 'no'
    // An organizational domain is the name itself or above it.
    if (!isBelow(organization)) return 'no'
    return known.get(domain) ?? walk(domain)
  }
}
