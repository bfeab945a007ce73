import { rename } from 'node:fs/promises'
import { syncPath } from '@pennypost/model'
import { defaultSelectors, type Selector } from './generate-keys.ts'
import { type KeyFile, listKeyFiles, retiredEnding, SigningKeyError } from './key-directory.ts'

/**
 * The life of a DKIM key: a fresh one signs from its first day beside the others, and what verifiers cannot look up yet
 * they pass over (RFC 6376 §6.1); a retired one signs no more, and its record stays until its last mail has arrived.
 *
 * Who calls it: `pennypost dkim rotate` and `retire`.
 */

/**
 * Selectors that the domain has never had, named after the month; a second pair of one month has a letter behind it. Those of
 * retired keys are not given again: their records are still published, and mail on its way is verified with them. Nor are
 * those that another server of the domain has: `isTaken` says so of a selector.
 */
export async function freshSelectors(
  directory: string,
  domain: string,
  nowMs: number,
  isTaken: (selector: string) => Promise<boolean> = () => Promise.resolve(false),
): Promise<Selector[]> {
  const files = [...(await listKeyFiles(directory)), ...(await listKeyFiles(directory, 'retired'))]
  const taken = new Set(files.filter((file) => file.domain === domain).map(({ selector }) => selector))
  for (const letter of ['', ...'bcdfghijklmnopqstuvwxyz']) {
    const pair = defaultSelectors(nowMs, letter)
    if (pair.some(({ name }) => taken.has(name))) continue
    const elsewhere = await Promise.all(pair.map(({ name }) => isTaken(name)))
    if (!elsewhere.includes(true)) return pair
  }
  throw new SigningKeyError(`${domain} has had all keys that a month can have`)
}

/** Takes the key out of use; its file stays beside the others, as `….pem.retired`. Rejects when it is the last one. */
export async function retireKey(directory: string, domain: string, selector: string): Promise<KeyFile> {
  const files = (await listKeyFiles(directory)).filter((file) => file.domain === domain)
  const file = files.find((each) => each.selector === selector)
  if (!file) throw new SigningKeyError(`${domain} has no key ${selector}`)
  if (files.length === 1) throw new SigningKeyError(`${selector} is the last key of ${domain}; rotate first`)
  await rename(file.path, file.path + retiredEnding)
  await syncPath(directory)
  return file
}
