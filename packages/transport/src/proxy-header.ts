import { isIPv4, isIPv6 } from 'node:net'
import { plainAddress } from '@pennypost/model'
import type { EndpointAddress } from './connection.ts'

/**
 * The header of the PROXY protocol, versions 1 and 2, as HAProxy's specification (proxy-protocol.txt, 2020/03/05) has it:
 * what a proxy in front of us says of the client behind it. Read before anything else, TLS included, and only from
 * proxies that are trusted; `proxied-client.ts` calls it.
 */
export type ProxyHeader =
  /** More octets have to come. */
  | { kind: 'more' }
  /** Not a PROXY header, or a broken one: the connection is worth nothing, since who it is from is unknown. */
  | { kind: 'bad' }
  /** `length` octets of header. Without `client` the proxy speaks for itself (LOCAL, UNKNOWN: health checks). */
  | { kind: 'read'; length: number; client?: EndpointAddress }

const more: ProxyHeader = { kind: 'more' }
const bad: ProxyHeader = { kind: 'bad' }
/** §2.1: the longest line of version 1, with its CRLF. */
const longestLine = 107
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const start = Buffer.from('PROXY ')
/** §2.2: addresses are 216 octets at most; the rest is for what others want to know of TLS. */
const longestBinary = 4096

/** Reads the header that `octets` begin with. */
export function readProxyHeader(octets: Buffer): ProxyHeader {
  if (startsLike(octets, signature)) return octets.length < 16 ? more : readBinary(octets)
  return startsLike(octets, start) ? readLine(octets) : bad
}

function startsLike(octets: Buffer, pattern: Buffer): boolean {
  const length = Math.min(octets.length, pattern.length)
  return octets.compare(pattern, 0, length, 0, length) === 0
}

/** §2.1: `PROXY TCP4 source destination sourceport destinationport`, or `PROXY UNKNOWN …`. */
function readLine(octets: Buffer): ProxyHeader {
  const end = octets.indexOf('\r\n')
  if (end < 0) return octets.length < longestLine ? more : bad
  const length = end + 2
  if (length > longestLine) return bad
  const line = octets.toString('latin1', 0, end)
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { kind: 'read', length }
  const [, family, source = '', destination = '', port] =
    /^PROXY (TCP[46]) (\S+) (\S+) (\d{1,5}) \d{1,5}$/.exec(line) ?? []
  const valid = family === 'TCP4' ? isIPv4 : isIPv6
  if (family === undefined || !valid(source) || !valid(destination) || Number(port) > 65_535) return bad
  return { kind: 'read', length, client: { address: plainAddress(source), port: Number(port) } }
}

/** §2.2: signature, version and command, family, length, addresses, more that is passed over. */
function readBinary(octets: Buffer): ProxyHeader {
  const version = octets.readUInt8(12) >> 4
  const command = octets.readUInt8(12) & 15
  const family = octets.readUInt8(13)
  const length = 16 + octets.readUInt16BE(14)
  if (version !== 2 || command > 1 || length > longestBinary) return bad
  if (octets.length < length) return more
  if (command === 0) return { kind: 'read', length }
  // High half: AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX; low half 1: a stream.
  if (family === 0x11 && length >= 28) {
    const address = octets.subarray(16, 20).join('.')
    return { kind: 'read', length, client: { address, port: octets.readUInt16BE(24) } }
  }
  if (family === 0x21 && length >= 52) {
    const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((at) => octets.readUInt16BE(16 + at).toString(16))
    return { kind: 'read', length, client: { address: plainAddress(groups.join(':')), port: octets.readUInt16BE(48) } }
  }
  return family === 0 || family >> 4 === 3 ? { kind: 'read', length } : bad
}
