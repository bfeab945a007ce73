/**
 * Domain names as this package keeps them, and the names under which addresses are looked up (PTR, DNSBL).
 *
 * Never broken: a canonical name is lower-case ASCII, has no final dot, and fits into a query (RFC 1035 §2.3.4), so that
 * two spellings of one name are one string everywhere: in the cache, in comparisons with answers, in zones.
 */
import { isIPv4, isIPv6 } from 'node:net'

/** RFC 1035 §2.3.4: 255 octets on the wire, which is 253 characters in text without the final dot. */
const longestName = 253
const longestLabel = 63

/**
 * `name` in lower case without its final dot; the root is ''. Undefined when no such name can exist in DNS: an empty or
 * over-long label, an over-long name, or octets other than visible ASCII.
 */
export function canonicalName(name: string): string | undefined {
  const bare = name.endsWith('.') ? name.slice(0, -1) : name
  if (bare === '') return name === '' || name === '.' ? '' : undefined
  if (bare.length > longestName || !/^[!-~]+$/.test(bare)) return undefined
  for (let start = 0; start <= bare.length; ) {
    const dot = bare.indexOf('.', start)
    const end = dot < 0 ? bare.length : dot
    if (end === start || end - start > longestLabel) return undefined
    start = end + 1
  }
  return bare.toLowerCase()
}

/**
 * The name under which `address` is looked up: its octets (IPv4, RFC 1035 §3.5) or nibbles (IPv6, RFC 3596 §2.5) in
 * reverse, below `suffix`. With another suffix the same name asks a DNSBL (RFC 5782 §2.1, §2.4). An IPv4 address mapped
 * into IPv6, as dual-stack sockets report it, counts as IPv4. Throws TypeError when `address` is no IP literal.
 */
export function reverseName(address: string, suffix?: string): string {
  if (isIPv4(address)) return `${address.split('.').reverse().join('.')}.${suffix ?? 'in-addr.arpa'}`
  if (!isIPv6(address)) throw new TypeError(`not an IP address: ${JSON.stringify(address)}`)
  const groups = ipv6Groups(address)
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6)
    return reverseName(`${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`, suffix)
  }
  const nibbles = groups.map((group) => group.toString(16).padStart(4, '0')).join('')
  return `${[...nibbles].reverse().join('.')}.${suffix ?? 'ip6.arpa'}`
}

/** The eight 16-bit groups of a valid IPv6 literal; a zone id is dropped. */
function ipv6Groups(address: string): number[] {
  const literal = address.replace(/%.*$/, '').replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...octets: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.slice(0, 4).map(Number)
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [head = '', tail] = literal.split('::')
  const parse = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  if (tail === undefined) return parse(head)
  const [left, right] = [parse(head), parse(tail)]
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right]
}
