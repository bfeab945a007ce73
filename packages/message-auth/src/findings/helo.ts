import { isIP } from 'node:net'
import { plainAddress } from '@pennypost/model'
import type { HeloFinding } from './finding.ts'

/**
 * Can the name in EHLO be the client's? Pure: no DNS is asked, since RFC 5321 §4.1.4 forbids to refuse mail because a
 * name does not lead to the address. Giving oneself our own name is no mistake that a mail server makes.
 *
 * Who calls it: reception, after each hello of a stranger.
 */
export interface HeloFacts {
  /** As the client gave it. */
  helo: string
  clientAddress: string
  /** Ours, in lower case. */
  hostname: string
  /** Addresses by which the world knows us. */
  ownAddresses: readonly string[]
}

export function checkHelo({ helo, clientAddress, hostname, ownAddresses }: HeloFacts): HeloFinding {
  const finding = (result: HeloFinding['result'], detail: string): HeloFinding => ({
    check: 'helo',
    result,
    detail,
    helo,
  })
  const name = helo.toLowerCase().replace(/\.$/, '')
  const literal = /^\[(?:IPv6:)?([0-9a-f:.]+)\]$/i.exec(helo)?.[1]
  if (literal !== undefined) {
    const address = plainAddress(literal)
    const isOurs = ownAddresses.some((own) => plainAddress(own) === address)
    if (isOurs && address !== plainAddress(clientAddress)) return finding('fail', `${helo} is this server`)
    return finding('pass', 'an address literal')
  }
  if (name === hostname.toLowerCase()) return finding('fail', `${helo} is this server`)
  if (isIP(name) !== 0) return finding('neutral', 'an address without brackets')
  if (!/^\S+\.\S+$/.test(name) || name.endsWith('.localdomain') || name.endsWith('.local')) {
    return finding('neutral', `${helo} is no name of the internet`)
  }
  return finding('pass', 'a full name')
}
