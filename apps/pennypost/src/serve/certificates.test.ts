/** Which certificates are shown at a start, above all where files are not as they should be. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog, systemClock, systemRandom } from '@pennypost/model'
import { type CertificateFiles, ensureSelfSigned } from '@pennypost/transport'
import { expect, onTestFinished, test } from 'vitest'
import { checkConfig } from '../config/load.ts'
import { openCertificates } from './certificates.ts'

/** The names of the certificate that is shown, where an authority issues it. */
async function namesShown(dataDirectory: string): Promise<readonly string[] | undefined> {
  const { tls, keeper } = await openCertificates({
    config: checkConfig('test.toml', 'hostname = "mail.one.test"\n[tls.acme]\naccept_terms = true\n'),
    base: dataDirectory,
    dataDirectory,
    names: async () => ['mail.one.test'],
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  })
  using _tls = tls
  await using _keeper = keeper
  return tls.certificates[0]?.names
}

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'pennypost-certificates-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Stands for what an authority has issued. */
function issue(): Promise<CertificateFiles> {
  const options = { directory: directory(), clock: systemClock, random: systemRandom }
  return ensureSelfSigned({ hostname: 'issued.test', ...options })
}

const standIn = 'mail.one.test'

test('before the first order a certificate of our own is shown', async () => {
  expect(await namesShown(directory())).toContain(standIn)
})

test.each([
  ['whole is shown', async () => {}, 'issued.test'],
  [
    'with the key of the next, since the machine went down in between, kept the server from starting',
    async ({ key }: CertificateFiles) => cpSync((await issue()).key, key),
    standIn,
  ],
  [
    'with a key that was cut off kept the server from starting',
    async ({ key }: CertificateFiles) => writeFileSync(key, '-----BEGIN PRIVATE'),
    standIn,
  ],
])('one that is there, %s', async (_, spoil, name) => {
  const dataDirectory = directory()
  const issued = await issue()
  const acme = join(dataDirectory, 'tls', 'acme')
  mkdirSync(acme, { recursive: true })
  const files = { cert: join(acme, 'certificate.pem'), key: join(acme, 'certificate.key') }
  cpSync(issued.cert, files.cert)
  cpSync(issued.key, files.key)
  await spoil(files)
  expect(await namesShown(dataDirectory)).toContain(name)
})

test('one that could not be read for now lost its key to one of our own', async () => {
  const dataDirectory = directory()
  const acme = join(dataDirectory, 'tls', 'acme')
  // Stands for a file that gives an error of the disk.
  mkdirSync(join(acme, 'certificate.pem'), { recursive: true })
  const key = join(acme, 'certificate.key')
  cpSync((await issue()).key, key)
  const before = readFileSync(key)
  await expect(namesShown(dataDirectory)).rejects.toThrow(/certificate\.pem: cannot read the certificate: EISDIR/)
  expect(readFileSync(key)).toEqual(before)
})
