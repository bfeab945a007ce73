import { isIP } from 'node:net'
import { plainAddress, type Resolver, reverseName } from '@pennypost/model'
import type { DnsListFinding } from './finding.ts'

/**
 * DNS lists of addresses, blocking or allowing (RFC 5782). What it must never break: a list that does not work lists
 * nobody. Answers outside 127.0.0.0/8, answers that mean "you may not ask", and a list that lists 127.0.0.1, as an
 * abandoned one whose domain was parked does, are `unavailable`.
 */

export interface DnsList {
  /** Such as `zen.spamhaus.org`. */
  zone: string
  kind: 'dnsbl' | 'dnswl'
  /** Only these answers count, as regular expressions over whole addresses; absent: all of 127.0.0.0/8. */
  codes?: readonly RegExp[]
}

export async function checkDnsList(
  resolver: Resolver,
  list: DnsList,
  clientAddress: string,
  signal: AbortSignal,
): Promise<DnsListFinding> {
  const { kind, zone } = list
  const address = plainAddress(clientAddress)
  const finding = (
    result: DnsListFinding['result'],
    detail: string,
    codes: readonly string[] = [],
  ): DnsListFinding => ({
    check: kind,
    result,
    detail,
    zone,
    address,
    codes,
  })
  const version = isIP(address)
  if (version === 0) return finding('unavailable', 'not an address')
  const answer = await resolver.query(reverseName(address, zone), 'A', signal)
  if (answer.status === 'failed') return finding('unavailable', answer.reason)
  if (answer.status !== 'found') return finding('not-listed', `not in ${zone}`)
  const codes = answer.records.filter((code) => !list.codes || list.codes.some((wanted) => wholly(wanted, code)))
  const refusal = answer.records.map((code) => refusalOf(code, kind)).find((text) => text !== undefined)
  if (refusal !== undefined) return finding('unavailable', refusal, answer.records)
  if (codes.length === 0) return finding('not-listed', `${zone} answers ${answer.records.join(', ')}`, answer.records)
  // RFC 5782 §5: 127.0.0.1 (::ffff:7f00:1) must not be listed. Asked only now, and then cached.
  const control = version === 4 ? '1.0.0.127' : `1.0.0.0.0.0.f.7.f.f.f.f${'.0'.repeat(20)}`
  const controlled = await resolver.query(`${control}.${zone}`, 'A', signal)
  if (controlled.status === 'found') return finding('unavailable', `${zone} lists everything`, codes)
  return finding('listed', `in ${zone} as ${codes.join(', ')}`, codes)
}

function wholly(pattern: RegExp, text: string): boolean {
  return pattern.exec(text)?.[0] === text
}

/** Why an answer is none. */
function refusalOf(code: string, kind: DnsList['kind']): string | undefined {
  if (!code.startsWith('127.')) return `answer ${code} is outside 127.0.0.0/8`
  // The range in which lists say that the question is wrong, the resolver too public, or its questions too many.
  if (code.startsWith('127.255.255.')) return `the list refuses our questions (${code})`
  if (kind === 'dnswl' && code === '127.0.0.255') return 'the list refuses our questions (127.0.0.255)'
  return undefined
}
