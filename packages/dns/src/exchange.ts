/**
 * One query to one server and its answer: over UDP, and over TCP when the answer did not fit. Called by `ask.ts`.
 *
 * Never broken: a datagram counts only if it came from the server asked (the socket is connected, so the kernel drops
 * others), to the port of this one query (each has a socket of its own, whose port the kernel draws at random), with its
 * id and its question (RFC 5452 §9). Sockets are closed on every way out.
 */
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import type { Random } from '@pennypost/model'
import { AUTHENTIC_DATA, type DecodedPacket, DNSSEC_OK, encode, RECURSION_DESIRED } from 'dns-packet'
import { decodeResponse, type Query } from './response.ts'
import type { NameServer } from './servers.ts'

/** RFC 9715 §3: what passes every path unfragmented. */
const udpPayloadSize = 1232
/** So many wrong datagrams are somebody guessing ids: the query then goes over TCP, where guessing does not help. */
const forgeryLimit = 16

/** How a query is put. */
export interface QueryOptions {
  /** Whether to say EDNS (RFC 6891) at all. */
  edns: boolean
  /** Ask for validation: the AD bit in the query (RFC 6840 §5.7) and DO. */
  dnssec: boolean
}

/** UDP went well: whoever reads that the answer did not come has to know which of the two to look into. */
export class TcpFault extends Error {}

/** Resolves with the response, whatever its code. Rejects with the socket's error or the signal's reason, or a TcpFault of it. */
export async function exchange(
  server: NameServer,
  question: Omit<Query, 'id'>,
  options: QueryOptions,
  random: Random,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  const query = { ...question, id: random.bytes(2).readUInt16BE(0) }
  const octets = encodeQuery(query, options)
  const reply = await askByUdp(server, octets, query, signal)
  if (reply !== undefined && !reply.flag_tc) return reply
  return askByTcp(server, octets, query, signal).catch((cause: unknown) => {
    throw new TcpFault('no answer over TCP', { cause })
  })
}

/** The query as it goes out. */
export function encodeQuery(query: Query, { edns, dnssec }: QueryOptions): Buffer {
  return encode({
    type: 'query',
    id: query.id,
    flags: RECURSION_DESIRED | (dnssec ? AUTHENTIC_DATA : 0),
    questions: [{ type: query.type, name: query.name === '' ? '.' : query.name, class: 'IN' }],
    additionals: edns
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: dnssec ? DNSSEC_OK : 0,
            flag_do: dnssec,
            options: [],
          },
        ]
      : [],
  })
}

/** Undefined when so many forgeries came that UDP cannot be trusted. */
function askByUdp(
  server: NameServer,
  octets: Buffer,
  query: Query,
  signal: AbortSignal,
): Promise<DecodedPacket | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
    let wrong = 0
    let open = true
    const end = (settle: () => void): void => {
      if (!open) return
      open = false
      signal.removeEventListener('abort', abort)
      socket.close()
      settle()
    }
    const fail = (error: Error): void => end(() => reject(error))
    const abort = (): void => fail(signal.reason)
    signal.addEventListener('abort', abort)
    socket.on('error', fail)
    socket.on('message', (datagram) => {
      const packet = decodeResponse(datagram, query)
      if (packet || ++wrong >= forgeryLimit) end(() => resolve(packet))
    })
    socket.on('connect', () => {
      if (open) socket.send(octets, (error) => error && fail(error))
    })
    // No callback: it would be called with what went wrong too, such as a network that is down, instead of 'error'.
    socket.connect(server.port, server.address)
  })
}

/** RFC 7766 §8: each message behind its length in two octets. */
function askByTcp(server: NameServer, octets: Buffer, query: Query, signal: AbortSignal): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const socket = connect(server.port, server.address)
    const chunks: Buffer[] = []
    let received = 0
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', abort)
      socket.destroy()
      settle()
    }
    const fail = (error: Error): void => end(() => reject(error))
    const abort = (): void => fail(signal.reason)
    signal.addEventListener('abort', abort)
    socket.on('error', fail)
    socket.on('close', () => fail(new Error('connection closed before the answer')))
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      received += chunk.length
      if (received < 2) return
      const whole = chunks.length === 1 ? chunk : Buffer.concat(chunks.splice(0))
      if (chunks.length === 0) chunks.push(whole)
      const length = whole.readUInt16BE(0)
      if (received < 2 + length) return
      const packet = decodeResponse(whole.subarray(2, 2 + length), query)
      if (packet && !packet.flag_tc) end(() => resolve(packet))
      else fail(new Error(packet ? 'truncated answer' : 'malformed answer'))
    })
    const length = Buffer.allocUnsafe(2)
    length.writeUInt16BE(octets.length)
    socket.write(Buffer.concat([length, octets]))
  })
}
