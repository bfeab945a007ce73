/**
 * The `Resolver` of the program: typed answers from recursive name servers, cached for their TTL. Made once by the
 * composition root and shared by every package.
 *
 * Theory of operation: `query` looks into the cache; else it joins the flight of the same question, or begins one, which
 * passes the gate, asks the servers and follows aliases, and leaves its answer in the cache. A flight is given up when
 * its last waiter has aborted. Never broken: `query` rejects for nothing but its signal.
 */
import {
  type Clock,
  createGate,
  type Deadline,
  type DnsAnswer,
  type DnsType,
  failureText,
  type Log,
  type Random,
  type Resolver,
} from '@pennypost/model'
import { type AskingLimits, createAsking, describeFault } from './ask.ts'
import { type CacheLimits, createAnswerCache } from './cache.ts'
import { follow } from './follow.ts'
import { answerForLocalhost } from './localhost.ts'
import { canonicalName } from './names.ts'
import { parseServer } from './servers.ts'

export interface ResolverLimits extends AskingLimits {
  /** All attempts for one question together. */
  totalTimeoutMs: number
  /** CNAMEs on the way from the name asked for. */
  aliases: number
  /** Questions on the wire at once; each has a socket. */
  inFlight: number
  /** Questions that wait for their turn; more fail at once. */
  waiting: number
  cache: CacheLimits
  /** Longest time for which an answer is kept, whatever its TTL. */
  maxTtlSeconds: number
  /** The same for "there is none" (RFC 2308 §5 suggests one to three hours). */
  maxNegativeTtlSeconds: number
  /** For how long a failure is remembered (RFC 9520 §3.2: 1 s to 5 min). */
  failureTtlSeconds: number
}

export const defaultResolverLimits: ResolverLimits = {
  attemptTimeoutMs: 2000,
  rounds: 2,
  avoidMs: 30_000,
  totalTimeoutMs: 20_000,
  aliases: 8,
  inFlight: 200,
  waiting: 10_000,
  cache: { entries: 20_000, octets: 16 << 20 },
  maxTtlSeconds: 86_400,
  maxNegativeTtlSeconds: 3600,
  failureTtlSeconds: 5,
}

export interface ResolverOptions {
  /** Recursive servers as `address:port`, IPv6 in brackets; see `readSystemServers` for the system's. */
  servers: readonly string[]
  /** `trust-ad`: the way to these servers is safe, believe their AD bit. Servers on loopback are always believed. */
  dnssec: 'off' | 'trust-ad'
  clock: Clock
  deadline: Deadline
  random: Random
  log: Log
  limits?: Partial<ResolverLimits>
}

export interface CachingResolver extends Resolver {
  /** Ends what is in flight with `failed`; so does every later query. */
  close(): void
}

/** A question that is being asked, for all who wait for its answer. */
interface Flight {
  answer: Promise<DnsAnswer<DnsType>>
  waiters: number
  giveUp: AbortController
}

const closed: DnsAnswer<DnsType> = { status: 'failed', reason: 'the resolver is closed' }

/** Makes the resolver. Throws TypeError for a server that is not `address:port`. */
export function createResolver(options: ResolverOptions): CachingResolver {
  const { clock, deadline, log } = options
  const limits = { ...defaultResolverLimits, ...options.limits }
  const servers = options.servers.map(parseServer)
  const ask = createAsking({ ...options, servers, trusted: options.dnssec === 'trust-ad', limits })
  const cache = createAnswerCache(clock, limits.cache)
  const gate = createGate(limits.inFlight, limits.waiting, 'DNS queries')
  const flights = new Map<string, Flight>()
  const closing = new AbortController()

  const resolve = async (name: string, type: DnsType, signal: AbortSignal): Promise<DnsAnswer<DnsType>> => {
    using _busy = clock.busy('dns query')
    try {
      using _pass = await gate.enter(signal)
      const patience = deadline.signal(limits.totalTimeoutMs, signal)
      return capTtl(await follow((next, of) => ask(next, of, patience), name, type, limits.aliases), limits)
    } catch (error) {
      if (closing.signal.aborted) return closed
      return { status: 'failed', reason: describeFault(error) }
    }
  }

  const begin = (key: string, name: string, type: DnsType): Flight => {
    const giveUp = new AbortController()
    const signal = AbortSignal.any([giveUp.signal, closing.signal])
    const answer = resolve(name, type, signal).then((result) => {
      if (flights.get(key) === flight) flights.delete(key)
      if (signal.aborted) return result
      if (result.status === 'failed') log.info({ name, type, reason: failureText(result) }, 'DNS query failed')
      cache.put(key, result, result.status === 'failed' ? limits.failureTtlSeconds : result.ttlSeconds)
      return result
    })
    const flight = { answer, waiters: 0, giveUp }
    flights.set(key, flight)
    return flight
  }

  const lookUp = async (asked: string, type: DnsType, signal?: AbortSignal): Promise<DnsAnswer<DnsType>> => {
    signal?.throwIfAborted()
    if (closing.signal.aborted) return closed
    const name = canonicalName(asked)
    if (name === undefined) return answerForNoName(asked)
    const local = answerForLocalhost(name, type)
    if (local) return local
    const key = `${type} ${name}`
    const known = cache.get(key)
    if (known) return known
    const flight = flights.get(key) ?? begin(key, name, type)
    if (!signal) {
      flight.waiters++
      return flight.answer
    }
    return join(flight, signal, () => {
      if (flights.get(key) === flight) flights.delete(key)
    })
  }

  return {
    query: <T extends DnsType>(name: string, type: T, signal?: AbortSignal) =>
      lookUp(name, type, signal) as Promise<DnsAnswer<T>>,
    close: () => closing.abort(),
  }
}

/** Waits for the flight's answer or for `signal`; when the last waiter leaves, the flight is given up. */
function join(flight: Flight, signal: AbortSignal, onGivenUp: () => void): Promise<DnsAnswer<DnsType>> {
  flight.waiters++
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      reject(signal.reason)
      if (--flight.waiters > 0) return
      onGivenUp()
      flight.giveUp.abort()
    }
    signal.addEventListener('abort', leave, { once: true })
    void flight.answer.then((answer) => {
      signal.removeEventListener('abort', leave)
      resolve(answer)
    })
  })
}

/** What cannot be a name does not exist, and that is definite; text that nobody converted to A-labels is a fault of ours. */
export function answerForNoName(asked: string): DnsAnswer<DnsType> {
  if (/[^\x00-\x7f]/.test(asked)) return { status: 'failed', reason: 'the name is not in A-labels' }
  return { status: 'nxdomain', ttlSeconds: 0, authentic: false }
}

function capTtl(answer: DnsAnswer<DnsType>, limits: ResolverLimits): DnsAnswer<DnsType> {
  if (answer.status === 'failed') return answer
  const cap = answer.status === 'found' ? limits.maxTtlSeconds : limits.maxNegativeTtlSeconds
  return { ...answer, ttlSeconds: Math.min(answer.ttlSeconds, cap) }
}
