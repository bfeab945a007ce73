import { generateKeyPair, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { replaceFile } from '@pennypost/model'

/** Where certificate and keys lie, and what the certificate that is there says. */

export interface CertificatePaths {
  cert: string
  key: string
  /** With which orders are signed; it is the account at the authority (RFC 8555 §6.2). */
  accountKey: string
}

export function certificatePaths(directory: string): CertificatePaths {
  return {
    cert: join(directory, 'certificate.pem'),
    key: join(directory, 'certificate.key'),
    accountKey: join(directory, 'account.key'),
  }
}

export interface Present {
  /** Those of the wanted names that the certificate is for. */
  covered: readonly string[]
  /** It is time for another: a third of its life is left for what may go wrong. */
  isDue: boolean
  /** No time is left to wait for better ones. */
  isEnding: boolean
}

/** The certificate that is in use, against the names that are wanted. */
export async function present(path: string, names: readonly string[], now: number): Promise<Present> {
  const leaf = parse((await readOptional(path)) ?? '')
  // What stands in until the first order is made has signed itself.
  if (!leaf || leaf.issuer === leaf.subject) return { covered: [], isDue: true, isEnding: true }
  const [from, until] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()]
  const isLeft = (part: number): boolean => now < until - (until - from) * part
  const covered = names.filter((name) => leaf.checkHost(name) !== undefined)
  return { covered, isDue: !isLeft(1 / 3), isEnding: !isLeft(1 / 10) }
}

/** Undefined for a file that is damaged, whose place a new one takes. */
function parse(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text)
  } catch {
    return undefined
  }
}

/** The account's key; one that is made here is kept at once, since the authority counts the accounts that are made for it. */
export async function accountKey(path: string): Promise<string> {
  const known = await readOptional(path)
  if (known !== undefined) return known
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  const made = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  await replaceFile(path, made)
  return made
}

/** The text of a file, or undefined where there is none. */
async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Whoever reads in between sees a key that does not fit, keeps what he has, and looks again. */
export async function replaceCertificate(
  paths: CertificatePaths,
  { key, cert }: { key: string; cert: string },
): Promise<void> {
  await replaceFile(paths.key, key)
  await replaceFile(paths.cert, cert)
}
