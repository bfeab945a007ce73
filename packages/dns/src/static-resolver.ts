/**
 * A `Resolver` that answers out of zones in memory, without a socket: for other packages' tests.
 * Its answers go through the same codec and the same reading as those of real servers.
 */
import type { DnsAnswer, DnsType, Resolver } from '@pennypost/model'
import { decode } from 'dns-packet'
import { encodeQuery } from './exchange.ts'
import { follow, type Reply } from './follow.ts'
import { canonicalName } from './names.ts'
import { answerForNoName, defaultResolverLimits } from './resolver.ts'
import { decodeResponse, failureOf } from './response.ts'
import type { Zone } from './zone.ts'
import { answerQuery } from './zone-answer.ts'
import { createZones, type Zones } from './zones.ts'

export interface StaticResolver extends Resolver {
  /** To be changed, broken and read at any time: nothing is cached. */
  readonly zones: Zones
}

/** Makes a resolver to which these zones are the whole internet; AD is believed. */
export function createStaticResolver(initial: readonly Zone[]): StaticResolver {
  const zones = createZones(initial)

  const ask = async (name: string, type: DnsType): Promise<Reply> => {
    const query = { id: 0, name, type }
    const octets = await answerQuery(zones, decode(encodeQuery(query, { edns: true, dnssec: true })), 'tcp')
    const packet = octets && decodeResponse(octets, query)
    if (!packet) return { failed: 'no answer in time' }
    const failure = failureOf(packet)
    return failure === undefined ? { packet, believed: true } : { failed: failure }
  }

  const lookUp = async (asked: string, type: DnsType, signal?: AbortSignal): Promise<DnsAnswer<DnsType>> => {
    signal?.throwIfAborted()
    const name = canonicalName(asked)
    if (name === undefined) return answerForNoName(asked)
    const answer = follow(ask, name, type, defaultResolverLimits.aliases)
    return signal ? raceAgainst(signal, answer) : answer
  }

  return {
    zones,
    query: <T extends DnsType>(name: string, type: T, signal?: AbortSignal) =>
      lookUp(name, type, signal) as Promise<DnsAnswer<T>>,
  }
}

/** A scripted delay may last for ever; the caller's patience does not. */
function raceAgainst<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
