import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Random, replaceFile } from '@pennypost/model'

/**
 * Secrets of this installation, each in a file of its own under `data/secrets`, made at the first start, mode 0600.
 * Losing one does no harm to mail: app passwords have to be made anew, SCRAM works again for whoever has logged in with
 * the password, bounces of earlier forwards are not recognised, URLs that clients had signed are void.
 */
export interface Secrets {
  /** Under which app passwords are looked up; the salts of SCRAM follow from it too. */
  appPasswords: Buffer
  /** Signs SRS addresses. */
  srs: Buffer
  /** Signs URLs of IMAP's URLAUTH. */
  urls: Buffer
}

export async function loadSecrets(dataDirectory: string, random: Random): Promise<Secrets> {
  const secret = (name: string): Promise<Buffer> => loadSecret(join(dataDirectory, 'secrets', name), random)
  return { appPasswords: await secret('app-passwords'), srs: await secret('srs'), urls: await secret('urls') }
}

async function loadSecret(file: string, random: Random): Promise<Buffer> {
  const kept = await readOptional(file)
  if (kept === undefined) return makeSecret(file, random)
  await chmod(file, 0o600)
  const secret = Buffer.from(kept, 'hex')
  if (secret.length < 32) throw new Error(`${file} is damaged: remove it to have a new secret made`)
  return secret
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Half of one would keep the server from starting. */
async function makeSecret(file: string, random: Random): Promise<Buffer> {
  const made = random.bytes(32)
  await replaceFile(file, made.toString('hex'))
  return made
}
