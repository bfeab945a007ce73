import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { rootCertificates } from 'node:tls'
import { createMda, createSrs } from '@pennypost/mda'
import {
  isLoopback,
  type Log,
  type Resolver,
  type Store,
  systemClock,
  systemDeadline,
  systemRandom,
} from '@pennypost/model'
import {
  type ConfiguredRoute,
  createDialProbe,
  createHttps,
  createRoutes,
  createStsPolicies,
  type Hop,
  type Https,
  parseHop,
  type RelayOptions,
  type RouteOptions,
} from '@pennypost/relay'
import { formatAddressLiteral } from '@pennypost/smtp'
import { createDialer } from '@pennypost/transport'
import type { Config } from '../config/schema.ts'
import { ownInterfaces, publicAddresses } from './installation.ts'
import { readSecretFile } from './secret-file.ts'

/** `[relay]` as the options of routes and relay. */
export interface RelayingParts {
  config: Config
  /** Where relative paths of the configuration begin. */
  base: string
  store: Store
  log: Log
}

/** What is done for a recipient. */
export function recipientsOf({
  config,
  store,
  srsSecret,
}: Pick<RelayingParts, 'config' | 'store'> & { srsSecret: Buffer }) {
  return createMda({
    directory: store.directory,
    memory: store.memory,
    srs: createSrs({ secrets: [srsSecret] }),
    clock: systemClock,
    hostname: config.hostname,
    ownLiterals: ownLiterals(config),
    recipientDelimiter: config.policy.recipient_delimiter,
    administrator: config.admin.address,
  })
}

/** What mail to this machine itself is addressed to, such as postmaster@[192.0.2.1]: whoever has no other name for it. */
export function ownLiterals({ relay, listener }: Pick<Config, 'relay' | 'listener'>): string[] {
  const listening = listener.flatMap(({ address = '' }) => (unspecified.includes(address) ? [] : [address]))
  const interfaces = ownInterfaces().map(({ address }) => address)
  const all = [...relay.own_addresses, ...[...listening, ...interfaces].filter((address) => !isLoopback(address))]
  return all.map(formatAddressLiteral)
}

const unspecified = ['', '::', '0.0.0.0']

/** `pennypost dial` where no server runs: made at its first call. */
export function probeOf(
  parts: RelayingParts & { srsSecret: Buffer; resolver: Resolver },
): ReturnType<typeof createDialProbe> {
  return async (request) => {
    const routes = createRoutes(await routeOptions(parts))
    const dialer = createDialer({ deadline: systemDeadline })
    const partners = { resolver: parts.resolver, dialer, routes, mda: recipientsOf(parts) }
    return createDialProbe(await relayOptions(parts, partners))(request)
  }
}

type Partners = Pick<RelayOptions, 'resolver' | 'dialer' | 'routes' | 'mda' | 'signer'>

const time = { clock: systemClock, deadline: systemDeadline, random: systemRandom }

export async function routeOptions({ config, base }: Pick<RelayingParts, 'config' | 'base'>): Promise<RouteOptions> {
  const { port, smarthost, smarthost_user, smarthost_password_file, route } = config.relay
  const named = async (text: string, defaultPort: number, user: string, file: string): Promise<Hop | undefined> => {
    const hop = parseHop(text, defaultPort)
    if (!hop || user === '') return hop
    return { ...hop, username: user, password: await readSecretFile(base, file) }
  }
  const standard = await named(smarthost, 587, smarthost_user, smarthost_password_file)
  const routes: ConfiguredRoute[] = []
  for (const { domain, sender, to, user, password_file } of route) {
    const when = { ...(domain === undefined ? {} : { domain }), ...(sender === undefined ? {} : { sender }) }
    const hop = to === 'direct' ? to : await named(to, port, user, password_file)
    if (hop) routes.push({ ...when, to: hop })
  }
  return { port, routes, ...(standard ? { smarthost: standard } : {}) }
}

export async function relayOptions(parts: RelayingParts, partners: Partners): Promise<RelayOptions> {
  const { config, log, store } = parts
  const { relay } = config
  const ca = await anchors(parts)
  const { resolver, dialer } = partners
  // RFC 8461 §3.3 suggests a minute and 64 KB.
  const https = createHttps({ resolver, dialer, ...time, ...ca, timeoutMs: 60_000, octetsMax: 65_536 })
  return {
    store,
    log,
    ...time,
    ...partners,
    ...ca,
    hostname: config.hostname,
    ownAddresses: relay.own_addresses,
    sourceAddresses: relay.source_addresses,
    ...ipv6Source(config),
    listeners: config.listener.flatMap(({ service, address, port }) =>
      service === 'smtp' && address !== undefined && port !== undefined ? [{ address, port }] : [],
    ),
    schedule: { retryMs: relay.retry, delayWarningMs: relay.delay_warning, expireMs: relay.expire },
    limits: {
      attempts: relay.concurrency,
      leasesPerDestination: relay.per_destination * 3,
      connectionsPerDestination: relay.per_destination,
    },
    ...(relay.mta_sts ? { sts: stsPolicies(parts, resolver, https) } : {}),
    tlsDemands: relay.tls.map(({ names, ...demand }) => (names.length > 0 ? { ...demand, names } : demand)),
    ...(relay.tls_reports ? { tlsReports: https } : {}),
    dmarcReports: relay.dmarc_reports,
  }
}

function stsPolicies({ config, log, store }: RelayingParts, resolver: Resolver, https: Https) {
  return createStsPolicies({ resolver, https, ...time, log, memory: store.memory, port: config.relay.mta_sts_port })
}

type Anchors = { ca?: readonly string[] }

async function anchors({ config, base }: Pick<RelayingParts, 'config' | 'base'>): Promise<Anchors> {
  const { ca_file: file } = config.relay
  return file === '' ? {} : { ca: [...rootCertificates, await readFile(resolve(base, file), 'utf8')] }
}

/** The address that the world sees when this machine calls by IPv6, as far as that is known. */
function ipv6Source({ relay }: Config): { ipv6Source?: string } {
  const isIpv6 = (address: string): boolean => isIP(address) === 6
  const [source] = [...relay.source_addresses, ...relay.own_addresses, ...publicAddresses()].filter(isIpv6)
  return source === undefined ? {} : { ipv6Source: source }
}
