import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import { plainAddress } from '@pennypost/model'

/**
 * One certificate with its key, from two PEM files. Every fault names its file and says what is wrong with it, since
 * this is what an operator reads at three in the morning; a key's content never gets into the text.
 * Who calls it: `tls-material.ts`, for what is shown; `self-signed-files.ts`, for whether it still serves.
 */

export interface CertificateFiles {
  /** PEM: the server's certificate first, then the intermediate ones. */
  cert: string
  /** PEM: the private key, not encrypted. */
  key: string
}

export interface LoadedCertificate {
  files: CertificateFiles
  /** DNS names and IP literals of the certificate, lower-case; DNS names may begin with `*.`. */
  names: readonly string[]
  /** SHA-256 of the certificate, lower-case hex. */
  fingerprint: string
  notBefore: number
  notAfter: number
  /** Nobody vouches for it but itself. */
  selfSigned: boolean
  context: SecureContext
}

/** A certificate or key that cannot be used. */
export class TlsMaterialError extends Error {
  override readonly name = 'TlsMaterialError'
  readonly file: string

  constructor(file: string, reason: string, cause?: unknown) {
    super(`${file}: ${reason}`, { cause })
    this.file = file
  }
}

/** Whether a file is there that could only not be read, by an error of the disk or for want of descriptors: it may be whole. */
export function isUnread(error: unknown): boolean {
  const cause = error instanceof TlsMaterialError ? error.cause : undefined
  const { code = '' } = (cause ?? {}) as NodeJS.ErrnoException
  return /^E[A-Z]+$/.test(code) && code !== 'ENOENT' && code !== 'EACCES'
}

/** Reads both files. @throws TlsMaterialError when one cannot be read or is damaged, or when they do not belong together. */
export async function readCertificate(
  files: CertificateFiles,
): Promise<{ cert: string; key: string; leaf: X509Certificate }> {
  const [cert, key] = await Promise.all([read(files.cert, 'certificate'), read(files.key, 'private key')])
  const leaf = parseCertificate(files.cert, cert)
  if (!leaf.checkPrivateKey(parseKey(files.key, key))) {
    throw new TlsMaterialError(files.key, `is not the private key of the certificate in ${files.cert}`)
  }
  return { cert, key, leaf }
}

/**
 * Reads and checks the files, and makes the TLS context. `clientCa`: the file with the authorities of clients'
 * certificates.
 */
export async function loadCertificate(files: CertificateFiles, clientCa?: string): Promise<LoadedCertificate> {
  const [{ cert, key, leaf }, ca] = await Promise.all([
    readCertificate(files),
    clientCa === undefined ? undefined : read(clientCa, 'authority of client certificates'),
  ])
  if (clientCa !== undefined && ca !== undefined) parseCertificate(clientCa, ca)
  return {
    files,
    names: namesOf(leaf),
    fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    notBefore: leaf.validFromDate.getTime(),
    notAfter: leaf.validToDate.getTime(),
    selfSigned: leaf.issuer === leaf.subject,
    context: makeContext(files.cert, { cert, key, ...(ca !== undefined && { ca }) }),
  }
}

/** What changes when one of the files is replaced, also behind a symbolic link, appears or goes. */
export async function signatureOf(files: readonly string[]): Promise<string> {
  const stats = await Promise.all(files.map((file) => stat(file).catch(() => undefined)))
  return stats.map((found) => (found ? `${found.ino}:${found.size}:${found.mtimeMs}` : '')).join(' ')
}

async function read(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'latin1')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason =
      code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'no permission to read it' : message
    throw new TlsMaterialError(file, `cannot read the ${what}: ${reason}`, error)
  }
}

function parseCertificate(file: string, pem: string): X509Certificate {
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new TlsMaterialError(file, 'holds no certificate in PEM')
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw new TlsMaterialError(file, 'its certificate is damaged', error)
  }
}

function parseKey(file: string, pem: string): KeyObject {
  if (pem.includes('ENCRYPTED'))
    throw new TlsMaterialError(file, 'its private key is encrypted; a server needs it plain')
  if (!/-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/.test(pem)) {
    throw new TlsMaterialError(file, 'holds no private key in PEM')
  }
  try {
    return createPrivateKey(pem)
  } catch (error) {
    throw new TlsMaterialError(file, 'its private key is damaged', error)
  }
}

function makeContext(file: string, options: { cert: string; key: string; ca?: string }): SecureContext {
  try {
    return createSecureContext({
      ...options,
      // RFC 8996.
      minVersion: 'TLSv1.2',
      honorCipherOrder: true,
      sessionIdContext: 'pennypost',
    })
  } catch (error) {
    throw new TlsMaterialError(file, `OpenSSL refuses it: ${(error as Error).message}`, error)
  }
}

function namesOf(leaf: X509Certificate): string[] {
  const names: string[] = []
  // Node quotes what could be mistaken for a separator (CVE-2021-44532); such names are of no use for SNI.
  for (const entry of (leaf.subjectAltName ?? '').split(', ')) {
    const [, kind, name] = /^(DNS|IP Address):([^"]+)$/.exec(entry) ?? []
    if (name) names.push(kind === 'DNS' ? name.toLowerCase() : plainAddress(name))
  }
  return names
}
