import type { StoreFault, StoreRefusal } from '@pennypost/model'
import type { PackedQuery } from './query.ts'

/** Between the main thread and the search thread: plain values. */
export interface SearchData {
  /** mail.db, which the thread only reads. */
  database: string
  contents: string
  /** search.db. */
  path: string
  /** False: nothing is kept, every search decodes what it reads. */
  keeps: boolean
  /** Of texts, and of header sections, that were decoded for the last searches. */
  keptCharacters: number
}

export type ToSearch =
  | { kind: 'search'; id: number; mailbox: number; query: PackedQuery; within: readonly number[] }
  | { kind: 'cancel'; id: number }
  /** Index a piece of what is not indexed yet; where the index is not to grow, only look what there is, and tidy up. */
  | ({ kind: 'index'; grows: boolean } & News)
  /** Messages that have gone from the store. */
  | { kind: 'gone'; messages: readonly number[] }
  | { kind: 'check'; id: number }
  | { kind: 'close' }

/** What may have something that is not in the index. */
export interface News {
  /** Accounts of which somebody has opened a mailbox, for the first time. */
  accounts: readonly number[]
  /** Mailboxes of such accounts that have changed. */
  mailboxes: readonly number[]
}

export type FromSearch =
  /** Bounds of the UIDs; `behind`: some of what was read is not indexed yet. */
  | { kind: 'found'; id: number; bounds: number[]; behind: boolean }
  | { kind: 'refused'; id: number; refusal: StoreRefusal; text: string }
  | { kind: 'failed'; id: number; message: string }
  /** `tookMs`: how long the thread was at it. */
  | { kind: 'indexed'; state: IndexState; tookMs: number }
  | { kind: 'checked'; id: number; faults: StoreFault[] }
  | { kind: 'note'; level: 'warn' | 'error'; text: string; why: string }

export interface IndexState {
  /** Messages that are to be indexed yet, at most; one for each mailbox of which that is to be found out. */
  behind: number
  /** Of search.db, without the pages of it that are free. */
  octets: number
  /** There is more to do. */
  more: boolean
  /** It could not go on. */
  stopped?: 'no-room' | 'failed'
}
