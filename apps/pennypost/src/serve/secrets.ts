import { chmod, mkdir, open, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Random } from '@pennypost/model'

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
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  try {
    const handle = await open(file, 'wx', 0o600)
    try {
      const made = random.bytes(32)
      await handle.writeFile(made.toString('hex'))
      await handle.sync()
      return made
    } finally {
      await handle.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  await chmod(file, 0o600)
  const secret = Buffer.from(await readFile(file, 'utf8'), 'hex')
  if (secret.length < 32) throw new Error(`${file} is damaged: remove it to have a new secret made`)
  return secret
}
