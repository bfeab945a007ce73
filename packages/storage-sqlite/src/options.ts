import { type Clock, type Deadline, type Log, type Random, type StoreLimits, storeLimits } from '@pennypost/model'
import type { SearchLimits } from './search/search-client.ts'
import type { Fault } from './writer/faults.ts'

/** What the composition root gives to `openSqliteStore`. */
export interface SqliteStoreOptions {
  /** The data directory; made when it is not there. One process at a time. */
  directory: string
  clock: Clock
  deadline: Deadline
  random: Random
  log: Log
  /** A module that calls `serveSearch` with what looks into text, and a clock: the code of the search thread. */
  searchThread: URL
  /** Called once when the store can not go on (a failed commit or sync): the process should end. */
  onFatal?: (error: Error) => void
  limits?: Partial<SqliteLimits>
  /** Where the worker threads' code is; a bundle puts it elsewhere. */
  workers?: { writer: URL; keeper: URL }
  /** What the file system has; tests replace it. */
  space?: (directory: string) => FileSystemSpace
  /** Tests only: what is to fail, and when. */
  faults?: readonly Fault[]
}

export interface FileSystemSpace {
  /** Octets that we may still fill. */
  free: number
  total: number
}

export interface SqliteLimits extends StoreLimits, SearchLimits {
  /** Content up to here is kept in the row; larger content in a file. Octets. */
  inlineOctets: number
  /** Small content that is received and not yet stored stays in memory up to so much of it; beyond it is in files too. */
  stagedOctets: number
  /** Pages of the database that the writer and the main thread keep, each; searches keep half as much of texts. Octets. */
  cacheOctets: number
  /** Rows of the change log kept for one mailbox; below them a comparison of all marks takes over. */
  changesPerMailbox: number
  /** Jobs that the writer has at a time, and their octets; the rest waits on the main thread. */
  jobsInFlight: number
  octetsInFlight: number
  /** Jobs that wait; beyond it verbs reject with `unavailable`. */
  jobsWaiting: number
  /** Jobs in one commit. */
  groupJobs: number
  /** Messages that one job expunges or moves; larger verbs are several jobs, each whole by itself. */
  messagesPerJob: number
  /** Messages whose flags one job changes; a larger STORE is several jobs. */
  flagsPerJob: number
  /** Milliseconds until a relaxed commit is synced. */
  relaxedSyncMs: number
  /** Milliseconds after a commit that a checkpoint starts. */
  checkpointMs: number
  /** Frames (of 4 KB) in the write-ahead log from which the keeper's checkpoints start. */
  checkpointFrames: number
  /** Frames at which the writer stops to checkpoint by itself. */
  walCeilingFrames: number
  /** The reserve of the file system: this part of it, at most so many octets. */
  reserveShare: number
  reserveOctets: number
  /** What is given up on a full disk, on top of the reserve; never more than the reserve. Octets. */
  ballastOctets: number
}

export const sqliteLimits: SqliteLimits = {
  ...storeLimits,
  inlineOctets: 128 * 1024,
  stagedOctets: 64 * 1024 * 1024,
  cacheOctets: 64 * 1024 * 1024,
  changesPerMailbox: 4096,
  jobsInFlight: 1024,
  octetsInFlight: 32 * 1024 * 1024,
  jobsWaiting: 50_000,
  groupJobs: 256,
  messagesPerJob: 256,
  flagsPerJob: 20_000,
  relaxedSyncMs: 50,
  checkpointMs: 200,
  checkpointFrames: 256,
  walCeilingFrames: 8000,
  reserveShare: 0.05,
  reserveOctets: 256 * 1024 * 1024,
  ballastOctets: 16 * 1024 * 1024,
  searchIndexOctets: Number.MAX_SAFE_INTEGER,
  searchIndexDelayMs: 1000,
}
