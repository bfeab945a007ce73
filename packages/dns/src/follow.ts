/**
 * Asks for a name and goes on asking wherever aliases lead out of a response. Shared by the resolver (asking servers) and
 * the static resolver (asking its zones), so that both mean the same.
 */
import type { DnsAnswer, DnsType } from '@pennypost/model'
import type { DecodedPacket } from 'dns-packet'
import { beginChain, readResponse } from './response.ts'

/** One response (NOERROR or NXDOMAIN), or why there is none. */
export type Reply = { packet: DecodedPacket; believed: boolean } | { failed: string; server?: string }

/** Resolves `name` through at most `aliasLimit` CNAMEs. Rejects only if `ask` does. */
export async function follow(
  ask: (name: string, type: DnsType) => Promise<Reply>,
  name: string,
  type: DnsType,
  aliasLimit: number,
): Promise<DnsAnswer<DnsType>> {
  const chain = beginChain(name)
  // Each turn that does not return has passed at least one more alias, and their number is limited.
  for (;;) {
    const reply = await ask(chain.name, type)
    if ('failed' in reply) {
      const { failed: reason, server } = reply
      return { status: 'failed', reason, ...(server === undefined ? {} : { server }) }
    }
    const answer = readResponse(reply.packet, type, chain, reply.believed, aliasLimit)
    if (answer) return answer
  }
}
