import { bad } from '../refusal.ts'
import type { Cursor } from '../wire/cursor.ts'

/**
 * `sequence-set = (seq-number / seq-range) ["," sequence-set] / seq-last-command`
 * `seq-range = seq-number ":" seq-number`, `seq-number = nz-number / "*"`, `seq-last-command = "$"` (RFC 9051 §9)
 */
export type SequenceSet =
  /** `$`: what the last SEARCH with RETURN (SAVE) found. */
  | { saved: true }
  /** Ranges as written but in order of size, `*` as Infinity. */
  | { saved: false; ranges: readonly (readonly [first: number, last: number])[] }

/** What the numbers of a sequence-set are. */
export type By = 'sequence' | 'uid'

export function sequenceSet(cursor: Cursor): SequenceSet {
  if (cursor.skip('$')) return { saved: true }
  const ranges: [number, number][] = []
  do {
    const first = seqNumber(cursor)
    const last = cursor.skip(':') ? seqNumber(cursor) : first
    ranges.push(first <= last ? [first, last] : [last, first])
  } while (cursor.skip(','))
  return { saved: false, ranges }
}

/** Whether a sequence-set begins here. */
export function atSequenceSet(cursor: Cursor): boolean {
  return cursor.atDigit() || cursor.peek() === '*' || cursor.peek() === '$'
}

function seqNumber(cursor: Cursor): number {
  if (cursor.skip('*')) return Number.POSITIVE_INFINITY
  if (!cursor.atDigit()) throw bad('Message number or * expected')
  return cursor.nzNumber()
}
