import { rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeDirectory } from './make-directory.ts'
import { syncPath } from './sync-path.ts'

/**
 * Puts a file in the place of another, or where there was none: whole or not at all, whatever ends the process, on
 * disk when it resolves, and never readable by others (0600; directories that are missing are made, 0700). For keys, certificates and secrets. Rejects with
 * the error of the file system.
 */
export async function replaceFile(path: string, content: string): Promise<void> {
  makeDirectory(dirname(path), 0o700)
  const fresh = `${path}.new`
  await writeFile(fresh, content, { mode: 0o600, flush: true })
  await rename(fresh, path)
  await syncPath(dirname(path))
}
