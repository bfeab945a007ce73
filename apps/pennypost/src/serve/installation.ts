import { isIP } from 'node:net'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import type { Installation } from '@pennypost/admin'
import type { ClientService, ClientSettings } from '@pennypost/admin/client-settings'
import { type Hop, parseHop } from '@pennypost/relay/hop'
import { printStsPolicy } from '@pennypost/relay/sts-policy'
import { dkimDirectory, type Place } from '../config/place.ts'
import { policyOf } from '../config/policy.ts'
import type { Config } from '../config/schema.ts'
import { wantedListeners } from '../config/wanted-listeners.ts'

/** What operations are told of the configuration, in the running server and in verbs alike. */
export function installationOf(config: Config, place: Place): Installation {
  const site = wantedListeners(config).find(({ service }) => service === 'https')
  return {
    hostname: config.hostname,
    administrator: config.admin.address,
    recipientDelimiter: config.policy.recipient_delimiter,
    policy: policyOf(config),
    dkimDirectory: dkimDirectory(place),
    publicAddresses: config.relay.own_addresses.length > 0 ? config.relay.own_addresses : publicAddresses(),
    sentBy: (domain) => sentBy(config, domain),
    clientServices: clientSettings(config).services,
    ...(site ? { sitePort: site.port || 443 } : {}),
    mtaSts: { mode: config.mta_sts.mode, text: ownStsPolicy(config) },
  }
}

/**
 * Who else sends mail of the domain, as SPF mechanisms: the smarthost, and where routes by sender lead. Not what stands
 * beside us or in our network, which the world never sees.
 */
export function sentBy({ relay: { smarthost, route } }: Pick<Config, 'relay'>, domain: string): string[] {
  const own = route.filter(({ sender, to }) => sender?.endsWith(`@${domain}`) && to !== 'direct').map(({ to }) => to)
  const mechanisms = [parseHop(smarthost, 587), ...own.map((to) => parseHop(to, 25))].flatMap(mechanismOf)
  return [...new Set(mechanisms)]
}

function mechanismOf({ host, viaMx, protocol }: Partial<Hop> = {}): string[] {
  if (!host || host === 'localhost' || protocol) return []
  if (isIP(host) > 0) return notPublic.test(host) ? [] : [`ip${isIP(host)}:${host}`]
  return [`${viaMx ? 'mx' : 'a'}:${host}`]
}

const notPublic =
  /^(10|127|0)\.|^169\.254\.|^192\.168\.|^172\.(1[6-9]|2\d|3[01])\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^(::1$|f[cd]|fe[89ab])/i

/** What the site says to those who ask how to bring mail (RFC 8461). */
export function ownStsPolicy({ mta_sts: { mode, mx, max_age }, hostname }: Config): string {
  return printStsPolicy({ mode, mx: mx.length > 0 ? mx : [hostname], maxAgeSeconds: Math.round(max_age / 1000) })
}

const forClients: readonly ClientService[] = ['submissions', 'imaps', 'pop3s', 'submission', 'imap', 'pop3']

/** What mail programs are told: the listeners that they can reach. */
export function clientSettings(config: Config): ClientSettings {
  const all = wantedListeners(config).filter(({ service }) => (forClients as readonly string[]).includes(service))
  // Beside others, one on loopback is for programs of this machine. Where all are, something stands in front of them.
  const open = all.filter(({ address = '' }) => !/^(127\.|::1$|$)/.test(address))
  const offered = open.length > 0 ? open : all
  const services = forClients.flatMap((service) => {
    const port = offered.find((each) => each.service === service)?.port
    return port ? [{ service, port }] : []
  })
  return { hostname: config.hostname, services }
}

/** The addresses of this machine. A sandbox that lets nobody ask the kernel (netlink) is no reason not to start. */
export function ownInterfaces(): NetworkInterfaceInfo[] {
  try {
    return Object.values(networkInterfaces()).flatMap((interfaces) => interfaces ?? [])
  } catch {
    return []
  }
}

/** Addresses of this machine that are not private, link-local or loopback. */
export function publicAddresses(): string[] {
  return ownInterfaces()
    .filter(({ internal, address }) => !internal && !notPublic.test(address))
    .map(({ address }) => address)
}
