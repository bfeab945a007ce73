import type { Part } from './part.ts'

/** A multipart that is open, innermost last. */
export interface OpenBoundary {
  octets: Buffer
  part: Part
}

export interface Boundary {
  open: OpenBoundary
  /** Its place among the open boundaries. */
  index: number
  /** It was followed by `--`: the multipart's last delimiter. */
  closing: boolean
}

/**
 * Which open boundary the line from `start` to `end` (at its LF, or where the octets end) is. As RFC 2046 §5.1.2 has it
 * the line need only start with the boundary; innermost first, but where one boundary is the start of another the
 * longest that fits, and one that is the whole line, count (Dovecot does the same).
 */
export function boundaryAt(
  octets: Buffer,
  start: number,
  end: number,
  open: readonly OpenBoundary[],
): Boundary | undefined {
  if (end - start < 3 || octets[start] !== 45 || octets[start + 1] !== 45) return undefined
  const from = start + 2
  if (octets[end - 1] === 13) end--
  const length = end - from
  const dashes = length > 2 && octets[end - 1] === 45 && octets[end - 2] === 45
  let best = -1
  let bestLength = 0
  for (let index = open.length - 1; index >= 0; index--) {
    const boundary = (open[index] as OpenBoundary).octets
    if (boundary.length > length || boundary.length <= bestLength || !standsAt(octets, from, boundary)) continue
    best = index
    bestLength = boundary.length
    if (bestLength === length || (dashes && bestLength + 2 === length)) break
  }
  if (best < 0) return undefined
  // White space that an agent has put at the end of its boundary, against the RFC, stands before the dashes.
  let at = from + bestLength
  while (at < end && (octets[at] === 32 || octets[at] === 9)) at++
  const closing = octets[at] === 45 && octets[at + 1] === 45 && at + 2 <= end
  return { open: open[best] as OpenBoundary, index: best, closing }
}

/** A loop, for all hundred open boundaries may be asked about each line of a few octets: a call of the platform takes ten times as long. */
function standsAt(octets: Buffer, from: number, boundary: Buffer): boolean {
  for (let at = 0; at < boundary.length; at++) if (octets[from + at] !== boundary[at]) return false
  return true
}
