/**
 * A DNS server over zones, on UDP and TCP of one port: for tests, and for trying two servers on one machine. Not made
 * for the open internet (no zone transfer, no signing, no delegation).
 *
 * Never broken: junk gets no answer and does no harm; nothing is left open after `close()`.
 */
import { createSocket, type Socket as DatagramSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { createServer, isIPv6, type Server, type Socket } from 'node:net'
import type { Deadline } from '@pennypost/model'
import { type DecodedPacket, decode } from 'dns-packet'
import type { Zone } from './zone.ts'
import { answerQuery } from './zone-answer.ts'
import { createZones, type Zones, type ZonesOptions } from './zones.ts'

export interface ZoneServerOptions extends ZonesOptions {
  /** Zones to begin with. */
  zones: readonly Zone[]
  deadline: Deadline
  /** IP address; 127.0.0.1 unless given. */
  address?: string
  /** 0 (the default): one that is free on both UDP and TCP. */
  port?: number
  limits?: Partial<ZoneServerLimits>
}

export interface ZoneServerLimits {
  /** Streams at a time; more are closed at once. */
  connections: number
  /** A stream that is silent for so long is closed (RFC 7766 §6.2.3). */
  idleTimeoutMs: number
}

export interface ZoneServer extends AsyncDisposable {
  /** To be changed, broken and read while the server runs. */
  readonly zones: Zones
  /** `127.0.0.1:45123`, as `servers` of a resolver takes it. */
  readonly server: string
  readonly port: number
  close(): Promise<void>
}

/** How often another port is tried when the one that is free for TCP is taken for UDP. */
const portAttempts = 10

/** Opens the server. Rejects with the system's error if the port cannot be had. */
export async function createZoneServer(options: ZoneServerOptions): Promise<ZoneServer> {
  const { address = '127.0.0.1', port = 0, deadline } = options
  const limits: ZoneServerLimits = { connections: 100, idleTimeoutMs: 10_000, ...options.limits }
  const zones = createZones(options.zones, options)
  const streams = new Set<Socket>()

  const stream = createServer((socket) => serveStream(socket, zones, deadline, limits))
  stream.maxConnections = limits.connections
  stream.on('connection', (socket) => {
    streams.add(socket)
    socket.on('close', () => streams.delete(socket))
  })
  const datagrams = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  datagrams.on('message', (octets, from) => void serveDatagram(datagrams, octets, from, zones))
  const bound = await openBoth(stream, datagrams, address, port)
  // An ICMP error for an answer that nobody waits for any more is no fault of the server.
  datagrams.on('error', () => {})

  const close = async (): Promise<void> => {
    if (!stream.listening) return
    const closed = [once(stream, 'close'), once(datagrams, 'close')]
    stream.close()
    for (const socket of streams) socket.destroy()
    datagrams.close()
    await Promise.all(closed)
  }
  return {
    zones,
    server: `${isIPv6(address) ? `[${address}]` : address}:${bound}`,
    port: bound,
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function openBoth(stream: Server, datagrams: DatagramSocket, address: string, port: number): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    stream.listen(port, address)
    await once(stream, 'listening')
    const bound = (stream.address() as { port: number }).port
    try {
      datagrams.bind(bound, address)
      await once(datagrams, 'listening')
      return bound
    } catch (error) {
      stream.close()
      await once(stream, 'close')
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (taken && port === 0 && attempt < portAttempts) continue
      datagrams.close()
      throw error
    }
  }
}

/** The query in `octets`; undefined for junk, and for responses, lest two servers talk to each other for ever. */
function decodeQuery(octets: Buffer): DecodedPacket | undefined {
  try {
    const packet = decode(octets)
    return packet.flag_qr ? undefined : packet
  } catch {
    return undefined
  }
}

async function serveDatagram(socket: DatagramSocket, octets: Buffer, from: RemoteInfo, zones: Zones): Promise<void> {
  const query = decodeQuery(octets)
  if (!query) return
  try {
    const answer = await answerQuery(zones, query, 'udp')
    if (answer) socket.send(answer, from.port, from.address)
  } catch {
    // The server was closed while the answer was delayed, or the delay itself was given up: no answer then.
  }
}

function serveStream(socket: Socket, zones: Zones, deadline: Deadline, limits: ZoneServerLimits): void {
  const idle = deadline.after(limits.idleTimeoutMs, () => socket.destroy())
  let pending: Buffer = Buffer.alloc(0)
  socket.on('close', () => idle[Symbol.dispose]())
  // The client went away; 'close' follows.
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    idle.refresh()
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    while (pending.length >= 2) {
      const end = 2 + pending.readUInt16BE(0)
      if (pending.length < end) return
      const query = decodeQuery(pending.subarray(2, end))
      pending = pending.subarray(end)
      if (query) void sendOver(socket, zones, query)
      else socket.destroy()
    }
  })
}

async function sendOver(socket: Socket, zones: Zones, query: DecodedPacket): Promise<void> {
  // A delay that was given up is an answer that never comes.
  const answer = await answerQuery(zones, query, 'tcp').catch(() => undefined)
  if (!answer || !socket.writable) return
  const length = Buffer.allocUnsafe(2)
  length.writeUInt16BE(answer.length)
  socket.write(Buffer.concat([length, answer]))
}
