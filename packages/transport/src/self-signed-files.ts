import { join } from 'node:path'
import { type Clock, type Random, replaceFile } from '@pennypost/model'
import { type CertificateFiles, isUnread, readCertificate } from './certificate-file.ts'
import { selfSign } from './self-signed.ts'

/**
 * Self-signed material for an installation without a certificate: made once, kept in the data directory, so that
 * people who told their mail program to trust it are not asked again.
 */

const dayMs = 86_400_000
const validityMs = 3_650 * dayMs
const renewBeforeMs = 30 * dayMs

export interface SelfSignedFilesOptions {
  /** A-label; `localhost`, 127.0.0.1 and ::1 are always added. */
  hostname: string
  /** Made if missing. */
  directory: string
  clock: Clock
  random: Random
}

/**
 * Answers with the files that are there, or makes new ones: when there are none, when they are damaged or do not belong
 * together, when they bear another host name, when they expire within 30 days, or when a clock that was ahead made them
 * valid from some day to come. Both have mode 0600. Rejects where there are some that cannot be read for now.
 */
export async function ensureSelfSigned(options: SelfSignedFilesOptions): Promise<CertificateFiles> {
  const { hostname, directory, clock, random } = options
  const files = { cert: join(directory, 'self-signed.crt'), key: join(directory, 'self-signed.key') }
  const now = clock.now()
  if (await serves(files, hostname, now)) return files
  // A day early, for clients whose clock is behind.
  const made = selfSign({
    names: [...new Set([hostname.toLowerCase(), 'localhost', '127.0.0.1', '::1'])],
    notBefore: now - dayMs,
    notAfter: now + validityMs,
    random,
  })
  await replaceFile(files.key, made.key)
  await replaceFile(files.cert, made.cert)
  return files
}

async function serves(files: CertificateFiles, hostname: string, now: number): Promise<boolean> {
  try {
    const { leaf } = await readCertificate(files)
    const isValid = leaf.validFromDate.getTime() <= now && leaf.validToDate.getTime() - now > renewBeforeMs
    return leaf.checkHost(hostname) !== undefined && isValid
  } catch (error) {
    if (isUnread(error)) throw error
    // Missing, damaged, or with another's key, if the machine went down between the two: new files are the answer to all.
    return false
  }
}
