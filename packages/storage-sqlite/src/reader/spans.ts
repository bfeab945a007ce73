import type { UidSet } from '@pennypost/model'

/** Gaps up to here are read over and filtered: cheaper than a query of their own. */
const bridgedGap = 16

/**
 * A set of UIDs as few BETWEENs: ranges that nearly touch become one, and what is between is to be filtered by
 * `uids.has`. A set with a thousand single holes is then read as one.
 */
function spansOf(uids: UidSet): [number, number][] {
  const spans: [number, number][] = []
  for (const [first, last] of uids.ranges()) {
    const end = spans.at(-1)
    if (end && first - end[1] <= bridgedGap) end[1] = last
    else spans.push([first, last])
  }
  return spans
}

/** Goes over the rows of a set of UIDs, page by page; `current` is what the next query asks for, first and last. */
export class SpanCursor {
  readonly #spans: [number, number][]
  #at = 0

  constructor(uids: UidSet) {
    this.#spans = spansOf(uids)
  }

  get current(): readonly [number, number] | undefined {
    return this.#spans[this.#at]
  }

  /** Rows up to this UID have been read. */
  readUpTo(uid: number): void {
    const span = this.#spans[this.#at]
    if (!span) return
    span[0] = uid + 1
    if (span[0] > span[1]) this.#at++
  }

  /** The current span has no more rows. */
  exhausted(): void {
    this.#at++
  }
}
