/**
 * Which TLSA records speak for a host (RFC 7672 §2.2): asked only below names that DNSSEC vouches for.
 *
 * Never broken: a lookup that fails below such a name is no "there is none", because whoever can suppress the answer would
 * take the protection away.
 * Who calls it: the opener of connections, for each host whose turn comes.
 */
import { type DnsRecords, failureText, type Resolver } from '@pennypost/model'
import { listed } from '../listed.ts'

export type Tlsa = DnsRecords['TLSA']

export type TlsaFound =
  | { kind: 'none' }
  | { kind: 'failed'; reason: string }
  /** `base` is the name below which they stand; `usable` may be empty: then TLS is due, but nothing checks whom it reaches. */
  | { kind: 'records'; base: string; all: readonly Tlsa[]; usable: readonly Tlsa[] }

/** `bases`: the host's secure names, the one behind its aliases first (RFC 7672 §2.2.2). `note` gets lines for the journey. */
export async function findTlsa(
  bases: readonly string[],
  port: number,
  resolver: Resolver,
  note: (line: string) => void,
): Promise<TlsaFound> {
  for (const base of bases) {
    const name = `_${port}._tcp.${base}`
    const answer = await resolver.query(name, 'TLSA')
    if (answer.status === 'failed') {
      note(`TLSA ${name}: ${failureText(answer)}`)
      return { kind: 'failed', reason: `TLSA ${name}: ${answer.reason}` }
    }
    if (answer.status !== 'found') continue
    note(`TLSA ${name}: ${listed(answer.records.map(describeTlsa))}${answer.authentic ? '' : ', not secure'}`)
    if (answer.authentic) return { kind: 'records', base, all: answer.records, usable: usableOf(answer.records) }
  }
  return { kind: 'none' }
}

const digestOctets: Readonly<Record<number, number>> = { 1: 32, 2: 64 }

/**
 * RFC 7672 §3.1: DANE-TA(2) and DANE-EE(3) only. Of two digests with one usage and selector the better one counts
 * (RFC 7671 §9).
 */
function usableOf(records: readonly Tlsa[]): Tlsa[] {
  const known = records.filter(({ usage, selector, matchingType, certificate }) => {
    if ((usage !== 2 && usage !== 3) || selector > 1 || matchingType > 2) return false
    return matchingType === 0 || certificate.length === digestOctets[matchingType]
  })
  const better = (one: Tlsa): boolean =>
    known.some(
      ({ usage, selector, matchingType }) => usage === one.usage && selector === one.selector && matchingType === 2,
    )
  return known.filter((record) => record.matchingType !== 1 || !better(record))
}

/** `3 1 1 d2abde24…`, short enough for a line. */
export function describeTlsa(record: Tlsa): string {
  return printTlsa(record).replace(/(\w{16})\w+$/, '$1…')
}

/** For reports: DNS gives records in any order. */
export function tlsaLines(records: readonly Tlsa[]): string[] {
  return records.map(printTlsa).toSorted()
}

/** Its RDATA as zone files have it (RFC 6698 §2.2). */
function printTlsa({ usage, selector, matchingType, certificate }: Tlsa): string {
  return `${usage} ${selector} ${matchingType} ${certificate.toString('hex')}`
}
