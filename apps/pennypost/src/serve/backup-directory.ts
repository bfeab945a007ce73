import { existsSync } from 'node:fs'
import { cp, open } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { AdminError, type BackedUp, type BackUpOptions } from '@pennypost/admin'
import { makeDirectory } from '@pennypost/model'
import type { SqliteStore } from '@pennypost/storage-sqlite'
import { directorySize } from './administration.ts'

/** What stands beside the store in a data directory and is needed with it. */
export const besideStore = ['secrets', 'dkim', 'tls', 'spool', 'audit.log']

/**
 * Copies secrets, keys and the rest, then the store, whose database comes last: the copy is a data directory itself, and
 * whole when it has a mail.db.
 */
export async function backUpDirectory(
  store: Pick<SqliteStore, 'backup'>,
  dataDirectory: string,
  target: string,
  options: BackUpOptions,
): Promise<BackedUp> {
  // Before anything is written: secrets of another time must not come into a backup that is there.
  if (existsSync(join(target, 'mail.db'))) {
    throw new AdminError('exists', `${target} holds a store or a backup.`, 'Name another directory.')
  }
  if (besideStore.some((name) => !relative(join(dataDirectory, name), target).startsWith('..'))) {
    throw new AdminError('bad-input', `${target} lies in what is to be copied.`, 'Name another directory.')
  }
  makeDirectory(target, 0o700)
  for (const name of besideStore) {
    await cp(join(dataDirectory, name), join(target, name), { recursive: true, preserveTimestamps: true }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
      },
    )
  }
  const faults = await store.backup(target, options)
  const directory = await open(target)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
  return { octets: await directorySize(target), faults }
}
