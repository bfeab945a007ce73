/** A proxy in front of a listener with implicit TLS, over real sockets: its header comes before the handshake. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { silentLog, systemClock, systemDeadline } from '@pennypost/model'
import { seededRandom } from '@pennypost/model/testing'
import { createConnectionLimiter, createTlsMaterial, ensureSelfSigned } from '@pennypost/transport'
import { createDuplexPair } from '@pennypost/transport/duplex-pair'
import { expect, it, onTestFinished } from 'vitest'
import { openReception } from '../src/index.ts'
import { testReception } from './test-reception.ts'

async function open(proxy: string) {
  const host = await testReception()
  const directory = await mkdtemp(join(tmpdir(), 'pennypost-reception-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const files = { hostname: 'mail.one.test', directory, clock: systemClock, random: seededRandom(1) }
  const contexts = await createTlsMaterial({
    certificates: [await ensureSelfSigned(files)],
    clock: systemClock,
    log: silentLog,
    watchMs: 0,
  })
  onTestFinished(() => contexts[Symbol.dispose]())
  const limiter = createConnectionLimiter({ connections: 0, connectionsPerAddress: 1 })
  const endpoint = { address: '127.0.0.1', port: 0 }
  const options = { ...host.options, proxy: [proxy], deadline: systemDeadline }
  const listener = await openReception({ service: 'submissions', endpoint, contexts, limiter }, options)
  onTestFinished(async () => void (await listener.close({ drainMs: 0 })))
  return { listener, limiter }
}

async function greeting(socket: Duplex): Promise<string> {
  const secure = connectTls({ socket, rejectUnauthorized: false })
  const [banner] = (await once(secure, 'data')) as [Buffer]
  secure.destroy()
  return banner.toString()
}

it('reads the header and then makes the handshake, though both came at once', async () => {
  const { listener, limiter } = await open('127.0.0.0/8')
  const socket = connect(listener.bound.port, '127.0.0.1')
  const { client, server: relay } = createDuplexPair()
  relay.once('data', (hello: Buffer) => {
    socket.write(Buffer.concat([Buffer.from('PROXY TCP4 192.0.2.7 127.0.0.1 4711 465\r\n'), hello]))
    relay.pipe(socket).pipe(relay)
  })
  expect(await greeting(client)).toMatch(/^220 mail\.one\.test /)
  socket.destroy()
  expect(limiter.open).toBeGreaterThan(0)
})

it('a client beside the proxies has its handshake at once', async () => {
  const { listener } = await open('192.0.2.1')
  expect(await greeting(connect(listener.bound.port, '127.0.0.1'))).toMatch(/^220 /)
})

it('counts the client behind the proxy, not the proxy', async () => {
  const { listener } = await open('127.0.0.1')
  const sockets: Socket[] = []
  const proxied = async (address: string): Promise<Socket> => {
    const socket = connect(listener.bound.port, '127.0.0.1')
    sockets.push(socket)
    socket.write(`PROXY TCP4 ${address} 127.0.0.1 4711 465\r\n`)
    return socket
  }
  const secure = connectTls({ socket: await proxied('192.0.2.7'), rejectUnauthorized: false })
  await once(secure, 'data')
  expect(await greeting(await proxied('192.0.2.8'))).toMatch(/^220 /)
  const third = await proxied('192.0.2.7')
  third.resume()
  await once(third, 'close')
  for (const socket of sockets) socket.destroy()
})
