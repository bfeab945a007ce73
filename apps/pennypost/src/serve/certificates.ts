import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { CertificateKeeper, CertificatePaths } from '@pennypost/acme'
import type { Clock, Log, Random } from '@pennypost/model'
import {
  type CertificateFiles,
  createTlsMaterial,
  ensureSelfSigned,
  isUnread,
  readCertificate,
  type TlsMaterial,
} from '@pennypost/transport'
import type { Config } from '../config/schema.ts'

/**
 * The certificates that the server shows: the configured ones, those that an authority issues (`[tls.acme]`), and for
 * want of either a self-signed one that is made once and kept. Called by `server.ts`.
 */

export interface CertificateOptions {
  config: Config
  /** Relative paths of the configuration count from here. */
  base: string
  dataDirectory: string
  /** What the certificate of an authority is for; asked when the keeper has been started. */
  names(): Promise<readonly string[]>
  clock: Clock
  random: Random
  log: Log
}

export interface Certificates {
  tls: TlsMaterial
  /** To be started when the listeners are open, and disposed before `tls`. */
  keeper: CertificateKeeper | undefined
}

interface ConfiguredFiles {
  certificates: CertificateFiles[]
  clientCa?: string
}

/** What the configuration names. */
function configuredFiles({ config, base }: Pick<CertificateOptions, 'config' | 'base'>): ConfiguredFiles {
  const { tls, auth } = config
  const pairs = [
    ...(tls?.cert === undefined || tls.key === undefined ? [] : [{ cert: tls.cert, key: tls.key }]),
    ...(tls?.certificate ?? []),
  ]
  return {
    certificates: pairs.map(({ cert, key }) => ({ cert: resolve(base, cert), key: resolve(base, key) })),
    ...(auth.client_ca === '' ? {} : { clientCa: resolve(base, auth.client_ca) }),
  }
}

/** Reads what is configured, and rejects with `TlsMaterialError` where it cannot be used. */
export async function tryCertificates(given: Pick<CertificateOptions, 'config' | 'base' | 'clock' | 'log'>) {
  const files = configuredFiles(given)
  if (files.certificates.length === 0) return
  using _tls = await createTlsMaterial({ ...given, ...files, watchMs: 0 })
}

export async function openCertificates(options: CertificateOptions): Promise<Certificates> {
  const { config, clock, log } = options
  const { tls } = config
  const { certificates, ...clientCa } = configuredFiles(options)
  if (tls?.acme) {
    const { certificatePaths } = await import('@pennypost/acme')
    const files = certificatePaths(resolve(options.dataDirectory, 'tls', 'acme'))
    await provideStandIn(options, files)
    const material = await createTlsMaterial({ certificates: [files, ...certificates], ...clientCa, clock, log })
    return { tls: material, keeper: await openKeeper(options, tls.acme, files, material) }
  }
  if (certificates.length === 0) {
    const made = await selfSigned(options)
    log.warn({ certificate: made.cert }, 'no certificate is configured: a self-signed one is used')
    certificates.push(made)
  }
  return { tls: await createTlsMaterial({ certificates, ...clientCa, clock, log }), keeper: undefined }
}

function selfSigned({ config, dataDirectory, clock, random }: CertificateOptions): Promise<CertificateFiles> {
  return ensureSelfSigned({ hostname: config.hostname, directory: resolve(dataDirectory, 'tls'), clock, random })
}

/**
 * Until the authority has issued a certificate, one that has signed itself stands in its place; so it does where the
 * machine went down in the middle of replacing them. The keeper orders another, as for every one that has signed itself.
 */
async function provideStandIn(options: CertificateOptions, files: CertificateFiles): Promise<void> {
  try {
    await readCertificate(files)
    return
  } catch (error) {
    if (isUnread(error)) throw error
    options.log.info(
      { error: (error as Error).message },
      'no certificate of the authority: a self-signed one is used until it issues one',
    )
  }
  const made = await selfSigned(options)
  await mkdir(dirname(files.cert), { recursive: true, mode: 0o700 })
  await copyFile(made.key, files.key)
  await copyFile(made.cert, files.cert)
}

async function openKeeper(
  { config, base, names, clock, random, log }: CertificateOptions,
  acme: NonNullable<NonNullable<Config['tls']>['acme']>,
  files: CertificatePaths,
  material: TlsMaterial,
): Promise<CertificateKeeper> {
  const { createCertificateKeeper, createOrder, openChallengeListener, writeChallengeFiles } = await import(
    '@pennypost/acme'
  )
  const { address, port, web_root: webRoot, authority_ca: authorityCa } = acme
  const order = createOrder({
    authority: acme.authority,
    contact: acme.contact || config.admin.address,
    challenges: webRoot === '' ? openChallengeListener({ address, port }) : writeChallengeFiles(resolve(base, webRoot)),
    ...(authorityCa !== '' && { authorityCa: await readFile(resolve(base, authorityCa), 'utf8') }),
    log,
  })
  return createCertificateKeeper({
    names,
    files,
    onRenewed: () => material.reload(),
    order,
    clock,
    random,
    log,
  })
}
