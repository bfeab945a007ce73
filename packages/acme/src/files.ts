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

/** Whether the certificate must be ordered now. A third of its life is left for what may go wrong. */
export async function isDue(path: string, names: readonly string[], now: number): Promise<boolean> {
  const leaf = parse((await readOptional(path)) ?? '')
  if (!leaf) return true
  const [from, until] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()]
  // What stands in until the first order is made has signed itself.
  if (leaf.issuer === leaf.subject || names.some((name) => leaf.checkHost(name) === undefined)) return true
  return now >= until - (until - from) / 3
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
