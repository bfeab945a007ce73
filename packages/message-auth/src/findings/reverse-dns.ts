import { isIP } from 'node:net'
import { plainAddress, type Resolver, reverseName } from '@pennypost/model'
import type { ReverseDnsFinding } from './finding.ts'

/** Forward-confirmed reverse DNS (RFC 8601 §3): does a name of the address lead back to it? */

/** RFC 8601 §3 advises a limit, RFC 7208 §4.6.4 sets it to 10 for the same question. */
const maxNames = 10

export async function checkReverseDns(
  resolver: Resolver,
  clientAddress: string,
  signal: AbortSignal,
): Promise<ReverseDnsFinding> {
  const address = plainAddress(clientAddress)
  const finding = (result: ReverseDnsFinding['result'], detail: string, name = ''): ReverseDnsFinding => ({
    check: 'reverse-dns',
    result,
    detail,
    address,
    name,
  })
  if (isIP(address) === 0) return finding('permerror', 'not an address')
  const names = await resolver.query(reverseName(address), 'PTR', signal)
  if (names.status === 'failed') return finding('temperror', names.reason)
  if (names.status !== 'found') return finding('permerror', 'the address has no name')
  let failure: string | undefined
  for (const name of names.records.slice(0, maxNames)) {
    const answer = await resolver.query(name, isIP(address) === 4 ? 'A' : 'AAAA', signal)
    if (answer.status === 'failed') failure ??= answer.reason
    if (answer.status === 'found' && answer.records.some((record) => plainAddress(record) === address)) {
      return finding('pass', name, name)
    }
  }
  if (failure !== undefined) return finding('temperror', failure)
  return finding('fail', `${names.records[0]} has another address`)
}
