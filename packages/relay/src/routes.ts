/**
 * Where mail for a domain goes, as the key of its queue entries and back. Pure.
 *
 * A key is one of these: `two.test` (the domain's MX hosts), `[192.0.2.1]` (an address literal), `mail.two.test:25` (that
 * very host, without MX), `mx:isp.test:587` (the MX hosts of another domain), `lmtp:store.test:24` and `lmtp:/run/store`
 * (another store). `;login` behind it names the credentials of the smarthost or a configured route. Entries with equal keys
 * share connections, so one next hop must have one spelling.
 *
 * Never broken: what was to go with a login never goes there without one: it would be refused for good, or be sent in clear.
 *
 * Who calls it: reception and the relay itself for new entries (`destination`), the opener of connections (`resolve`).
 */
import { lookupAddress, lookupDomain, plainAddress } from '@pennypost/model'
import { parseAddressLiteral } from '@pennypost/smtp'
import { type Hop, hopKey, parseHop, placeWithLogin } from './hop.ts'

export interface RouteOptions {
  /** Port of MX hosts, of address literals, and of hosts that come without one. */
  port: number
  /** Takes all mail that no domain's own next hop and no route claims. */
  smarthost?: Hop
  /** The first that fits counts. */
  routes?: readonly ConfiguredRoute[]
}

/** Mail that a condition fits goes to `to`; with both conditions both have to. */
export interface ConfiguredRoute {
  /** `two.test`, or `.two.test` for all below it. */
  domain?: string
  /** `alice@one.test`, or `@one.test` for all of a domain. */
  sender?: string
  /** `direct`: to the MX of the domain, past the smarthost. */
  to: Hop | 'direct'
}

export type Route =
  | { kind: 'mx'; domain: string; port: number; hop?: Hop }
  | { kind: 'host'; host: string; port: number; hop?: Hop }
  | { kind: 'socket'; path: string; hop: Hop }
  | { kind: 'address'; address: string; port: number }
  /** An address literal that names no way to go. */
  | { kind: 'none' }
  /** A login that is not configured any more. */
  | { kind: 'gone' }

export interface Routes {
  /**
   * The next hop for mail to this domain, in any spelling, or to an address literal with its brackets. `nextHop`: of a domain that
   * is relayed to a host, as `parseHop` reads it; it goes before all else. `reversePath`: for routes by sender.
   */
  destination(domain: string, nextHop?: string, reversePath?: string): string
  resolve(destination: string): Route
  /** Whether the smarthost or a configured route leads mail there that is for other domains than these. */
  takesOthers(destination: string, domains: readonly string[]): boolean
}

export function createRoutes({ port, smarthost, routes = [] }: RouteOptions): Routes {
  const byKey = new Map<string, Hop>()
  const keyOf = (hop: Hop): string => {
    const key = hop.username === undefined ? hopKey(hop) : `${hopKey(hop)};${hop.username}`
    byKey.set(key, hop)
    return key
  }
  // Who names a host (`queue redirect`, a domain's own next hop) means the smarthost, or the first route there.
  const hops = [smarthost, ...routes.map(({ to }) => to)].filter((hop) => hop !== undefined && hop !== 'direct')
  for (const hop of hops.toReversed()) byKey.set(hopKey(hop), hop)
  const smarthostKey = smarthost && keyOf(smarthost)
  const configured = routes.map(({ to, ...when }) => ({ when, key: to === 'direct' ? to : keyOf(to) }))
  const bySender = configured.some(({ when }) => when.sender !== undefined)
  return {
    destination(domain, nextHop, reversePath = '') {
      if (nextHop !== undefined) {
        const hop = parseHop(nextHop, port)
        return hop ? hopKey(hop) : nextHop
      }
      const name = lookupDomain(domain) ?? domain.toLowerCase()
      const from = bySender ? (lookupAddress(reversePath) ?? '') : ''
      const route = configured.find(({ when }) => fits(when, name, from))
      if (route && route.key !== 'direct') return route.key
      return route || smarthostKey === undefined ? name : smarthostKey
    },
    resolve(destination) {
      const place = placeWithLogin(destination)
      // What has lost its login goes as new mail that no route claims.
      const hop = byKey.get(destination) ?? (place === undefined ? parseKey(destination) : smarthost)
      if (hop) return routeOf(hop)
      if (place !== undefined) return { kind: 'gone' }
      if (!destination.startsWith('[')) return { kind: 'mx', domain: destination, port }
      const literal = parseAddressLiteral(destination)
      if (literal === null || literal.kind === 'general') return { kind: 'none' }
      return { kind: 'address', address: plainAddress(literal.address), port }
    },
    takesOthers(destination, domains) {
      const isTheirs = (domain: string | undefined) => domain !== undefined && domains.includes(domain)
      return (
        destination === smarthostKey ||
        configured.some(({ when, key }) => key === destination && !isTheirs(when.domain))
      )
    },
  }
}

/** @param pattern `two.test`, or `.two.test` for all below it */
export function isNamedBy(name: string, pattern: string): boolean {
  return name === pattern || (pattern.startsWith('.') && name.endsWith(pattern))
}

/** @param from the sender, in lookup form */
function fits({ domain, sender }: Omit<ConfiguredRoute, 'to'>, name: string, from: string): boolean {
  if (domain !== undefined && !isNamedBy(name, domain)) return false
  if (sender === undefined) return true
  return from !== '' && (sender.startsWith('@') ? from.endsWith(sender) : from === sender)
}

function parseKey(key: string): Hop | undefined {
  const named = /^(?:mx|lmtp):|:\d{1,5}$/.test(key) && !(key.startsWith('[') && !/\]:\d{1,5}$/.test(key))
  return named ? parseHop(key, 25) : undefined
}

function routeOf(hop: Hop): Route {
  const { host, port, path, viaMx, protocol, username } = hop
  if (path !== undefined) return { kind: 'socket', path, hop }
  if (viaMx) return { kind: 'mx', domain: host, port, hop }
  // Else the name and the port are all there is to it.
  const isMore = protocol !== undefined || username !== undefined
  return { kind: 'host', host, port, ...(isMore ? { hop } : {}) }
}
