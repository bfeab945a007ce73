import type { StoreRefusal } from '@pennypost/model'
import type { TouchedMailbox, WriterLimits } from './context.ts'
import type { Fault } from './faults.ts'
import type { JobArguments, JobResult, Verb } from './jobs.ts'

/**
 * What passes between the main thread and the writer: plain values, one message per batch each way. UID sets travel as
 * bounds (first, last, first, last …), small octets packed by the sender into buffers of their own: cloning a view of
 * Node's buffer pool would copy the whole pool.
 */
export interface Job<V extends Verb = Verb> {
  id: number
  verb: V
  args: JobArguments<V>
}

export type JobReply =
  | { id: number; value: JobResult<Verb> }
  | { id: number; refusal: StoreRefusal; text: string }
  /** Our trouble: whole in the log, generic to the peer. */
  | { id: number; error: { message: string; code: string; stack: string } }

export interface GroupReply {
  replies: JobReply[]
  /** To wake: see `Effects`. */
  accounts: number[]
  mailboxes: [mailbox: number, touched: TouchedMailbox][]
  queue: boolean
  /** Messages that are not in the store any more. */
  gone: number[]
  /** Frames in the WAL after the commit that are not in the database file yet. */
  walFrames: number
  /** What the database has, or will have once the log is taken into it. */
  databaseOctets: number
  /** A job found no room. */
  ranOut: boolean
  /** Something was committed and is not synced yet. */
  unsynced: boolean
}

export type FromWriter =
  | { kind: 'ready'; unclean: boolean }
  | { kind: 'group'; group: GroupReply }
  /** Nothing was acknowledged, nothing will be: the store stops. */
  | { kind: 'fatal'; message: string }
  | { kind: 'closed' }

export type ToWriter =
  | { kind: 'jobs'; jobs: Job[] }
  /** Relaxed commits are to be made durable now. */
  | { kind: 'sync' }
  /** While a backup runs, content files that nobody needs any more stay. */
  | { kind: 'keepFiles'; keep: boolean }
  /**
   * The ballast is to be so large; undefined while there is no room for it. `checkpoint`: what the log has is little, and is
   * taken into the database on the way.
   */
  | { kind: 'upkeep'; ballast: number | undefined; checkpoint?: boolean }
  | { kind: 'close' }

export interface WriterData {
  database: string
  /** Directory of content files. */
  contents: string
  ballast: string
  incarnation: string
  now: number
  limits: WriterLimits
  walCeilingFrames: number
  groupJobs: number
  cacheOctets: number
  /** Tests only. */
  faults: readonly Fault[]
}
