import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'

/**
 * A secret that stands alone in a file which the configuration names, such as a smarthost's password; line ends behind it do
 * not count. `base`: where relative paths begin. Rejects with the system's error.
 */
export async function readSecretFile(base: string, file: string): Promise<string> {
  return (await readFile(resolve(base, file), 'utf8')).trimEnd()
}
