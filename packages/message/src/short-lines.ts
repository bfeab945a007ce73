/**
 * A message without long lines in its body (RFC 5322 §2.1.1, RFC 6409 §8.4): parts that have some are encoded. Programs
 * write HTML in one line of many thousands of octets, and there are servers that refuse it.
 *
 * Never broken: every part that is encoded decodes to what it was, and what is signed stays as it is (RFC 1847 §2.1), with
 * its lines. Header sections are left alone.
 * Who calls it: reception, for what is submitted and not signed yet.
 */
import { type Reencoded, type Rule, reencode } from './reencode.ts'

/** Octets that a line may have, without its CRLF. */
export const longestLine = 998

/** `parts`: the index's part tree of this body. */
export function shortLines(header: Buffer, body: Buffer, parts: string): Reencoded {
  return reencode(header, body, parts, short)
}

const short: Rule = {
  keeps: (node, content) =>
    node.encoding === 'unknown' || (node.kind === 'multipart' && node.subtype === 'signed') || !hasLongLine(content),
  opens: ({ kind, children }) => kind === 'multipart' || (kind === 'message' && children.length > 0),
  header: (octets) => octets,
  between: (octets) => octets,
}

function hasLongLine(octets: Buffer): boolean {
  for (let at = 0; octets.length - at > longestLine; ) {
    const end = octets.lastIndexOf(10, at + longestLine + 1)
    if (end < at) return true
    at = end + 1
  }
  return false
}
