/**
 * From a record as it came over the wire to what `@pennypost/model` calls a record of that type. Called for every
 * answer. Whatever a peer put into it, what comes out is well-formed or nothing: addresses are addresses, names canonical.
 */
import { isIPv4, isIPv6 } from 'node:net'
import type { DnsRecords, DnsType } from '@pennypost/model'
import type { Answer, TxtData } from 'dns-packet'
import { canonicalName } from './names.ts'

/** The value of `answer`, or undefined when it is malformed or of a type that mail does not ask for. */
export function recordValue(answer: Answer): DnsRecords[DnsType] | undefined {
  switch (answer.type) {
    case 'A':
      return isIPv4(answer.data) ? answer.data : undefined
    case 'AAAA':
      return isIPv6(answer.data) ? answer.data : undefined
    case 'PTR':
    case 'CNAME':
    case 'NS':
      return canonicalName(answer.data)
    case 'TXT':
      return joinStrings(answer.data)
    case 'MX': {
      const exchange = canonicalName(answer.data.exchange)
      return exchange === undefined ? undefined : { preference: answer.data.preference ?? 0, exchange }
    }
    case 'SRV': {
      const { priority = 0, weight = 0, port } = answer.data
      const target = canonicalName(answer.data.target)
      return target === undefined ? undefined : { priority, weight, port, target }
    }
    case 'TLSA': {
      const { usage, selector, matchingType, certificate } = answer.data
      // A copy: a slice would keep the whole datagram alive for as long as the answer is cached.
      return { usage, selector, matchingType, certificate: Buffer.from(certificate) }
    }
    default:
      return undefined
  }
}

/** RFC 7208 §3.3: the character-strings of one record, joined with nothing between them. */
function joinStrings(data: TxtData): string {
  const strings = Array.isArray(data) ? data : [data]
  if (strings.length === 1) return strings[0]!.toString()
  return Buffer.concat(strings.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))).toString()
}
