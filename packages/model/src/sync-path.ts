import { closeSync, fsyncSync, openSync, statSync } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Keeps names by itself, and syncs nothing that is only open for reading: there neither of these does anything. */
const isWindows = process.platform === 'win32'

/**
 * Makes durable what a file holds, or which names a directory has: a file that was synced is still lost with the power
 * when the directory that names it was not. Rejects with the error of the file system; what was to be synced may be gone
 * then, and another try that succeeds proves nothing.
 */
export async function syncPath(path: string): Promise<void> {
  if (isWindows) return
  const forgive = (error: unknown): undefined => unlessOutOfReach(error, path)
  const handle = await open(path).catch(forgive)
  try {
    await handle?.sync().catch(forgive)
  } finally {
    await handle?.close()
  }
}

/** Makes a file durable, or a directory with all that is in it; for what was copied. */
export async function syncTree(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTDIR') return []
      throw error
    },
  )
  for (const entry of entries) {
    if (entry.isFile() || entry.isDirectory()) await syncPath(join(entry.parentPath, entry.name))
  }
  await syncPath(path)
}

/** `syncPath` for those who cannot wait. */
export function syncPathSync(path: string): void {
  try {
    syncOwnSync(path)
  } catch (error) {
    unlessOutOfReach(error, path)
  }
}

/** `syncPathSync` for what is the program's own: there nothing that was not synced is passed over. */
export function syncOwnSync(path: string): void {
  if (isWindows) return
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/**
 * A directory in which names may be made, but that may not be read, cannot be synced; shares of SMB and the like know no
 * sync of directories and say so by EINVAL. They keep names as they can. Of a file neither is so.
 */
function unlessOutOfReach(error: unknown, path: string): undefined {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'EACCES' && code !== 'EINVAL') throw error
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
}
