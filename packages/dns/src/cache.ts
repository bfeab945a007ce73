/**
 * Answers kept until their TTL has passed, bounded in number and in octets; the one unused for longest goes first.
 *
 * Never broken: an answer is never given out after its time, and what is given out says how long it has left.
 * The age is taken from `clock.elapsed()`, so a wall clock that jumps neither revives nor kills an entry.
 */
import type { Clock, DnsAnswer, DnsRecords, DnsType } from '@pennypost/model'

export interface CacheLimits {
  /** Answers kept. */
  entries: number
  /** Estimated memory of all answers together. */
  octets: number
}

export interface AnswerCache {
  get(key: string): DnsAnswer<DnsType> | undefined
  /** Keeps `answer` for `lifetimeSeconds`; not at all when that is 0 or it alone exceeds the limits. */
  put(key: string, answer: DnsAnswer<DnsType>, lifetimeSeconds: number): void
  readonly entries: number
  readonly octets: number
}

interface Entry {
  answer: DnsAnswer<DnsType>
  expiresMs: number
  octets: number
}

/** Makes an empty cache. */
export function createAnswerCache(clock: Clock, limits: CacheLimits): AnswerCache {
  // A Map iterates in the order of insertion: an entry that is used is inserted anew, so the first is the stalest.
  const kept = new Map<string, Entry>()
  let octets = 0

  const drop = (key: string, entry: Entry): void => {
    kept.delete(key)
    octets -= entry.octets
  }

  return {
    get(key) {
      const entry = kept.get(key)
      if (!entry) return undefined
      const leftMs = entry.expiresMs - clock.elapsed()
      if (leftMs <= 0) {
        drop(key, entry)
        return undefined
      }
      kept.delete(key)
      kept.set(key, entry)
      const { answer } = entry
      return answer.status === 'failed' ? answer : { ...answer, ttlSeconds: Math.ceil(leftMs / 1000) }
    },
    put(key, answer, lifetimeSeconds) {
      const before = kept.get(key)
      if (before) drop(key, before)
      const entry = { answer, expiresMs: clock.elapsed() + lifetimeSeconds * 1000, octets: sizeOf(key, answer) }
      if (lifetimeSeconds <= 0 || entry.octets > limits.octets || limits.entries < 1) return
      kept.set(key, entry)
      octets += entry.octets
      for (const [oldest, stale] of kept) {
        if (kept.size <= limits.entries && octets <= limits.octets) break
        drop(oldest, stale)
      }
    },
    get entries() {
      return kept.size
    },
    get octets() {
      return octets
    },
  }
}

/** A fair guess at the memory behind an entry: its text plus what objects cost. */
function sizeOf(key: string, answer: DnsAnswer<DnsType>): number {
  const base = 200 + key.length
  if (answer.status === 'failed') return base + answer.reason.length
  if (answer.status !== 'found') return base
  return answer.records.reduce<number>((sum, record) => sum + sizeOfRecord(record), base)
}

function sizeOfRecord(record: DnsRecords[DnsType]): number {
  if (typeof record === 'string') return 24 + record.length
  if ('exchange' in record) return 80 + record.exchange.length
  if ('target' in record) return 96 + record.target.length
  return 160 + record.certificate.length
}
