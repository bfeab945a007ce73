import { isIP } from 'node:net'

/** Addresses as DNS and comparison need them. Who calls it: the checks of the client's address. */

/** An IPv4-mapped IPv6 address becomes the IPv4 address, a zone id goes, IPv6 is written in one way; undefined for others. */
export function plainAddress(address: string): string | undefined {
  const bare = address.replace(/%.*$/, '')
  const mapped = bare.replace(/^::ffff:(?=\d+\.)/i, '')
  if (isIP(mapped) === 4) return mapped
  if (isIP(bare) !== 6) return undefined
  const text = new URL(`http://[${bare}]/`).hostname.slice(1, -1)
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text) ?? []
  if (!high || !low) return text
  const bits = (Number.parseInt(high, 16) << 16) | Number.parseInt(low, 16)
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.')
}

/** Octets or nibbles from the last to the first, as in-addr.arpa, ip6.arpa and RFC 5782 §2 have them. */
export function reverseLabels(address: string): string {
  if (isIP(address) === 4) return address.split('.').reverse().join('.')
  const [head = '', tail] = address.split('::')
  const groups = (text: string | undefined): string[] => (text ? text.split(':') : [])
  const [before, after] = [groups(head), groups(tail)]
  const zeros = new Array(8 - before.length - after.length).fill('0')
  const nibbles = [...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join('')
  return [...nibbles].reverse().join('.')
}

/** The name whose PTR records name the address. */
export function reverseZoneName(address: string): string {
  return `${reverseLabels(address)}.${isIP(address) === 4 ? 'in-addr' : 'ip6'}.arpa`
}
