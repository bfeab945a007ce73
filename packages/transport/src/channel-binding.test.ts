import { createHash, type X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { silentLog, systemRandom } from '@pennypost/model'
import { describe, expect, test } from 'vitest'
import { dialTls, readSome, temporaryDirectory, testListener, testMaterial } from '../test/loopback.ts'
import { createManualTime } from '../test/manual-time.ts'
import { endPointHash } from './channel-binding.ts'
import { type Connection, createTlsMaterial, ensureSelfSigned } from './index.ts'

// An authority that is gone, one client certificate of it for alice, and one of nobody's that says the same; openssl made them.
const file = (name: string) => fileURLToPath(new URL(`../test/certificates/${name}`, import.meta.url))
const client = { cert: readFileSync(file('client.pem')), key: readFileSync(file('client-key.pem')) }
const stranger = { cert: readFileSync(file('stranger.pem')), key: readFileSync(file('stranger-key.pem')) }

/** A listener, and the connection that came last. */
async function listen(contexts: Awaited<ReturnType<typeof testMaterial>>) {
  const seen: { connection?: Connection } = {}
  const listener = await testListener({
    tls: 'implicit',
    contexts,
    onConnection(connection) {
      seen.connection = connection
      connection.stream.write('hello')
    },
  })
  return { listener, seen }
}

describe('channel binding', () => {
  test('is the same at both ends of a TLS 1.3 session, and another in each', async () => {
    const { listener, seen } = await listen(await testMaterial())
    const bindings: string[] = []
    for (let count = 0; count < 2; count++) {
      const socket = await dialTls(listener)
      await readSome(socket)
      const own = socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
      expect(seen.connection?.channelBinding('tls-exporter')).toEqual(own)
      bindings.push(own.toString('hex'))
    }
    expect(bindings[0]).not.toBe(bindings[1])
  })

  test('by the certificate is its hash; the exporter binds TLS 1.3 only', async () => {
    const { listener, seen } = await listen(await testMaterial())
    const socket = await dialTls(listener, { maxVersion: 'TLSv1.2' })
    await readSome(socket)
    const shown = socket.getPeerX509Certificate()
    expect(seen.connection?.channelBinding('tls-server-end-point')).toEqual(
      createHash('sha256')
        .update(shown?.raw ?? '')
        .digest(),
    )
    expect(seen.connection?.channelBinding('tls-exporter')).toBeUndefined()
  })

  test.each([
    ['ecdsa-with-SHA256', 'sha256'],
    ['sha1WithRSAEncryption', 'sha256'],
    ['sha512WithRSAEncryption', 'sha512'],
    ['ED25519', undefined],
  ])('of a certificate signed with %s hashes by %s (RFC 5929 §4.1)', (signatureAlgorithm, hash) => {
    expect(endPointHash({ signatureAlgorithm } as X509Certificate)).toBe(hash)
  })
})

describe('client certificates', () => {
  async function material() {
    const clock = createManualTime(Date.now())
    const directory = await temporaryDirectory()
    const files = await ensureSelfSigned({ hostname: 'mail.one.test', directory, clock, random: systemRandom })
    const clientCa = file('authority.pem')
    return createTlsMaterial({ certificates: [files], clientCa, clock, log: silentLog, watchMs: 0 })
  }

  test.each([
    ['of our authority names its addresses', client, ['alice@one.test', 'alice@two.test']],
    ['of somebody else says nothing', stranger, undefined],
    ['none at all is fine', {}, undefined],
  ])('%s', async (_, shown, addresses) => {
    const { listener, seen } = await listen(await material())
    const socket = await dialTls(listener, shown)
    expect(await readSome(socket)).toBe('hello')
    expect(seen.connection?.certifiedAddresses).toEqual(addresses)
  })

  test('are not asked for without an authority', async () => {
    const { listener, seen } = await listen(await testMaterial())
    await readSome(await dialTls(listener, client))
    expect(seen.connection?.certifiedAddresses).toBeUndefined()
  })

  test('a file without an authority is refused by its name', async () => {
    const clock = createManualTime(Date.now())
    const directory = await temporaryDirectory()
    const files = await ensureSelfSigned({ hostname: 'mail.one.test', directory, clock, random: systemRandom })
    const clientCa = file('client-key.pem')
    const opening = createTlsMaterial({ certificates: [files], clientCa, clock, log: silentLog, watchMs: 0 })
    await expect(opening).rejects.toThrow(`${clientCa}: holds no certificate in PEM`)
  })
})
