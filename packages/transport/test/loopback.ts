import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { type Deadline, silentLog, systemRandom } from '@pennypost/model'
import { onTestFinished } from 'vitest'
import {
  createConnectionLimiter,
  createListener,
  createTlsMaterial,
  ensureSelfSigned,
  type Listener,
  type ListenerOptions,
  type TlsMaterial,
} from '../src/index.ts'
import { createManualTime } from './manual-time.ts'

/** A directory that goes with the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pennypost-transport-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** TLS material for mail.one.test, valid now. */
export async function testMaterial(): Promise<TlsMaterial> {
  const clock = createManualTime(Date.now())
  const directory = await temporaryDirectory()
  const files = await ensureSelfSigned({ hostname: 'mail.one.test', directory, clock, random: systemRandom })
  return createTlsMaterial({ certificates: [files], clock, log: silentLog, watchMs: 0 })
}

/** A listener on a free port of loopback, closed with the test. */
export async function testListener(
  options: Pick<ListenerOptions, 'onConnection'> & Partial<ListenerOptions>,
  deadline: Deadline = createManualTime(),
): Promise<Listener> {
  const listener = await createListener({
    service: 'test',
    endpoint: { address: '127.0.0.1', port: 0 },
    tls: 'none',
    limiter: createConnectionLimiter({ connections: 0, connectionsPerAddress: 0 }),
    deadline,
    log: silentLog,
    ...options,
  })
  onTestFinished(async () => void (await listener.close({ drainMs: 0 })))
  return listener
}

/** A client that is connected; destroyed with the test. */
export async function dial(listener: Listener): Promise<Socket> {
  const socket = createConnection(listener.bound.port, listener.bound.address)
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** A TLS session as a client that checks nothing, over a socket or straight to the listener. */
export async function dialTls(to: Listener | Duplex, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const where = 'bound' in to ? { port: to.bound.port, host: to.bound.address } : { socket: to }
  const socket = connect({ ...where, rejectUnauthorized: false, ...options })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'secureConnect')
  socket.on('error', () => {})
  return socket
}

/** Everything until the peer ends. */
export async function readAll(stream: Duplex): Promise<string> {
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  stream.on('error', () => {})
  if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve))
  return text
}

/** The next octets that come. */
export async function readSome(stream: Duplex): Promise<string> {
  const [chunk] = (await once(stream, 'data')) as [Buffer]
  return chunk.toString('latin1')
}
