import type { Uid } from './ids.ts'

/**
 * A set of UIDs as sorted, disjoint, non-adjacent ranges: what IMAP sends and what engines turn into BETWEEN.
 * Immutable. A set over a mailbox of 200 000 messages costs what its ranges cost.
 */
export class UidSet {
  static readonly empty = new UidSet([])
  /** first, last, first, last, … */
  readonly #bounds: readonly number[]

  private constructor(bounds: readonly number[]) {
    this.#bounds = bounds
  }

  /** Ranges in any order, overlapping or not; each is [first, last] with first ≤ last. */
  static ofRanges(ranges: Iterable<readonly [number, number]>): UidSet {
    return UidSet.ofSortedRanges([...ranges].sort((a, b) => a[0] - b[0]))
  }

  /** Ranges in rising order of their first UIDs. */
  static ofSortedRanges(ranges: Iterable<readonly [number, number]>): UidSet {
    const bounds: number[] = []
    for (const [first, last] of ranges) {
      const end = bounds.length - 1
      if (end > 0 && first <= (bounds[end] as number) + 1) bounds[end] = Math.max(bounds[end] as number, last)
      else bounds.push(first, last)
    }
    return new UidSet(bounds)
  }

  /** UIDs in rising order (equal ones may repeat): the cheap way for rows that come sorted. */
  static ofSorted(uids: Iterable<number>): UidSet {
    const bounds: number[] = []
    for (const uid of uids) {
      const end = bounds.length - 1
      if (end > 0 && uid <= (bounds[end] as number) + 1) bounds[end] = uid
      else bounds.push(uid, uid)
    }
    return new UidSet(bounds)
  }

  /** UIDs in any order. */
  static from(uids: Iterable<number>): UidSet {
    return UidSet.ofSorted(Float64Array.from(uids).sort())
  }

  static of(...uids: number[]): UidSet {
    return UidSet.from(uids)
  }

  get isEmpty(): boolean {
    return this.#bounds.length === 0
  }

  /** How many UIDs are in it. */
  get size(): number {
    let count = 0
    for (const [first, last] of this.ranges()) count += last - first + 1
    return count
  }

  *ranges(): Generator<readonly [Uid, Uid]> {
    for (let i = 0; i < this.#bounds.length; i += 2) yield [this.#bounds[i] as Uid, this.#bounds[i + 1] as Uid]
  }

  *[Symbol.iterator](): Generator<Uid> {
    for (const [first, last] of this.ranges()) for (let uid: number = first; uid <= last; uid++) yield uid as Uid
  }

  has(uid: number): boolean {
    let low = 0
    let high = this.#bounds.length / 2 - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      if (uid < (this.#bounds[middle * 2] as number)) high = middle - 1
      else if (uid > (this.#bounds[middle * 2 + 1] as number)) low = middle + 1
      else return true
    }
    return false
  }

  union(other: UidSet): UidSet {
    if (this.isEmpty) return other
    if (other.isEmpty) return this
    return UidSet.ofRanges([...this.ranges(), ...other.ranges()])
  }

  intersect(other: UidSet): UidSet {
    const bounds: number[] = []
    const mine = this.#bounds
    const theirs = other.#bounds
    for (let i = 0, j = 0; i < mine.length && j < theirs.length; ) {
      const first = Math.max(mine[i] as number, theirs[j] as number)
      const last = Math.min(mine[i + 1] as number, theirs[j + 1] as number)
      if (first <= last) bounds.push(first, last)
      if ((mine[i + 1] as number) < (theirs[j + 1] as number)) i += 2
      else j += 2
    }
    return new UidSet(bounds)
  }

  /** What is in this set and not in the other. */
  without(other: UidSet): UidSet {
    const bounds: number[] = []
    const theirs = other.#bounds
    let j = 0
    for (const [first, last] of this.ranges()) {
      let from: number = first
      while (j < theirs.length && (theirs[j + 1] as number) < from) j += 2
      for (let k = j; k < theirs.length && (theirs[k] as number) <= last; k += 2) {
        if ((theirs[k] as number) > from) bounds.push(from, (theirs[k] as number) - 1)
        from = (theirs[k + 1] as number) + 1
      }
      if (from <= last) bounds.push(from, last)
    }
    return new UidSet(bounds)
  }

  /** RFC 9051 §9 sequence-set, e.g. `1:3,5`; the empty set has no such form and gives ''. */
  toString(): string {
    const parts: string[] = []
    for (const [first, last] of this.ranges()) parts.push(first === last ? `${first}` : `${first}:${last}`)
    return parts.join(',')
  }
}
