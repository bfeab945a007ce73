/**
 * From a query to its response, out of zones. Pure but for what a scripted fault waits for; called by the zone server for
 * each datagram and stream message, and by the static resolver.
 */
import {
  type Answer,
  AUTHENTIC_DATA,
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  DNSSEC_OK,
  encode,
  type OptAnswer,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet'
import { canonicalName } from './names.ts'
import type { ZoneRecord } from './zone.ts'
import type { Lookup, Zones } from './zones.ts'

const codes = { noerror: 0, formerr: 1, servfail: 2, nxdomain: 3, notimp: 4, refused: 5 } as const
/** What a client without EDNS takes over UDP (RFC 1035 §2.3.4), and what we offer one with it. */
const plainUdpOctets = 512
const ourUdpOctets = 1232
const streamOctets = 65_535

/** The response's octets; undefined: the fault plan says that none comes. */
export async function answerQuery(
  zones: Zones,
  query: DecodedPacket,
  over: 'udp' | 'tcp',
): Promise<Buffer | undefined> {
  const [question, ...more] = query.questions ?? []
  if (((query.flags ?? 0) >> 11) & 15) return respond(query, 'notimp')
  const name = question && canonicalName(question.name === '.' ? '' : question.name)
  if (!question || more.length > 0 || name === undefined) return respond(query, 'formerr')
  if (question.class !== 'IN' || question.type === ('ANY' as string)) return respond(query, 'refused')

  const fault = zones.meet(name, question.type)
  if (fault?.kind === 'drop') return undefined
  if (fault?.kind === 'servfail' || fault?.kind === 'refused') return respond(query, fault.kind)
  if (fault?.kind === 'delay') await fault.until()

  const found = zones.lookup(name, question.type)
  const octets = respond(query, found.code, found)
  if (octets.length <= roomFor(query, over) && !(fault?.kind === 'truncate' && over === 'udp')) return octets
  return over === 'udp' ? respond(query, found.code, undefined, TRUNCATED_RESPONSE) : respond(query, 'servfail')
}

function optionsOf(query: DecodedPacket): OptAnswer | undefined {
  return (query.additionals ?? []).find((record) => record.type === 'OPT')
}

function roomFor(query: DecodedPacket, over: 'udp' | 'tcp'): number {
  if (over === 'tcp') return streamOctets
  const offered = optionsOf(query)?.udpPayloadSize ?? plainUdpOctets
  return Math.min(Math.max(offered, plainUdpOctets), ourUdpOctets)
}

function respond(query: DecodedPacket, code: keyof typeof codes, found?: Lookup, moreFlags = 0): Buffer {
  const options = optionsOf(query)
  // RFC 6840 §5.8: AD only to those who asked about it.
  const mayKnow = query.flag_ad || options?.flag_do === true
  const additionals: Answer[] = options
    ? [{ ...options, udpPayloadSize: ourUdpOctets, extendedRcode: 0, flags: options.flags & DNSSEC_OK, options: [] }]
    : []
  return encode({
    type: 'response',
    id: query.id ?? 0,
    flags:
      codes[code] |
      (query.flag_rd ? RECURSION_DESIRED : 0) |
      AUTHORITATIVE_ANSWER |
      RECURSION_AVAILABLE |
      (found?.authentic && mayKnow ? AUTHENTIC_DATA : 0) |
      moreFlags,
    // Not understood: the question may be what cannot be written down again.
    questions: code === 'formerr' || code === 'notimp' ? [] : (query.questions ?? []),
    answers: (found?.answers ?? []).map(wireRecord),
    authorities: found?.authority ? [wireRecord(found.authority)] : [],
    additionals,
  })
}

function wireRecord({ name, type, ttlSeconds, data }: ZoneRecord): Answer {
  // dns-packet turns a TXT list's members into buffers in place, so it gets a list of its own.
  const own = Array.isArray(data) ? [...data] : data
  return { name: name === '' ? '.' : name, type, class: 'IN', ttl: ttlSeconds, data: own } as Answer
}
