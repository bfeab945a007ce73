/**
 * One question to the configured servers, until one of them gives an answer that settles it. Called by the resolver.
 *
 * The servers are asked in their order, those that just failed last. Who answers with an error is not asked again; who
 * does not answer is asked once more in the next round, with twice the patience.
 */
import type { Clock, Deadline, DnsType, Random } from '@pennypost/model'
import { exchange, TcpFault } from './exchange.ts'
import type { Reply } from './follow.ts'
import { failureOf, isNotUnderstood } from './response.ts'
import type { NameServer } from './servers.ts'

export interface AskingLimits {
  /** Patience with one server in the first round; it doubles with each further one. */
  attemptTimeoutMs: number
  /** How often a silent server is asked. */
  rounds: number
  /** For how long a server that failed is asked after the others. */
  avoidMs: number
}

/** What `createAsking` needs. `trusted`: believe the AD bit of every server, not only of those on loopback. */
export interface AskingOptions {
  servers: readonly NameServer[]
  trusted: boolean
  clock: Clock
  deadline: Deadline
  random: Random
  limits: AskingLimits
}

export type Ask = (name: string, type: DnsType, signal: AbortSignal) => Promise<Reply>

/** Makes the function that asks. It rejects only with the reason of its signal. */
export function createAsking({ servers, trusted, clock, deadline, random, limits }: AskingOptions): Ask {
  const failedAtMs = new Map<NameServer, number>()

  const inOrder = (): NameServer[] => {
    const shunned = (server: NameServer): boolean =>
      clock.elapsed() - (failedAtMs.get(server) ?? Number.NEGATIVE_INFINITY) < limits.avoidMs
    return [...servers].sort((a, b) => Number(shunned(a)) - Number(shunned(b)))
  }

  /** A response, or what this server says instead. Rejects when it does not answer in time or cannot be reached. */
  const attempt = async (server: NameServer, question: { name: string; type: DnsType }, signal: AbortSignal) => {
    const believed = trusted || server.loopback
    let packet = await exchange(server, question, { edns: true, dnssec: believed }, random, signal)
    // RFC 6891 §7: a server from before EDNS does not understand the OPT record.
    if (isNotUnderstood(packet))
      packet = await exchange(server, question, { edns: false, dnssec: false }, random, signal)
    const failure = failureOf(packet)
    return failure === undefined ? { packet, believed } : { failed: failure }
  }

  return async (name, type, signal) => {
    let last: { failed: string; server?: string } = { failed: 'no name server is configured' }
    let candidates = inOrder()
    for (let round = 0; round < limits.rounds && candidates.length > 0; round++) {
      const silent: NameServer[] = []
      for (const server of candidates) {
        try {
          const patience = deadline.signal(limits.attemptTimeoutMs * 2 ** round, signal)
          const reply = await attempt(server, { name, type }, patience)
          if ('packet' in reply) {
            failedAtMs.delete(server)
            return reply
          }
          last = { ...reply, server: server.label }
        } catch (error) {
          signal.throwIfAborted()
          last = { failed: describeFault(error), server: server.label }
          silent.push(server)
        }
        failedAtMs.set(server, clock.elapsed())
      }
      candidates = silent
    }
    return last
  }
}

/** A few words for the log and the journey: the system's code where there is one. */
export function describeFault(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer'
  if (error instanceof TcpFault) return `${describeFault(error.cause)} over TCP`
  if (error.name === 'TimeoutError') return 'no answer in time'
  return (error as NodeJS.ErrnoException).code ?? error.message
}
