import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { TlsDialOptions } from '@pennypost/model'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readAll, readSome, temporaryDirectory, testListener, testMaterial } from '../test/loopback.ts'
import { createManualTime } from '../test/manual-time.ts'
import { createDialer } from './dialer.ts'
import { createDuplexPair } from './duplex-pair.ts'
import type { Connection } from './index.ts'

const patient = new AbortController().signal
const greet = ({ stream }: Connection): void => void stream.on('error', () => {}).end('220 hello\r\n')

describe('connect', () => {
  test('to an address, and from a fixed one', async () => {
    const from: string[] = []
    const listener = await testListener({
      onConnection(connection) {
        from.push(connection.remote.address)
        greet(connection)
      },
    })
    const dialer = createDialer({ deadline: createManualTime() })
    const stream = await dialer.connect({ ...listener.bound, localAddress: '127.0.0.9' }, patient)
    expect(await readAll(stream)).toBe('220 hello\r\n')
    expect(from).toEqual(['127.0.0.9'])
  })

  test('to a Unix socket', async () => {
    const path = join(await temporaryDirectory(), 'lmtp.sock')
    await testListener({ onConnection: greet, endpoint: { path } })
    const stream = await createDialer({ deadline: createManualTime() }).connect({ address: path, port: 0 }, patient)
    expect(await readAll(stream)).toBe('220 hello\r\n')
  })

  test("rejects with the system's code", async () => {
    const listener = await testListener({ onConnection: greet })
    await listener.close({ drainMs: 0 })
    const attempt = createDialer({ deadline: createManualTime() }).connect(listener.bound, patient)
    await expect(attempt).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('never looks a name up', () => {
    const dialer = createDialer({ deadline: createManualTime() })
    expect(() => dialer.connect({ address: 'mail.one.test', port: 25 }, patient)).toThrow('not an IP address')
  })

  test("rejects with the signal's reason, before and during", async () => {
    const dialer = createDialer({ deadline: createManualTime() })
    const reason = new Error('shutting down')
    await expect(dialer.connect({ address: '127.0.0.1', port: 9 }, AbortSignal.abort(reason))).rejects.toBe(reason)
    const controller = new AbortController()
    const attempt = dialer.connect({ address: '127.0.0.1', port: 9 }, controller.signal)
    controller.abort(reason)
    await expect(attempt).rejects.toBe(reason)
  })
})

describe('secure', () => {
  async function toServer(
    tls: Partial<TlsDialOptions>,
  ): Promise<{ protocol: string; verified: boolean; text: string }> {
    const contexts = await testMaterial()
    const listener = await testListener({ tls: 'implicit', contexts, onConnection: greet })
    const dialer = createDialer({ deadline: createManualTime() })
    const raw = await dialer.connect(listener.bound, patient)
    onTestFinished(() => void raw.destroy())
    const options = { servername: 'mail.one.test', verify: false, ...tls }
    if (options.ca) options.ca = [readFileSync(contexts.certificates[0]!.files.cert, 'latin1')]
    const { stream, tls: facts } = await dialer.secure(raw, options, patient)
    expect(facts.fingerprint).toBe(contexts.certificates[0]!.fingerprint)
    return { protocol: facts.protocol, verified: facts.verified, text: await readSome(stream) }
  }

  test('opportunistic: any certificate will do, and the facts say that it was not checked', async () => {
    expect(await toServer({})).toEqual({ protocol: 'TLSv1.3', verified: false, text: '220 hello\r\n' })
  })

  test('verified by name and by address literal', async () => {
    expect(await toServer({ verify: true, ca: ['server'] })).toMatchObject({ verified: true })
    expect(await toServer({ verify: true, ca: ['server'], servername: '127.0.0.1' })).toMatchObject({ verified: true })
  })

  test('refused: unknown issuer, another name', async () => {
    await expect(toServer({ verify: true })).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    const other = toServer({ verify: true, ca: ['server'], servername: 'mail.two.test' })
    await expect(other).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  })

  test('checkPeer sees the certificate and can refuse it', async () => {
    const refusal = new Error('no TLSA record matches')
    let subject = ''
    const checkPeer: TlsDialOptions['checkPeer'] = (certificate) => {
      subject = String(certificate.subject.CN)
      throw refusal
    }
    await expect(toServer({ checkPeer })).rejects.toBe(refusal)
    expect(subject).toBe('mail.one.test')
  })

  test('checkName says whom the certificate has to be for, the chain being checked all the same', async () => {
    const refusal = new Error('for nobody that we know')
    const known = { verify: true, ca: ['server'], servername: 'mail.two.test' }
    expect(await toServer({ ...known, checkName: () => undefined })).toMatchObject({ verified: true })
    await expect(toServer({ ...known, checkName: () => refusal })).rejects.toBe(refusal)
    await expect(toServer({ verify: true, checkName: () => undefined })).rejects.toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    })
  })

  test('names no address literal in SNI', async () => {
    const seen: unknown[] = []
    const contexts = await testMaterial()
    const onConnection = ({ stream }: Connection): void => {
      seen.push((stream as TLSSocket).servername)
      stream.end()
    }
    const listener = await testListener({ tls: 'implicit', contexts, onConnection })
    const dialer = createDialer({ deadline: createManualTime() })
    for (const servername of ['mail.one.test', '127.0.0.1']) {
      const raw = await dialer.connect(listener.bound, patient)
      const { stream } = await dialer.secure(raw, { servername, verify: false }, patient)
      await readAll(stream)
    }
    expect(seen).toEqual(['mail.one.test', false])
  })

  test('a peer that says nothing is given up at the deadline, and its stream destroyed', async () => {
    const time = createManualTime()
    const dialer = createDialer({ deadline: time })
    const { client } = createDuplexPair()
    const attempt = dialer.secure(client, { servername: 'mail.one.test', verify: false }, patient)
    time.advance(60_000)
    await expect(attempt).rejects.toMatchObject({ code: 'ETIMEDOUT', message: 'no TLS session in 60000 ms' })
    expect(client.destroyed).toBe(true)
  })

  test('a peer that answers in clear, or leaves, is an error and never a hang', async () => {
    for (const answer of ['454 TLS not available\r\n', '']) {
      const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(answer)))
      server.listen(0, '127.0.0.1')
      onTestFinished(() => void server.close())
      await once(server, 'listening')
      const dialer = createDialer({ deadline: createManualTime() })
      const raw: Duplex = await dialer.connect(
        { address: '127.0.0.1', port: (server.address() as { port: number }).port },
        patient,
      )
      await expect(dialer.secure(raw, { servername: 'a.test', verify: false }, patient)).rejects.toThrow()
    }
  })
})
