/**
 * The MTA-STS policies of other domains: found, fetched, and kept for as long as they ask for (RFC 8461 §3.3, §5.1).
 *
 * Never broken: a policy that is kept outlives a record that has gone and a page that cannot be had, until its time is
 * over; without one, what cannot be fetched is no policy. A failed fetch is not repeated for five minutes.
 * Who calls it: the opener of connections, for each walk over the hosts of a domain.
 */
import {
  type Clock,
  type FailedAnswer,
  failureText,
  type Log,
  memoryLimits,
  type PolicyMemory,
  type Resolver,
} from '@pennypost/model'
import { dropOldest } from '../drop-oldest.ts'
import { listed } from '../listed.ts'
import type { Https } from './https.ts'
import { parseStsPolicy, type StsPolicy, stsIdOf } from './sts-policy.ts'

export interface StsOptions {
  resolver: Resolver
  https: Https
  clock: Clock
  log: Log
  /** Absent: policies are kept in memory only. */
  memory?: Pick<PolicyMemory, 'note' | 'recall'>
  /** 443, but for tests. */
  port: number
}

/** RFC 8460 §4.3 names the kinds of trouble. */
interface Trouble {
  result: 'sts-policy-fetch-error' | 'sts-policy-invalid' | 'sts-webpki-invalid'
  words: string
}

export interface StsFound {
  domain: string
  policy?: StsPolicy
  /** The domain says that it has a policy, and it could not be had; or what it says is not to be found out. */
  failure?: string
  /** For the reports; `words` say what went wrong. */
  trouble?: Trouble
  /** For the journey. */
  note?: string
}

export interface StsPolicies {
  find(domain: string): Promise<StsFound>
}

interface Kept {
  id: string
  policy: StsPolicy
  /** Milliseconds of `clock.now()`, because policies outlive the process. */
  fetchedAt: number
}

type Fetched = { policy: StsPolicy } | { trouble: Trouble }

/** Domains that are held in memory. */
const domainsMax = 5000
/** RFC 8461 §3.3: a failed fetch is repeated no sooner than this. */
const patienceMs = 5 * 60_000
/** A policy in use is looked at again so often, so that it does not run out (§10.2). */
const refreshMs = 86_400_000
const page = '/.well-known/mta-sts.txt'

/** One for all domains; `find` never rejects. */
export function createStsPolicies(options: StsOptions): StsPolicies {
  const { resolver, clock } = options
  const kept = new Map<string, Kept | null>()
  const failures = new Map<string, { until: number; id: string; fetched: Fetched }>()
  const under = new Map<string, Promise<StsFound>>()

  const keep = (domain: string, policy: Kept | null): void => {
    kept.delete(domain)
    kept.set(domain, policy)
    dropOldest(kept, domainsMax)
  }

  /** Fetched by a clock that was ahead, it is not young until ours has caught up. */
  const ageMs = ({ fetchedAt }: Kept): number => Math.abs(clock.now() - fetchedAt)

  const known = async (domain: string): Promise<Kept | undefined> => {
    if (!kept.has(domain)) {
      const recalled = await recall(domain, options)
      // What the store could not say is asked again: remembered as none, the policy would be gone until the process ends.
      if (recalled === undefined) return undefined
      keep(domain, recalled)
    }
    const policy = kept.get(domain)
    return policy && ageMs(policy) < policy.policy.maxAgeSeconds * 1000 ? policy : undefined
  }

  const fetchOnce = async (domain: string, id: string): Promise<Fetched> => {
    const failed = failures.get(domain)
    if (failed && failed.id === id && clock.elapsed() < failed.until) return failed.fetched
    const fetched = await fetchPolicy(domain, options)
    failures.delete(domain)
    if ('policy' in fetched) {
      const policy = { id, policy: fetched.policy, fetchedAt: clock.now() }
      keep(domain, policy)
      await remember(domain, policy, options)
    } else {
      failures.set(domain, { until: clock.elapsed() + patienceMs, id, fetched })
      dropOldest(failures, domainsMax)
    }
    return fetched
  }

  const find = async (domain: string): Promise<StsFound> => {
    const [before, answer] = await Promise.all([known(domain), resolver.query(`_mta-sts.${domain}`, 'TXT')])
    const id = answer.status === 'found' ? stsIdOf(answer.records) : undefined
    const isFresh = before && ageMs(before) < Math.min(refreshMs, before.policy.maxAgeSeconds * 500)
    if (id === undefined && before) return { domain, policy: before.policy, note: noteOf(before) }
    if (answer.status === 'failed') return notFoundOut(domain, answer)
    if (id === undefined) return { domain }
    if (before?.id === id && isFresh) return { domain, policy: before.policy, note: noteOf(before) }
    const fetched = await fetchOnce(domain, id)
    if ('policy' in fetched) return { domain, policy: fetched.policy, note: noteOf({ id, policy: fetched.policy }) }
    const { trouble } = fetched
    const note = `MTA-STS policy of ${domain}: ${trouble.words}`
    if (!before) return { domain, failure: trouble.words, trouble, note }
    return { domain, policy: before.policy, trouble, note: `${note}; ${noteOf(before)}` }
  }

  return {
    find(domain) {
      const running = under.get(domain)
      if (running) return running
      const finding = find(domain).finally(() => under.delete(domain))
      under.set(domain, finding)
      return finding
    },
  }
}

/** DNS did not say whether there is one. */
function notFoundOut(domain: string, answer: FailedAnswer): StsFound {
  const asked = `TXT _mta-sts.${domain}`
  return { domain, failure: `${asked}: ${answer.reason}`, note: `${asked}: ${failureText(answer)}` }
}

function noteOf({ id, policy }: Pick<Kept, 'id' | 'policy'>): string {
  return `MTA-STS policy ${id}: ${policy.mode}, ${listed(policy.mx) || 'no host'}`
}

async function fetchPolicy(domain: string, { https, port, log }: StsOptions): Promise<Fetched> {
  const failed = (result: Trouble['result'], words: string): Fetched => {
    log.info({ domain, failure: words }, 'an MTA-STS policy could not be had')
    return { trouble: { result, words } }
  }
  try {
    const answer = await https({ method: 'GET', host: `mta-sts.${domain}`, port, path: page })
    if (answer.status !== 200) return failed('sts-policy-fetch-error', `the page answers ${answer.status}`)
    if (!/^text\/plain\b/i.test(answer.contentType)) {
      return failed('sts-policy-invalid', `the page is ${answer.contentType || 'of no type'}, not text/plain`)
    }
    const policy = parseStsPolicy(answer.body.toString())
    return policy ? { policy } : failed('sts-policy-invalid', 'the page is no policy')
  } catch (error) {
    const { message, code = '' } = error as NodeJS.ErrnoException
    const isCertificate = /CERT|SELF_SIGNED|UNABLE_TO/.test(code)
    return failed(isCertificate ? 'sts-webpki-invalid' : 'sts-policy-fetch-error', message)
  }
}

/** Null where there is none; undefined where the store could not say. */
async function recall(domain: string, { memory, clock, log }: StsOptions): Promise<Kept | null | undefined> {
  try {
    const found = await memory?.recall('sts-policy', domain, clock.now())
    return found ? (JSON.parse(found.value) as Kept) : null
  } catch (error) {
    log.error({ err: error, domain }, 'an MTA-STS policy cannot be recalled')
    return undefined
  }
}

/** Too long for the memory, it is fetched again by the next process. */
async function remember(domain: string, kept: Kept, { memory, clock, log }: StsOptions): Promise<void> {
  const value = JSON.stringify(kept)
  if (value.length > memoryLimits.value) return
  const expiresAt = kept.fetchedAt + kept.policy.maxAgeSeconds * 1000
  try {
    await memory?.note([{ kind: 'sts-policy', key: domain, at: clock.now(), expiresAt, value }])
  } catch (error) {
    log.error({ err: error, domain }, 'an MTA-STS policy cannot be kept')
  }
}
