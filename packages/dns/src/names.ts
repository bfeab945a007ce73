/**
 * Domain names as this package keeps them.
 *
 * Never broken: a canonical name is lower-case ASCII, has no final dot, and fits into a query (RFC 1035 §2.3.4), so that
 * two spellings of one name are one string everywhere: in the cache, in comparisons with answers, in zones.
 */

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
