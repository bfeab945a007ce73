/**
 * Reads responses: whether a datagram answers our question at all, and what it says about a name, alias by alias.
 * Pure; called by the resolver for what came over the wire and by the static resolver for what its zones say.
 *
 * Never broken: only records of class IN that belong to the chain from the name asked for are looked at, so nothing that a
 * server adds of its own accord gets into an answer or the cache.
 */
import type { DnsAnswer, DnsRecords, DnsType } from '@pennypost/model'
import { type Answer, type DecodedPacket, decode, TRUNCATED_RESPONSE } from 'dns-packet'
import { canonicalName } from './names.ts'
import { recordValue } from './records.ts'

/** What was asked. `name` is canonical. */
export interface Query {
  id: number
  name: string
  type: DnsType
}

const rcodeNames = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']
const nxdomain = 3
const formerr = 1
const notimp = 4

const extendedError = 15
/** Of those in RFC 8914 §4, what tells who has something to mend. */
const extendedErrors: Readonly<Record<number, string>> = {
  6: 'DNSSEC bogus',
  7: 'signature expired',
  8: 'signature not yet valid',
  9: 'DNSKEY missing',
  10: 'RRSIGs missing',
  12: 'NSEC missing',
  15: 'blocked',
  16: 'censored',
  17: 'filtered',
  18: 'prohibited',
  22: 'no reachable authority',
  23: 'network error',
}

/**
 * The response in `octets`, or undefined if it is not one to `query`: then it is junk or forged (RFC 5452 §9.1) and the
 * answer may still come. A response without a question counts only if it reports an error, as old servers do.
 */
export function decodeResponse(octets: Buffer, query: Query): DecodedPacket | undefined {
  if (octets.length < 12 || octets.readUInt16BE(0) !== query.id) return undefined
  const packet = decoded(octets) ?? (isTruncated(octets) ? decoded(withoutRecords(octets)) : undefined)
  if (!packet) return undefined
  const opcode = ((packet.flags ?? 0) >> 11) & 15
  if (!packet.flag_qr || opcode !== 0) return undefined
  const [question, ...more] = packet.questions ?? []
  if (more.length > 0) return undefined
  if (question === undefined) return codeOf(packet) === undefined ? undefined : packet
  const same = question.type === query.type && question.class === 'IN' && canonicalName(question.name) === query.name
  return same ? packet : undefined
}

function decoded(octets: Buffer): DecodedPacket | undefined {
  try {
    return decode(octets)
  } catch {
    return undefined
  }
}

/** Servers cut where the datagram ends, if need be within a record: the rest is thrown away anyway (RFC 2181 §9). */
const isTruncated = (octets: Buffer): boolean => (octets.readUInt16BE(2) & TRUNCATED_RESPONSE) !== 0

/** Header and question alone. */
function withoutRecords(octets: Buffer): Buffer {
  const head = Buffer.from(octets)
  head.fill(0, 6, 12)
  return head
}

/** Why it settles nothing, if so: its response code; or what it says is no answer. */
export function failureOf(packet: DecodedPacket): string | undefined {
  return codeOf(packet) ?? evasionOf(packet)
}

/** The response code in words, with EDNS's upper bits, if it is any but NOERROR and NXDOMAIN. */
function codeOf(packet: DecodedPacket): string | undefined {
  const edns = (packet.additionals ?? []).find((record) => record.type === 'OPT')
  const rcode = ((packet.flags ?? 0) & 15) | ((edns?.extendedRcode ?? 0) << 4)
  if (rcode === 0 || rcode === nxdomain) return undefined
  const name = rcodeNames[rcode] ?? `RCODE${rcode}`
  const why = (edns?.options ?? []).flatMap((option) => extendedErrorOf(option) ?? [])
  return why.length === 0 ? name : `${name} (${why.join(', ')})`
}

/** RFC 8914 §2. */
function extendedErrorOf({ code, data }: { code: number; data?: Buffer | undefined }): string | undefined {
  return code === extendedError && data && data.length >= 2 ? extendedErrors[data.readUInt16BE(0)] : undefined
}

/** RFC 2308 §2.2: who does not recurse names those who could know, if anybody, and has not said that there is none. */
function evasionOf({ flags = 0, flag_aa, flag_ra, answers = [], authorities = [] }: DecodedPacket): string | undefined {
  if ((flags & 15) !== 0 || flag_aa || flag_ra || answers.length > 0) return undefined
  const types = authorities.map(({ type }) => type)
  if (types.includes('SOA')) return undefined
  return types.includes('NS') ? 'a referral' : 'an empty answer'
}

/** Whether the server did not understand the query, which may mean EDNS (RFC 6891 §7; NOTIMP by its forerunner). */
export function isNotUnderstood({ flags = 0 }: DecodedPacket): boolean {
  return [formerr, notimp].includes(flags & 15)
}

/** How far the way from the name asked for has been followed. */
export interface Chain {
  /** Where the chain stands now. */
  name: string
  /** The names passed, the first one included. */
  passed: Set<string>
  /** The least TTL on the way. */
  ttlSeconds: number
  /** Whether every answer on the way was validated. */
  authentic: boolean
}

/** The chain that begins at `name`. */
export function beginChain(name: string): Chain {
  return { name, passed: new Set([name]), ttlSeconds: Number.POSITIVE_INFINITY, authentic: true }
}

/**
 * Follows `chain` through `packet` (whose code is NOERROR or NXDOMAIN). Undefined: the packet ends at an alias, and the
 * name at which the chain now stands has to be asked for. `believed`: the AD bit of this server means something.
 */
export function readResponse(
  packet: DecodedPacket,
  type: DnsType,
  chain: Chain,
  believed: boolean,
  aliasLimit: number,
): DnsAnswer<DnsType> | undefined {
  chain.authentic &&= believed && packet.flag_ad
  const began = chain.name
  for (;;) {
    const found = recordsAt(packet, type, chain)
    if (found) return found
    const alias = (packet.answers ?? []).find((record) => record.type === 'CNAME' && ownedBy(record, chain.name))
    if (alias?.type !== 'CNAME') break
    const target = canonicalName(alias.data)
    if (target === undefined) return { status: 'failed', reason: `${chain.name} is an alias of an impossible name` }
    if (chain.passed.has(target)) return { status: 'failed', reason: `CNAME loop at ${target}` }
    if (chain.passed.size > aliasLimit) return { status: 'failed', reason: `more than ${aliasLimit} CNAMEs` }
    chain.passed.add(target)
    chain.name = target
    chain.ttlSeconds = Math.min(chain.ttlSeconds, saneTtl(alias.ttl))
  }
  const negativeTtl = negativeTtlSeconds(packet)
  const absent = ((packet.flags ?? 0) & 15) === nxdomain
  if (!absent && chain.name !== began && negativeTtl === undefined) return undefined
  const ttlSeconds = Math.min(chain.ttlSeconds, negativeTtl ?? 0)
  return { status: absent ? 'nxdomain' : 'nodata', ttlSeconds, authentic: chain.authentic }
}

function recordsAt(packet: DecodedPacket, type: DnsType, chain: Chain): DnsAnswer<DnsType> | undefined {
  const records: DnsRecords[DnsType][] = []
  let ttlSeconds = chain.ttlSeconds
  let unusable = false
  for (const record of packet.answers ?? []) {
    if (record.type !== type || !ownedBy(record, chain.name)) continue
    const value = recordValue(record)
    if (value === undefined) unusable = true
    else records.push(value)
    ttlSeconds = Math.min(ttlSeconds, saneTtl('ttl' in record ? record.ttl : 0))
  }
  if (records.length > 0) {
    const aliased = chain.passed.size > 1 ? { name: chain.name } : {}
    return { status: 'found', records, ttlSeconds, authentic: chain.authentic, ...aliased }
  }
  // Not `nodata`: an unreadable MX must not make mail go to the A record instead.
  return unusable ? { status: 'failed', reason: `unusable ${type} records at ${chain.name}` } : undefined
}

function ownedBy(record: Answer, name: string): boolean {
  return 'class' in record && record.class === 'IN' && canonicalName(record.name) === name
}

/** RFC 2181 §8: a TTL with the top bit set is zero. */
function saneTtl(ttl: number | undefined): number {
  return ttl === undefined || ttl > 0x7fff_ffff ? 0 : ttl
}

/** RFC 2308 §5: the lesser of the SOA's TTL and its minimum field; without an SOA, nothing may be kept. */
function negativeTtlSeconds(packet: DecodedPacket): number | undefined {
  for (const record of packet.authorities ?? []) {
    if (record.type === 'SOA') return Math.min(saneTtl(record.ttl), saneTtl(record.data.minimum))
  }
  return undefined
}
