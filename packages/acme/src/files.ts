import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

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

/** The text of a file, or undefined where there is none. */
export async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Whole or not at all, and never readable by others in between. */
export async function replaceFile(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const fresh = `${path}.new`
  await writeFile(fresh, content, { mode: 0o600, flush: true })
  await rename(fresh, path)
}
