/**
 * Where mail for a domain goes, as the key of its queue entries and back. Pure.
 *
 * A key is one of three: `two.test` (the domain's MX hosts), `[192.0.2.1]` (an address literal), `mail.two.test:25` (that
 * very host, without MX). Entries with equal keys share connections, so one next hop must have one spelling.
 *
 * Who calls it: reception and the relay itself for new entries (`destination`), the opener of connections (`resolve`).
 */
import { isIPv4, isIPv6 } from 'node:net'
import { lookupDomain } from '@pennypost/model'
import { parseAddressLiteral } from '@pennypost/smtp'

export interface RouteOptions {
  /** Port of MX hosts, of address literals, and of hosts that come without one. */
  port: number
  /** Takes all mail that no domain's own next hop claims. */
  smarthost?: Smarthost
}

export interface Smarthost {
  /** Host name or IP address. */
  host: string
  /** On 465 TLS begins with the connection (RFC 8314 §3.3). */
  port: number
  username?: string
  password?: string
}

export type Route =
  | { kind: 'mx'; domain: string; port: number }
  | { kind: 'host'; host: string; port: number; smarthost?: Smarthost }
  | { kind: 'address'; address: string; port: number }
  /** An address literal that names no way to go. */
  | { kind: 'none' }

export interface Routes {
  /**
   * The next hop for mail to this domain, an A-label or an address literal with its brackets. `nextHop`: `host` or
   * `host:port` of a domain that is relayed to a host; it goes before the smarthost.
   */
  destination(domain: string, nextHop?: string): string
  resolve(destination: string): Route
}

export function createRoutes({ port, smarthost }: RouteOptions): Routes {
  const smarthostKey = smarthost && hostKey(bare(smarthost.host), smarthost.port)
  return {
    destination(domain, nextHop) {
      if (nextHop !== undefined) {
        const { host, port: named } = splitHost(nextHop)
        return hostKey(host, named ?? port)
      }
      if (smarthostKey !== undefined) return smarthostKey
      return domain.startsWith('[') ? domain.toLowerCase() : (lookupDomain(domain) ?? domain.toLowerCase())
    },
    resolve(destination) {
      const { host, port: named } = splitHost(destination)
      if (named !== undefined) {
        return { kind: 'host', host, port: named, ...(destination === smarthostKey && smarthost ? { smarthost } : {}) }
      }
      if (!destination.startsWith('[')) return { kind: 'mx', domain: destination, port }
      const literal = parseAddressLiteral(destination)
      if (literal === null || literal.kind === 'general') return { kind: 'none' }
      return { kind: 'address', address: literal.address, port }
    },
  }
}

/** `host`, `host:port`, `[address]:port`, and an IPv6 address alone; the host without brackets. */
function splitHost(text: string): { host: string; port?: number } {
  if (isIPv6(text)) return { host: text }
  const match = /^(.*):([0-9]{1,5})$/.exec(text)
  if (!match || (text.startsWith('[') && !match[1]!.endsWith(']'))) return { host: bare(text) }
  return { host: bare(match[1] as string), port: Number(match[2]) }
}

function bare(host: string): string {
  return host.replace(/^\[(?:ipv6:)?(.*)\]$/i, '$1')
}

function hostKey(host: string, port: number): string {
  if (isIPv6(host)) return `[${host.toLowerCase()}]:${port}`
  return `${isIPv4(host) ? host : (lookupDomain(host) ?? host.toLowerCase())}:${port}`
}
