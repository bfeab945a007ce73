/**
 * IP addresses as octets, as one text, and as names of the DNS. Who calls it: whoever counts, compares or looks up
 * clients and hosts by their address.
 */
import { isIP, isIPv4 } from 'node:net'

const loopback = Buffer.from('00000000000000000000000000000001', 'hex')
const mapped = Buffer.from('00000000000000000000ffff', 'hex')

/**
 * The 4 or 16 octets of an IP literal; a zone id goes. An IPv4 address mapped into IPv6 (RFC 4291 §2.5.5.2), as dual-stack
 * sockets report it, has the 4 of IPv4. Undefined for what is no address.
 */
export function ipOctets(address: string): Buffer | undefined {
  const bare = withoutZone(address)
  if (isIPv4(bare)) return Buffer.from(bare.split('.').map(Number))
  if (isIP(bare) === 0) return undefined
  const octets = ipv6Octets(bare)
  return octets.subarray(0, 12).equals(mapped) ? octets.subarray(12) : octets
}

/** The one way to write an address (RFC 5952 §4), so that two spellings are one text; what is no address stays as it is. */
export function plainAddress(address: string): string {
  const octets = ipOctets(address)
  if (!octets) return address
  return octets.length === 4 ? octets.join('.') : new URL(`http://[${withoutZone(address)}]/`).hostname.slice(1, -1)
}

/** Whether it leads back to this machine (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3). */
export function isLoopback(address: string): boolean {
  const octets = ipOctets(address)
  return octets?.length === 4 ? octets[0] === 127 : octets?.equals(loopback) === true
}

/**
 * The name under which an address is looked up: its octets (IPv4, RFC 1035 §3.5) or nibbles (IPv6, RFC 3596 §2.5) in
 * reverse, below `suffix`. With another suffix the same name asks a DNSBL (RFC 5782 §2.1, §2.4). Throws TypeError when
 * `address` is no IP literal.
 */
export function reverseName(address: string, suffix?: string): string {
  const octets = ipOctets(address)
  if (!octets) throw new TypeError(`not an IP address: ${JSON.stringify(address)}`)
  const isIPv6 = octets.length === 16
  const labels = isIPv6 ? [...octets.toString('hex')] : [...octets]
  return `${labels.reverse().join('.')}.${suffix ?? (isIPv6 ? 'ip6.arpa' : 'in-addr.arpa')}`
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/s, '')
}

/** RFC 4291 §2.2. */
function ipv6Octets(literal: string): Buffer {
  const hexadecimal = literal.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...octets: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.slice(0, 4).map(Number)
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [before = [], after = []] = hexadecimal
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''))
  const zeros = new Array<string>(8 - before.length - after.length).fill('0')
  return Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join(''), 'hex')
}
