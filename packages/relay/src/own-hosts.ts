/**
 * What this machine is called and where it listens, so that mail is never sent to itself.
 * Who calls it: the search for hosts; `dial`, for the name in a greeting.
 */
import { BlockList, isIP, isIPv6 } from 'node:net'
import { isLoopback, lookupDomain } from '@pennypost/model'

export interface OwnHostsOptions {
  hostname: string
  /** Addresses of this machine, and those behind which it stands (NAT). */
  addresses: readonly string[]
  /** Where reception listens: on loopback only these ports are us, another may be another server. */
  listeners: readonly { address: string; port: number }[]
}

export interface OwnHosts {
  /** A host name as DNS or a greeting gives it. */
  isName(name: string): boolean
  isAddress(address: string, port: number): boolean
  /**
   * Of whichever machine it is used on, so that no other host can be meant by it: what listens there is not for strangers,
   * who could name it in their DNS. Where we listen on loopback ourselves, or mail goes to another port than 25, it is the
   * world of a test, with all of its hosts on one machine.
   */
  isInside(address: string, port: number): boolean
}

/** Of this machine by definition (RFC 1122 §3.2.1.3, RFC 4291 §2.5.2). */
const unspecified = new BlockList()
unspecified.addSubnet('0.0.0.0', 8, 'ipv4')
unspecified.addAddress('::', 'ipv6')

const smtpPort = 25

const isOfAnyMachine = (address: string): boolean => isLoopback(address) || unspecified.check(address, family(address))

const family = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4')

/** Of `addresses`, what is no address, or loopback, says nothing. */
export function createOwnHosts({ hostname, addresses, listeners }: OwnHostsOptions): OwnHosts {
  const own = new BlockList()
  for (const address of addresses) {
    if (isIP(address) !== 0 && !isLoopback(address)) own.addAddress(address, family(address))
  }
  const name = lookupDomain(hostname) ?? hostname.toLowerCase()
  const isForOthers = listeners.some(({ address }) => isIP(address) !== 0 && !isLoopback(address))
  const listensAt = (address: string, port: number): boolean =>
    listeners.some((listener) => {
      if (listener.port !== port || isIP(listener.address) === 0) return false
      if (unspecified.check(listener.address, family(listener.address))) return true
      const same = new BlockList()
      same.addAddress(listener.address, family(listener.address))
      return same.check(address, family(address))
    })
  return {
    isName: (other) => (lookupDomain(other) ?? other.toLowerCase()) === name,
    isAddress(address, port) {
      const kind = family(address)
      if (own.check(address, kind)) return true
      return isOfAnyMachine(address) && listensAt(address, port)
    },
    isInside: (address, port) => isForOthers && port === smtpPort && isOfAnyMachine(address),
  }
}
