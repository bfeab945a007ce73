import { totalmem } from 'node:os'
import { type SqliteLimits, sqliteLimits } from '@pennypost/storage-sqlite'

/** What this process may have: the memory of the machine, or what its control group is given of it. */
export function memoryOctets(): number {
  // 0, or more than any machine has, where nothing is set.
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)
}

/** Below a gigabyte what the store keeps in memory is a sixteenth of it: a server that is killed keeps nothing. */
export function cacheLimits(memory: number): Pick<SqliteLimits, 'cacheOctets' | 'stagedOctets'> {
  const share = Math.floor(memory / 16)
  return {
    cacheOctets: Math.min(sqliteLimits.cacheOctets, share),
    stagedOctets: Math.min(sqliteLimits.stagedOctets, share),
  }
}
