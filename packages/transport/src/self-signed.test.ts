import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import { systemRandom } from '@pennypost/model'
import { describe, expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../test/loopback.ts'
import { createManualTime } from '../test/manual-time.ts'
import * as der from './asn1-writer.ts'
import { selfSign } from './self-signed.ts'
import { ensureSelfSigned } from './self-signed-files.ts'

const names = ['mail.one.test', 'localhost', '127.0.0.1', '::1']
const dayMs = 86_400_000

describe('DER', () => {
  test.each([
    ['short length', der.octetString(Buffer.alloc(127)).subarray(0, 2), '047f'],
    ['long length', der.octetString(Buffer.alloc(128)).subarray(0, 3), '048180'],
    ['longer length', der.octetString(Buffer.alloc(65_536)).subarray(0, 5), '0483010000'],
    ['integer 0', der.positiveInteger(Buffer.of(0)), '020100'],
    ['integer 128 is not negative', der.positiveInteger(Buffer.of(0x80)), '02020080'],
    ['integer without superfluous octets', der.positiveInteger(Buffer.of(0, 0, 1)), '020101'],
    ['object identifier', der.objectIdentifier('1.2.840.10045.4.3.2'), '06082a8648ce3d040302'],
    ['UTCTime', der.time(Date.UTC(2049, 11, 31, 23, 59, 59)), Buffer.from('\x17\x0d491231235959Z').toString('hex')],
    [
      'GeneralizedTime from 2050',
      der.time(Date.UTC(2050, 0, 1)),
      Buffer.from('\x18\x0f20500101000000Z').toString('hex'),
    ],
  ])('%s', (_, written, hex) => {
    expect(written.toString('hex')).toBe(hex)
  })
})

describe('the certificate', () => {
  const notBefore = Date.UTC(2026, 0, 1)
  const { cert, key } = selfSign({ names, notBefore, notAfter: Date.UTC(2055, 5, 1), random: systemRandom })
  const read = new X509Certificate(cert)

  test('is read by OpenSSL with its names, dates and uses', () => {
    expect(read.subject).toBe('CN=mail.one.test')
    expect(read.issuer).toBe(read.subject)
    expect(read.subjectAltName).toBe(
      'DNS:mail.one.test, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    )
    expect(read.validFromDate.getTime()).toBe(notBefore)
    expect(read.validToDate.getTime()).toBe(Date.UTC(2055, 5, 1))
    expect(read.ca).toBe(false)
    expect(read.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(read.serialNumber).toHaveLength(32)
  })

  test('is signed by its own key, which is in the other file', () => {
    expect(read.verify(read.publicKey)).toBe(true)
    expect(read.checkPrivateKey(createPrivateKey(key))).toBe(true)
  })

  test.each(['mail.one.test', 'localhost', '127.0.0.1', '::1'])('stands in a checked handshake as %s', async (name) => {
    const now = Date.now()
    const valid = selfSign({ names, notBefore: now - dayMs, notAfter: now + dayMs, random: systemRandom })
    const server = createServer(valid, (socket) => socket.end()).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const socket = connect({ port, ca: valid.cert, host: '127.0.0.1', checkServerIdentity: () => undefined })
    await once(socket, 'secureConnect')
    expect(socket.authorized).toBe(true)
    const seen = socket.getPeerX509Certificate()!
    expect(seen.checkHost(name) ?? seen.checkIP(name)).toBeDefined()
    socket.destroy()
  })
})

describe('the files', () => {
  const made = async (directory: string, hostname: string, now: number): Promise<string> => {
    const clock = createManualTime(now)
    const files = await ensureSelfSigned({ hostname, directory, clock, random: systemRandom })
    return readFileSync(files.cert, 'latin1')
  }
  const now = Date.UTC(2026, 0, 1)

  test('are made once, for ten years, and only their owner reads them', async () => {
    const directory = join(await temporaryDirectory(), 'tls')
    const first = await made(directory, 'mail.one.test', now)
    expect(new X509Certificate(first).validToDate.getTime()).toBe(now + 3_650 * dayMs)
    for (const name of ['self-signed.crt', 'self-signed.key']) {
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600)
    }
    expect(await made(directory, 'mail.one.test', now + 3_000 * dayMs)).toBe(first)
  })

  test('are made anew for another host name, shortly before they expire, and when damaged', async () => {
    const directory = await temporaryDirectory()
    const first = await made(directory, 'mail.one.test', now)
    const second = await made(directory, 'mail.two.test', now)
    expect(second).not.toBe(first)
    const third = await made(directory, 'mail.two.test', now + 3_630 * dayMs)
    expect(third).not.toBe(second)
    writeFileSync(join(directory, 'self-signed.crt'), 'half a')
    expect(await made(directory, 'mail.two.test', now)).toContain('BEGIN CERTIFICATE')
  })

  test.each([
    ['was cut off', (directory: string) => writeFileSync(join(directory, 'self-signed.key'), '-----BEGIN PRIVATE')],
    [
      'is of another certificate',
      async (directory: string) => {
        const other = await temporaryDirectory()
        await made(other, 'mail.one.test', now)
        cpSync(join(other, 'self-signed.key'), join(directory, 'self-signed.key'))
      },
    ],
  ])('a key that %s kept the server from starting until somebody removed it', async (_, spoil) => {
    const directory = await temporaryDirectory()
    const first = await made(directory, 'mail.one.test', now)
    await spoil(directory)
    const second = await made(directory, 'mail.one.test', now)
    expect(second).not.toBe(first)
    const key = createPrivateKey(readFileSync(join(directory, 'self-signed.key')))
    expect(new X509Certificate(second).checkPrivateKey(key)).toBe(true)
  })

  test('are not made anew when they could not be read for now, which everybody would have to trust again', async () => {
    const directory = await temporaryDirectory()
    await made(directory, 'mail.one.test', now)
    const key = readFileSync(join(directory, 'self-signed.key'))
    rmSync(join(directory, 'self-signed.crt'))
    // Stands for a file that gives an error of the disk.
    mkdirSync(join(directory, 'self-signed.crt'))
    await expect(made(directory, 'mail.one.test', now)).rejects.toThrow(/cannot read the certificate: EISDIR/)
    expect(readFileSync(join(directory, 'self-signed.key'))).toEqual(key)
  })

  test('are made anew when the clock was ahead as they were made', async () => {
    const directory = await temporaryDirectory()
    await made(directory, 'mail.one.test', now + 100 * dayMs)
    const second = await made(directory, 'mail.one.test', now)
    expect(new X509Certificate(second).validFromDate.getTime()).toBeLessThanOrEqual(now)
    expect(await made(directory, 'mail.one.test', now)).toBe(second)
  })
})
