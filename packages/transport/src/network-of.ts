import { isIP, isIPv4 } from 'node:net'

/**
 * What counts as one client: an IPv4 address, or the /64 that an IPv6 host gets as a whole (RFC 6177 §2), so that
 * nobody multiplies himself inside his own prefix. Called for every connection; limits are kept by what it returns.
 */

/** The address as people write it: an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) becomes IPv4, a zone id goes. */
export function plainAddress(address: string): string {
  const zone = address.indexOf('%')
  const bare = zone < 0 ? address : address.slice(0, zone)
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)
  return mapped?.[1] ?? bare
}

/** `192.0.2.1` for IPv4, `2001:db8:0:1::/64` for IPv6, '' for what is no IP address (a Unix socket). */
export function networkOf(address: string): string {
  const plain = plainAddress(address)
  if (isIPv4(plain)) return plain
  if (isIP(plain) !== 6) return ''
  const octets = expandIPv6(plain)
  const groups = [0, 2, 4, 6].map((offset) => octets.readUInt16BE(offset).toString(16))
  return `${groups.join(':')}::/64`
}

/** The 16 octets of a valid IPv6 literal (RFC 4291 §2.2). */
export function expandIPv6(address: string): Buffer {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  if (dotted) {
    const [a, b, c, d] = dotted.slice(2).map(Number) as [number, number, number, number]
    address = `${dotted[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  }
  const [head = '', tail] = address.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = new Array<string>(8 - before.length - after.length).fill('0')
  const octets = Buffer.alloc(16)
  for (const [index, group] of [...before, ...zeros, ...after].entries()) {
    octets.writeUInt16BE(Number.parseInt(group, 16), index * 2)
  }
  return octets
}
