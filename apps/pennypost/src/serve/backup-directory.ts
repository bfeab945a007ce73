import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { directorySize } from './administration.ts'

/** What stands beside the store in a data directory and is needed with it. */
const besides = ['secrets', 'dkim', 'tls', 'spool', 'audit.log']

/** Copies the store, then secrets, keys and the rest: the copy is a data directory itself. Gives its octets. */
export async function backUpDirectory(
  store: { backup(target: string): Promise<void> },
  dataDirectory: string,
  target: string,
): Promise<number> {
  await store.backup(target)
  for (const name of besides) {
    await cp(join(dataDirectory, name), join(target, name), { recursive: true, preserveTimestamps: true }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
      },
    )
  }
  return directorySize(target)
}
