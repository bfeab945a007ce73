/**
 * Next hops as people and keys of the queue write them. Pure, and light enough for whoever reads a configuration.
 * Who calls it: the routes, and the configuration.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { isLoopback, lookupDomain } from '@pennypost/model'

/** A next hop that somebody named. */
export interface Hop {
  /** Host name or IP address; a domain with `viaMx`; '' with `path`. */
  host: string
  /** On 465 TLS begins with the connection (RFC 8314 §3.3). */
  port: number
  /** Its MX hosts are meant. */
  viaMx?: true
  protocol?: 'lmtp'
  /** Unix socket of an LMTP store. */
  path?: string
  username?: string
  password?: string
}

/**
 * `host`, `host:port`, `[address]:port`, an IPv6 address alone; `mx:` before it means its MX hosts, `lmtp:` an LMTP store,
 * also `lmtp:/path`. Undefined for anything else, also for a path with a semicolon, which begins a login in keys.
 */
export function parseHop(text: string, defaultPort: number): Hop | undefined {
  const [, scheme, rest = ''] = /^(?:(mx|lmtp):)?(.+)$/s.exec(text) ?? []
  if (scheme === 'lmtp' && rest.startsWith('/')) {
    return rest.includes(';') ? undefined : { host: '', port: 0, protocol: 'lmtp', path: rest }
  }
  const { host, port } = splitHost(rest)
  const number = port ?? (scheme === 'lmtp' ? lmtpPort : defaultPort)
  const isAddress = isIPv4(host) || isIPv6(host)
  const name = isAddress ? host.toLowerCase() : lookupDomain(host)
  // An address has no MX.
  if (isAddress && scheme === 'mx') return undefined
  if (name === undefined || number < 1 || number > 65_535) return undefined
  return {
    host: name,
    port: number,
    ...(scheme === 'mx' ? { viaMx: true } : {}),
    ...(scheme === 'lmtp' ? { protocol: 'lmtp' } : {}),
  }
}

/** What store servers listen on (RFC 2033 §5 forbids 25). */
const lmtpPort = 24

/** The host without brackets. */
function splitHost(text: string): { host: string; port?: number } {
  if (isIPv6(text)) return { host: text }
  const match = /^(.*):([0-9]{1,5})$/.exec(text)
  if (!match || (text.startsWith('[') && !match[1]!.endsWith(']'))) return { host: bare(text) }
  return { host: bare(match[1] as string), port: Number(match[2]) }
}

function bare(host: string): string {
  return host.replace(/^\[(?:ipv6:)?(.*)\]$/i, '$1')
}

/** The one spelling of a next hop. */
export function hopKey({ host, port, viaMx, protocol, path }: Hop): string {
  if (path !== undefined) return `lmtp:${path}`
  const name = isIPv6(host)
    ? `[${host.toLowerCase()}]`
    : isIPv4(host)
      ? host
      : (lookupDomain(host) ?? host.toLowerCase())
  return `${viaMx ? 'mx:' : ''}${protocol === 'lmtp' ? 'lmtp:' : ''}${name}:${port}`
}

/** Where a key of the queue leads that names a login; undefined for one that names none. */
export function placeWithLogin(destination: string): string | undefined {
  return /^([^;]*:\d{1,5}|lmtp:\/[^;]*);/.exec(destination)?.[1]
}

/** Whether a key of the queue names an LMTP store on this machine: what goes there has arrived, and crosses no network. */
export function isStoreHere(destination: string): boolean {
  if (!destination.startsWith('lmtp:')) return false
  const hop = parseHop(placeWithLogin(destination) ?? destination, lmtpPort)
  return hop !== undefined && (hop.path !== undefined || isLoopback(hop.host) || hop.host === 'localhost')
}
