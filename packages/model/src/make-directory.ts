import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { syncPathSync } from './sync-path.ts'

/**
 * Makes a directory, and those above it that are missing, each with this mode, durably; one that is there is left as it is.
 * For paths that people name: `mkdir` with `recursive` asks again without end where the kernel answers ENOENT although the
 * directory above is there, as in /proc. Throws the error of the file system.
 */
export function makeDirectory(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, mode)
    syncPathSync(dirname(path))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && isDirectory(path)) return
    if (code !== 'ENOENT' || isDirectory(dirname(path))) throw error
    makeDirectory(dirname(path), mode)
    makeDirectory(path, mode)
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
