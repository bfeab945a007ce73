import { resolve } from 'node:path'
import { type Log, systemClock, systemDeadline, systemRandom } from '@pennypost/model'
import { openSqliteStore, type SqliteLimits, type SqliteStore } from '@pennypost/storage-sqlite'
import type { Config } from '../config/schema.ts'
import { cacheLimits, memoryOctets } from './memory.ts'
import { storeWorkers } from './workers.ts'

/**
 * The store of a running server. A module of its own because it comes first: its writer thread starts while this thread
 * loads the protocols (`serve.ts`).
 */
export interface ServedStoreOptions {
  config: Config
  /** What relative paths of the configuration start from. */
  base: string
  log: Log
  /** The store has failed and accepts nothing any more: the process must end. */
  onFatal(error: Error): void
}

/** Also for verbs that open the store by themselves: one that knew no limit would make the index again. */
export function storeLimitsOf({ storage }: Config): Partial<SqliteLimits> {
  const searchIndexOctets = storage.search_index
  return { ...cacheLimits(memoryOctets()), ...(searchIndexOctets === undefined ? {} : { searchIndexOctets }) }
}

/** The thread is under way when it returns, whatever keeps this one busy. */
export function openServedStore({ config, base, log, onFatal }: ServedStoreOptions): Promise<SqliteStore> {
  const directory = resolve(base, config.data_dir)
  return openSqliteStore({
    directory,
    log,
    onFatal,
    clock: systemClock,
    deadline: systemDeadline,
    random: systemRandom,
    ...storeWorkers,
    limits: storeLimitsOf(config),
  })
}
