/**
 * DNS as mail needs it: typed answers that tell "there is none" from "could not find out", with TTL and DNSSEC status.
 * Implemented by `@pennypost/dns`, and by scripted resolvers in tests. Callers never see a packet.
 */

/** What a record of each type says. Names are lower-case, without the final dot. */
export interface DnsRecords {
  A: string
  AAAA: string
  MX: { preference: number; exchange: string }
  /** The character-strings of one TXT record joined without a separator (RFC 7208 §3.3). */
  TXT: string
  PTR: string
  CNAME: string
  NS: string
  SRV: { priority: number; weight: number; port: number; target: string }
  TLSA: { usage: number; selector: number; matchingType: number; certificate: Buffer }
}

export type DnsType = keyof DnsRecords

export type DnsAnswer<T extends DnsType> =
  /** `records` is never empty. `ttlSeconds` is what is left of it. `authentic`: validated by DNSSEC (AD believed). */
  | {
      status: 'found'
      records: readonly DnsRecords[T][]
      ttlSeconds: number
      authentic: boolean
      /** The name that bears the records, where aliases led away from the one asked for. */
      name?: string
    }
  /** The name does not exist (`nxdomain`), or has no record of this type (`nodata`). Both are definite. */
  | { status: 'nxdomain' | 'nodata'; ttlSeconds: number; authentic: boolean }
  /**
   * Could not find out: always a temporary condition. The `reason` may be told to anybody; whom we asked (`server`) is for the
   * log and the journey.
   */
  | FailedAnswer

export interface FailedAnswer {
  status: 'failed'
  reason: string
  server?: string
}

/** For those who run this server: `SERVFAIL from 192.0.2.53:53`. */
export const failureText = ({ reason, server }: FailedAnswer): string =>
  server === undefined ? reason : `${reason} from ${server}`

export interface Resolver {
  /**
   * Looks `name` up (any case, final dot allowed, U-labels are the caller's to convert) and follows CNAMEs.
   * Never rejects, except with the signal's reason when `signal` aborts.
   */
  query<T extends DnsType>(name: string, type: T, signal?: AbortSignal): Promise<DnsAnswer<T>>
}

/** Of both families. What could not be found out counts as not there. */
export async function addressesOf(resolver: Resolver, name: string, signal?: AbortSignal): Promise<string[]> {
  const answers = await Promise.all([resolver.query(name, 'A', signal), resolver.query(name, 'AAAA', signal)])
  return answers.flatMap((answer) => (answer.status === 'found' ? answer.records : []))
}
