import { X509Certificate } from 'node:crypto'
import { cpSync, readFileSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SecureContext } from 'node:tls'
import { type Log, silentLog, systemRandom } from '@pennypost/model'
import { describe, expect, onTestFinished, test } from 'vitest'
import { dialTls, temporaryDirectory, testListener } from '../test/loopback.ts'
import { createManualTime } from '../test/manual-time.ts'
import type { CertificateFiles } from './certificate-file.ts'
import { selfSign } from './self-signed.ts'
import { createTlsMaterial, type TlsMaterial, type TlsMaterialOptions } from './tls-material.ts'

const dayMs = 86_400_000

function write(directory: string, name: string, names: string[], days = 90): CertificateFiles {
  const now = Date.now()
  const { cert, key } = selfSign({ names, notBefore: now - dayMs, notAfter: now + days * dayMs, random: systemRandom })
  const files = { cert: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) }
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, key)
  return files
}

async function material(
  options: Partial<TlsMaterialOptions> & Pick<TlsMaterialOptions, 'certificates'>,
): Promise<TlsMaterial> {
  const loaded = await createTlsMaterial({ clock: createManualTime(Date.now()), log: silentLog, ...options })
  onTestFinished(() => loaded[Symbol.dispose]())
  return loaded
}

function chosen(tls: TlsMaterial, servername: string): SecureContext | undefined {
  let answer: SecureContext | undefined
  tls.chooseContext(servername, (_, context) => (answer = context))
  return answer
}

test('chooses by SNI: whole name, wildcard for one label, else the first', async () => {
  const directory = await temporaryDirectory()
  const tls = await material({
    certificates: [
      write(directory, 'first', ['mail.one.test']),
      write(directory, 'wild', ['*.two.test']),
      write(directory, 'exact', ['imap.two.test', 'mail.one.test']),
    ],
  })
  const first = tls.defaultContext
  expect(chosen(tls, 'mail.one.test')).toBe(first)
  expect(chosen(tls, 'nobody.test')).toBe(first)
  expect(chosen(tls, 'localhost')).toBe(first)
  const wild = chosen(tls, 'SMTP.two.test')
  expect(wild).not.toBe(first)
  expect(chosen(tls, 'imap.two.test')).not.toBe(wild)
  expect(chosen(tls, 'two.test')).toBe(first)
  expect(chosen(tls, 'a.b.two.test')).toBe(first)
})

test('says what it holds, for status', async () => {
  const tls = await material({
    certificates: [write(await temporaryDirectory(), 'one', ['mail.one.test', '192.0.2.1', '2001:db8::1'])],
  })
  expect(tls.certificates[0]).toMatchObject({ names: ['mail.one.test', '192.0.2.1', '2001:db8::1'] })
  expect(tls.certificates[0]?.fingerprint).toMatch(/^[0-9a-f]{64}$/)
})

describe('faults name the file and the reason', () => {
  test.each<[string, (files: CertificateFiles, directory: string) => void, RegExp]>([
    ['no file', ({ cert }) => unlinkSync(cert), /a\.crt: cannot read the certificate: there is no such file$/],
    ['no key', ({ key }) => unlinkSync(key), /a\.key: cannot read the private key: there is no such file$/],
    ['not PEM', ({ cert }) => writeFileSync(cert, 'hello'), /a\.crt: holds no certificate in PEM$/],
    ['files swapped', ({ cert, key }) => renameSync(cert, key), /cannot read the certificate/],
    ['a certificate as key', ({ cert, key }) => cpSync(cert, key), /a\.key: holds no private key in PEM$/],
    [
      'damaged',
      ({ cert }) => writeFileSync(cert, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
      /a\.crt: its certificate is damaged$/,
    ],
    [
      'encrypted key',
      ({ key }) =>
        writeFileSync(key, '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n'),
      /a\.key: its private key is encrypted; a server needs it plain$/,
    ],
    [
      "another certificate's key",
      ({ key }, directory) => cpSync(write(directory, 'b', ['b.test']).key, key),
      /a\.key: is not the private key of the certificate in .*a\.crt$/,
    ],
  ])('%s', async (_, spoil, message) => {
    const directory = await temporaryDirectory()
    const files = write(directory, 'a', ['a.test'])
    spoil(files, directory)
    const failure = await material({ certificates: [files] }).catch((error: Error) => error)
    expect(failure).toMatchObject({ name: 'TlsMaterialError', message: expect.stringMatching(message) })
    expect((failure as Error).message).not.toContain('BEGIN')
  })
})

describe('reload', () => {
  const spki = (pem: string): string => new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase()

  test('new sessions see the new certificate, the running one goes on', async () => {
    const directory = await temporaryDirectory()
    const files = write(directory, 'a', ['a.test'])
    const contexts = await material({ certificates: [files], watchMs: 0 })
    const listener = await testListener({
      tls: 'implicit',
      contexts,
      onConnection: ({ stream }) => void stream.on('data', (chunk: Buffer) => stream.write(chunk)),
    })
    const before = await dialTls(listener)
    write(directory, 'a', ['a.test'])
    await contexts.reload()
    const after = await dialTls(listener)
    expect(after.getPeerCertificate().fingerprint256).not.toBe(before.getPeerCertificate().fingerprint256)
    before.write('still here')
    const [chunk] = await new Promise<[Buffer]>((resolve) => before.once('data', (octets: Buffer) => resolve([octets])))
    expect(chunk.toString()).toBe('still here')
  })

  /** A clock, and what makes the watch look once. */
  function looking() {
    const clock = createManualTime(Date.now())
    const settled = { wake: () => {} }
    // A look is over when it lets go of the clock.
    clock.busy = () => ({ [Symbol.dispose]: () => settled.wake() })
    const look = (): Promise<void> =>
      new Promise((resolve) => {
        settled.wake = () => setImmediate(resolve)
        clock.advance(30_000)
      })
    return { clock, look }
  }

  test('another authority of client certificates was seen only at the next start', async () => {
    const directory = await temporaryDirectory()
    const [files, { cert: clientCa }] = [write(directory, 'a', ['a.test']), write(directory, 'ca', ['ca.test'])]
    const { clock, look } = looking()
    const tls = await material({ certificates: [files], clientCa, clock })
    const before = tls.defaultContext
    await look()
    expect(tls.defaultContext).toBe(before)
    cpSync(write(directory, 'other', ['other.test']).cert, clientCa)
    await look()
    expect(tls.defaultContext).not.toBe(before)
  })

  test('the watch sees a replaced symbolic link; half a replacement changes nothing and is tried again', async () => {
    const directory = await temporaryDirectory()
    const old = write(directory, 'old', ['a.test'])
    const fresh = write(directory, 'fresh', ['a.test'])
    const live = { cert: join(directory, 'live.crt'), key: join(directory, 'live.key') }
    symlinkSync(old.cert, live.cert)
    symlinkSync(old.key, live.key)
    const { clock, look } = looking()
    const errors: string[] = []
    const log: Log = { ...silentLog, error: (facts) => void errors.push((facts as { error: string }).error) }
    const tls = await material({ certificates: [live], clock, log })
    const point = (link: string, target: string): void => {
      symlinkSync(target, `${link}.new`)
      renameSync(`${link}.new`, link)
    }
    point(live.cert, fresh.cert)
    await look()
    await look()
    expect(errors).toEqual([expect.stringContaining('is not the private key')])
    expect(tls.certificates[0]?.fingerprint).toBe(spki(readFileSync(old.cert, 'latin1')))
    point(live.key, fresh.key)
    await look()
    expect(tls.certificates[0]?.fingerprint).toBe(spki(readFileSync(fresh.cert, 'latin1')))
  })

  test('a certificate that has expired is shown all the same, with a warning', async () => {
    const files = write(await temporaryDirectory(), 'a', ['a.test'], 1)
    const warnings: string[] = []
    const log: Log = { ...silentLog, warn: (_, text) => void warnings.push(text) }
    await material({ certificates: [files], clock: createManualTime(Date.now() + 2 * dayMs), log })
    expect(warnings).toEqual(['TLS certificate has expired'])
  })
})
