import type { Acceptance, FlowEvent, LeasedEntry } from '@pennypost/model'
import type { Verdict } from './verdict.ts'

/** An entry in work. */
export interface Work {
  readonly entry: LeasedEntry
  /** Somebody else has the entry now: nothing more is begun for it. */
  lost: boolean
}

/** What one attempt at an entry came to. */
export interface AttemptResult {
  /** By index of the recipient; who is missing was not tried. */
  verdicts: Map<number, Verdict>
  /** What the journey gets, in order. */
  flow: FlowEvent[]
  /** What is filed here; makes the acceptance anew each time, because a settlement consumes it. */
  accept?: () => Promise<Acceptance>
}

/** The end of an attempt. */
export interface Concluded {
  /** Nothing is left of the entry; not where something waits on, or the lease was lost and nothing happened. */
  isOver: boolean
  /** Under which it was settled; absent when it was lost. */
  lease?: string
}
