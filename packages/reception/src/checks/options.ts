import type { AggregateRow, Checker, Policy } from '@pennypost/message-auth'
import type { ContentFilter } from '../filters/filter.ts'
import type { GreylistOptions } from './greylist.ts'

/** What reception finds out about mail of strangers before it takes it. Absent: everything is taken as it comes. */
export interface InboundChecks {
  checker: Pick<Checker, 'checkConnection' | 'checkSender' | 'checkContent'>
  policy: Policy
  /**
   * Addresses and networks whose mail nobody checks. What accounts, trusted devices and LMTP bring is shown to the
   * filters that are for it, and not checked otherwise.
   */
  exempt: readonly string[]
  /** Addresses by which the world knows us. */
  ownAddresses: readonly string[]
  /** Programs that look at content, of strangers and of whom else they are for. */
  filters?: readonly ContentFilter[]
  /** Unknown origins wait once; absent: nobody waits. */
  greylist?: GreylistOptions
  /** Messages in an hour for each; 0: any number. Absent: nothing is counted. */
  rates?: { sender: number; recipient: number; network: number }
  /**
   * From the end of the content: after `softMs` nobody waits any more for what can change nothing, after `hardMs` for
   * nothing at all (RFC 1047 is why). What is not known by then is `unavailable`.
   */
  softMs: number
  hardMs: number
  /**
   * What the owner of a policy domain may be told of a message that was taken or refused for good. `isReport`: it is a
   * report itself, and no reason to send one back.
   */
  onAggregateRow?(row: AggregateRow, isReport: boolean): void
}

export const defaultBudget = { softMs: 5_000, hardMs: 30_000 }
