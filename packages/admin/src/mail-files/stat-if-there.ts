import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'

const nowhere = ['ENOENT', 'ENOTDIR', 'ELOOP']

/**
 * What a source of mail has at a path. Undefined for what is not there, and for a symbolic link that leads nowhere, by which
 * Thunderbird locks a profile, or round to itself.
 */
export async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (nowhere.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
