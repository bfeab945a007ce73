import type { StoreFault } from '@pennypost/model'

/** Between the main thread and the keeper: one request at a time is worked on, in order. */
export type ToKeeper =
  | { kind: 'checkpoint' }
  | { kind: 'check'; id: number; ownDirectory: number }
  | { kind: 'backup'; id: number; target: string; verify: boolean }
  | { kind: 'close' }

export type FromKeeper =
  /** A checkpoint ended; `fatal` when the database file could not be synced. */
  | { kind: 'checkpointed' }
  | { kind: 'fatal'; message: string }
  /** Content files of a backup. */
  | { kind: 'progress'; id: number; done: number; total: number }
  | { kind: 'faults'; id: number; faults: StoreFault[] }
  | { kind: 'done'; id: number }
  /** `code`: of the system or of SQLite, '' without one. */
  | { kind: 'failed'; id: number; message: string; code: string }

export interface KeeperData {
  database: string
  contents: string
}
