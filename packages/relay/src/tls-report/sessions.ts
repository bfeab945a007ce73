/**
 * How TLS sessions with the hosts of other domains went, counted for the reports of the day (RFC 8460 §4.3).
 *
 * Never broken: counting costs a connection nothing but an addition; what was counted reaches the policy memory within a
 * minute, and at the end of the process.
 * Who calls it: `dial`, for each session; the reporter, for what a day came to.
 */
import { type Clock, type Log, memoryLimits, type PolicyMemory, type Timer } from '@pennypost/model'
import type { Route } from '../routes.ts'
import type { Security } from '../tls/tls-policy.ts'

export type TlsResult =
  | 'success'
  | 'starttls-not-supported'
  | 'certificate-host-mismatch'
  | 'certificate-expired'
  | 'certificate-not-trusted'
  | 'validation-failure'
  | 'dane-required'
  | 'tlsa-invalid'
  | 'dnssec-invalid'
  | 'sts-policy-fetch-error'
  | 'sts-policy-invalid'
  | 'sts-webpki-invalid'

export interface TlsSession {
  /** The domain in the address. */
  domain: string
  /** Whose policy it was. */
  by: 'tlsa' | 'sts' | 'none'
  result: TlsResult
  /** '' for trouble with a policy, which comes before any host is asked. */
  host: string
  address: string
  /** What else is known of a failure; '' for nothing. */
  reason: string
  /** The TLSA records of the host; those that were met first count for all that are counted with this one. */
  records?: readonly string[]
}

/** A kind of session, and how many there were. */
export type CountedSession = TlsSession & { count: number }

export interface TlsSessions {
  note(session: TlsSession): void
  /** Writes down what is only counted so far. */
  flush(): Promise<void>
  /** Those of the days before `today` (`2026-11-26`), by day, that are not forgotten yet. */
  before(today: string): Promise<ReadonlyMap<string, CountedSession[]>>
  /** Those of a domain on a day: it has its report, or wants none. */
  forget(day: string, domain: string): Promise<void>
}

export interface TlsSessionsOptions {
  memory: Pick<PolicyMemory, 'note' | 'recall' | 'list' | 'forget'>
  clock: Clock
  log: Log
}

const flushMs = 60_000
const keptMs = 4 * 86_400_000
/** Kinds that are counted between two writes; more of them are left out, and the report is that much poorer. */
const kindsMax = 10_000
const pageSize = 1000
/** Most domains have not more kinds in a day. */
const fewRows = 20

/** Counts in memory; `before` and `forget` reject as the policy memory does, nothing else. */
export function createTlsSessions({ memory, clock, log }: TlsSessionsOptions): TlsSessions {
  let counted = new Map<string, CountedSession>()
  let timer: Timer | undefined

  let writing = Promise.resolve()

  /** One after the other: each adds to what the one before has written. */
  const flush = (): Promise<void> => {
    writing = writing.then(write)
    return writing
  }

  const write = async (): Promise<void> => {
    timer?.[Symbol.dispose]()
    timer = undefined
    const now = counted
    counted = new Map()
    const at = clock.now()
    for (const [key, session] of now) {
      try {
        const before = await memory.recall('tls-session', key, at)
        const value = printSession({ ...session, count: session.count + (before ? countIn(before.value) : 0) })
        await memory.note([{ kind: 'tls-session', key, at, expiresAt: at + keptMs, value }])
      } catch (error) {
        log.error({ err: error }, 'TLS sessions cannot be counted')
      }
    }
  }

  return {
    note(session) {
      const { domain, by, result, host, address } = session
      const key = `${dayOf(clock.now())} ${domain} ${by} ${result} ${host} ${address}`
      const known = counted.get(key)
      if (known) known.count++
      else if (counted.size < kindsMax && key.length <= memoryLimits.key) {
        counted.set(key, { ...session, reason: session.reason.slice(0, 200), count: 1 })
      }
      timer ??= clock.after(flushMs, async () => {
        using _busy = clock.busy('TLS sessions')
        await flush()
      })
    },
    flush,
    async before(today) {
      const days = new Map<string, CountedSession[]>()
      for await (const { key, value } of rows({ memory, clock }, '', pageSize)) {
        if (key >= today) break
        const day = key.slice(0, today.length)
        const ofDay = days.get(day) ?? []
        days.set(day, ofDay)
        ofDay.push(JSON.parse(value) as CountedSession)
      }
      return days
    },
    async forget(day, domain) {
      const from = `${day} ${domain} `
      for await (const { key } of rows({ memory, clock }, from, fewRows)) {
        if (!key.startsWith(from)) return
        await memory.forget('tls-session', key)
      }
    },
  }
}

/** In the order of their keys, which begin with the day and the domain. */
async function* rows(
  { memory, clock }: Pick<TlsSessionsOptions, 'memory' | 'clock'>,
  from: string,
  limit: number,
): AsyncGenerator<{ key: string; value: string }> {
  for (let after = from; ; ) {
    const page = await memory.list('tls-session', clock.now(), { limit, after })
    yield* page
    const last = page.at(-1)
    if (!last || page.length < limit) return
    after = last.key
  }
}

/** What is longer in JSON than there is room for is told without its records, or without its reason too. */
function printSession({ records = [], ...session }: CountedSession): string {
  const withAll = JSON.stringify(records.length > 0 ? { ...session, records } : session)
  const texts = [withAll, JSON.stringify(session), JSON.stringify({ ...session, reason: '' })]
  return texts.find(({ length }) => length <= memoryLimits.value) ?? texts[2]!
}

function countIn(value: string): number {
  return (JSON.parse(value) as CountedSession).count
}

/** The domain whose report tells of a session; undefined unless its mail leaves the decision to the receiving domain. */
export function reportedDomain(route: Route, security: Security): string | undefined {
  return route.kind === 'mx' && !route.hop && security === 'policy' ? route.domain : undefined
}

/** The day in UTC, as keys and reports name it. */
export function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10)
}

/** What the system's code for a failed handshake is called in reports (RFC 8460 §4.3). */
export function tlsResultOf(code: string): TlsResult {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'certificate-host-mismatch'
  if (code === 'CERT_HAS_EXPIRED') return 'certificate-expired'
  return /CERT|SELF_SIGNED|UNABLE_TO/.test(code) ? 'certificate-not-trusted' : 'validation-failure'
}
