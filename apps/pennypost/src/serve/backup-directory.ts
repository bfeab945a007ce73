import { existsSync } from 'node:fs'
import { cp, readdir, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { AdminError, type BackedUp, type BackUpOptions, isDiskFull } from '@pennypost/admin'
import { makeDirectory, syncPath, syncTree } from '@pennypost/model'
import type { SqliteStore } from '@pennypost/storage-sqlite'

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
  try {
    makeDirectory(target, 0o700)
    for (const name of besideStore) {
      await copyTree(join(dataDirectory, name), join(target, name))
    }
    const faults = await store.backup(target, options)
    return { octets: await sizeOf(target), faults }
  } catch (error) {
    if (!isDiskFull(error)) throw error
    const advice = 'Make room, or name another directory, then try again.'
    throw new AdminError('unavailable', `The disk of ${target} is full.`, advice, { cause: error })
  }
}

/** Durably. A file that goes meanwhile, out of the spool or because it gets its name, ends a copy: then once more. */
async function copyTree(from: string, to: string): Promise<void> {
  while (existsSync(from)) {
    try {
      await cp(from, to, { recursive: true, preserveTimestamps: true })
      await syncTree(to)
      await syncPath(dirname(to))
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

/** Octets of a backup, in a directory that may hold more. */
async function sizeOf(target: string): Promise<number> {
  let octets = 0
  for (const name of ['mail.db', 'content', ...besideStore]) {
    const path = join(target, name)
    const found = await stat(path).catch(() => undefined)
    if (found?.isFile()) octets += found.size
    if (!found?.isDirectory()) continue
    for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) octets += (await stat(join(entry.parentPath, entry.name))).size
    }
  }
  return octets
}
