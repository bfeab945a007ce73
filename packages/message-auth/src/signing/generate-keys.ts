import { generateKeyPair, type KeyObject } from 'node:crypto'
import { link, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { makeDirectory, syncPath } from '@pennypost/model'
import { SigningKeyError } from './key-directory.ts'

/**
 * New DKIM keys as files of the key directory. A key that is there is never replaced: its record is published, and mail
 * on its way is signed with it.
 *
 * Who calls it: `pennypost init`, `domain add`, and the verb that rotates.
 */

export interface Selector {
  /** One label: `a`–`z`, `0`–`9`, `-`. */
  name: string
  algorithm: 'rsa' | 'ed25519'
}

/**
 * A pair named after the month, such as `202608r` and `202608e`, so that the age of a key can be seen in its name;
 * `letter` is behind the names of the month's further pairs.
 */
export function defaultSelectors(nowMs: number, letter = ''): Selector[] {
  const month = new Date(nowMs).toISOString().slice(0, 7).replace('-', '')
  return [
    { name: `${month}r${letter}`, algorithm: 'rsa' },
    { name: `${month}e${letter}`, algorithm: 'ed25519' },
  ]
}

const makePair = promisify(generateKeyPair)

/**
 * Makes one key for each selector (RSA with 2048 bits: RFC 8301 §3.2), mode 0600, in `directory`, which is made if
 * missing. Keys are OpenSSL's own chance. Answers with the paths; rejects with `SigningKeyError` at a name that is not
 * a domain or selector, or when a file is there already (those before it have been made).
 */
export async function generateKeys(
  directory: string,
  domain: string,
  selectors: readonly Selector[],
): Promise<string[]> {
  const name = domain.toLowerCase()
  if (!/^([a-z0-9_-]+\.)*[a-z0-9-]+$/.test(name)) throw new SigningKeyError(`${domain} is no domain in A-labels`)
  const wrong = selectors.find((selector) => !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(selector.name))
  if (wrong) throw new SigningKeyError(`${wrong.name} is no selector: one label of a–z, 0–9 and - is`)
  makeDirectory(directory, 0o700)
  const paths: string[] = []
  for (const selector of selectors) {
    const path = join(directory, `${name}.${selector.name}.pem`)
    await writeNew(path, await makeKey(selector.algorithm))
    paths.push(path)
  }
  return paths
}

async function makeKey(algorithm: Selector['algorithm']): Promise<string> {
  const { privateKey } = await (algorithm === 'rsa' ? makePair('rsa', { modulusLength: 2048 }) : makePair('ed25519'))
  return (privateKey as KeyObject).export({ type: 'pkcs8', format: 'pem' }) as string
}

/** Whole or not at all, on disk when it resolves, never over a file that is there. */
async function writeNew(path: string, content: string): Promise<void> {
  const fresh = `${path}.new`
  await rm(fresh, { force: true })
  await writeFile(fresh, content, { flag: 'wx', mode: 0o600, flush: true })
  try {
    await link(fresh, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new SigningKeyError(`${path} is there already; a new key needs a new selector`)
  } finally {
    await rm(fresh, { force: true })
  }
  await syncPath(dirname(path))
}
