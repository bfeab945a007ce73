import { ipOctets, plainAddress } from '@pennypost/model'

/**
 * What counts as one client: an IPv4 address, or the /64 that an IPv6 host gets as a whole (RFC 6177 §2), so that
 * nobody multiplies himself inside his own prefix. Called for every connection; limits are kept by what it returns.
 */

/** `192.0.2.1` for IPv4, `2001:db8:0:1::/64` for IPv6, '' for what is no IP address (a Unix socket). */
export function networkOf(address: string): string {
  const octets = ipOctets(address)
  if (octets?.length !== 16) return octets?.join('.') ?? ''
  const groups = [0, 2, 4, 6].map((offset) => octets.readUInt16BE(offset).toString(16))
  return `${plainAddress(`${groups.join(':')}::`)}/64`
}
