/**
 * Which hosts, with which addresses, take mail for a route: RFC 5321 §5.1 over the resolver's answers.
 *
 * Never broken: what DNS could not say now (`failed`) never makes mail go elsewhere or back; mail never goes to ourselves,
 * nor to a host that is less preferred than we are, nor where the DNS of others points inside this machine.
 * Who calls it: the opener of connections, once for each connection.
 */
import { isIP } from 'node:net'
import { type DnsAnswer, failureText, type Random, type Resolver, reverseName } from '@pennypost/model'
import type { RelayLimits } from './limits.ts'
import { listed } from './listed.ts'
import type { OwnHosts } from './own-hosts.ts'
import type { Route } from './routes.ts'
import { deferred, failed, type Verdict } from './verdict.ts'

export interface Host {
  /** The host's name, or the address where there is none. */
  name: string
  /** At least one, in the order in which they are tried. */
  addresses: readonly string[]
  port: number
  /** How its name was come by is beyond doubt: DNSSEC, the domain itself, or the configuration. */
  nameSecure: boolean
  /** The names below which DNSSEC vouches for TLSA records, best first (RFC 7672 §2.2.2). */
  secureNames: readonly string[]
}

/** `dns` says what was asked and answered, for the journey. */
export type HostsFound =
  | { kind: 'hosts'; hosts: readonly Host[]; dns: readonly string[]; unresolved?: Verdict }
  | { kind: 'none'; verdict: Verdict; dns: readonly string[] }

export interface FindHostsOptions {
  resolver: Resolver
  random: Pick<Random, 'fraction'>
  own: OwnHosts
  /** Ours, where known: without a PTR many take no mail from it, so it is left alone where IPv4 leads there too. */
  ipv6Source?: string
  limits: Pick<RelayLimits, 'hosts'>
}

interface Exchange {
  preference: number
  name: string
}

interface Addresses {
  addresses: readonly string[]
  secureNames: readonly string[]
  /** Why some of it could not be found out. */
  failure?: string
  /** The name has no address at all, and that is definite. */
  missing?: 'nxdomain' | 'nodata'
}

/** Never rejects: what DNS could not say is a verdict, or `unresolved` beside the hosts that it did name. */
export async function findHosts(route: Route, options: FindHostsOptions): Promise<HostsFound> {
  const search = new Search(options)
  switch (route.kind) {
    case 'none':
      return search.none(failed(550, '5.1.2', 'The address literal names no way to go'))
    case 'gone':
      return search.none(deferred('4.4.4', 'The next hop is configured no more, and its mail waits'))
    case 'address':
      return search.literal(route.address, route.port)
    case 'socket':
      return search.socket(route.path)
    case 'host':
      return search.host(route.host, route.port)
    case 'mx': {
      const found = await search.mx(route.domain, route.port, route.hop !== undefined)
      return route.hop && found.kind === 'none' ? { ...found, verdict: waitedOut(found.verdict) } : found
    }
  }
}

class Search {
  readonly #options: FindHostsOptions
  readonly #dns: string[] = []
  /** Addresses that mail does not go to. */
  #isShut: (address: string) => boolean = () => false

  constructor(options: FindHostsOptions) {
    this.#options = options
  }

  none(verdict: Verdict): HostsFound {
    return { kind: 'none', verdict, dns: this.#dns }
  }

  literal(address: string, port: number): HostsFound {
    const { own } = this.#options
    if (own.isAddress(address, port)) return this.none(loop(address))
    if (own.isInside(address, port)) return this.none(inside(address))
    return {
      kind: 'hosts',
      hosts: [{ name: address, addresses: [address], port, nameSecure: true, secureNames: [] }],
      dns: this.#dns,
    }
  }

  socket(path: string): HostsFound {
    const host = { name: path, addresses: [path], port: 0, nameSecure: true, secureNames: [] }
    return { kind: 'hosts', hosts: [host], dns: this.#dns }
  }

  /** A host that was configured: whatever is wrong with it is an administrator's mistake, which mail waits out. */
  async host(name: string, port: number): Promise<HostsFound> {
    const found: Addresses = isIP(name) ? { addresses: [name], secureNames: [] } : await this.#addresses(name, true)
    if (found.addresses.some((address) => this.#options.own.isAddress(address, port))) {
      return this.none(deferred('4.4.6', `The next hop ${name}:${port} is this server itself`))
    }
    if (found.addresses.length > 0) return this.#one(name, found, port)
    return this.none(deferred('4.4.3', `${name}: ${found.failure ?? 'the host has no address'}`))
  }

  /** `isNamed`: by the administrator, who may mean this machine. */
  async mx(domain: string, port: number, isNamed: boolean): Promise<HostsFound> {
    const { own } = this.#options
    this.#isShut = (address) => !isNamed && own.isInside(address, port)
    const answer = await this.#ask(domain, 'MX')
    if (answer.status === 'failed') return this.none(deferred('4.4.3', `MX of ${domain}: ${answer.reason}`))
    if (answer.status !== 'found') return this.#implicit(domain, port, answer.authentic)
    // RFC 7505 §3: the root as the only exchange; beside others it names no host.
    const exchanges = answer.records.filter(({ exchange }) => exchange !== '')
    if (exchanges.length === 0) return this.none(failed(556, '5.1.10', `${domain} accepts no mail`))
    const all = this.#inOrder(exchanges.map(({ preference, exchange }) => ({ preference, name: exchange })))
    // Before any is left out: of more equals than are looked at, we may be one of the rest.
    const ours = all.find(({ name }) => own.isName(name))
    const ordered = ours ? all.filter(({ preference }) => preference < ours.preference) : all
    if (ordered.length === 0) return this.none(loop(domain))
    const { hosts: hostsMax } = this.#options.limits
    const found = await this.#resolved(domain, ordered.slice(0, hostsMax), port, answer.authentic)
    if (found.kind === 'hosts' || ordered.length <= hostsMax || found.verdict.reply.enhanced !== '5.4.4') return found
    return this.none(deferred('4.4.4', `None of the first ${hostsMax} MX hosts of ${domain} has an address`))
  }

  /** RFC 5321 §5.1: without any MX the domain itself is the host, with preference 0. */
  async #implicit(domain: string, port: number, authentic: boolean): Promise<HostsFound> {
    const found = await this.#addresses(domain, authentic)
    if (found.addresses.some((address) => this.#options.own.isAddress(address, port))) return this.none(loop(domain))
    const addresses = this.#open(found.addresses)
    if (addresses.length > 0) return this.#one(domain, { ...found, addresses }, port)
    if (found.failure !== undefined) return this.none(deferred('4.4.3', `${domain}: ${found.failure}`))
    if (found.addresses.length > 0) return this.none(inside(domain))
    if (found.missing === 'nxdomain') return this.none(failed(550, '5.1.2', `The domain ${domain} does not exist`))
    return this.none(failed(550, '5.4.4', `The domain ${domain} has neither MX nor address`))
  }

  #one(name: string, { addresses, secureNames }: Addresses, port: number): HostsFound {
    return { kind: 'hosts', hosts: [{ name, addresses, port, nameSecure: true, secureNames }], dns: this.#dns }
  }

  async #resolved(
    domain: string,
    exchanges: readonly Exchange[],
    port: number,
    authentic: boolean,
  ): Promise<HostsFound> {
    const { own } = this.#options
    const found = await Promise.all(
      exchanges.map(async (each) => ({ ...each, ...(await this.#addresses(each.name, authentic)) })),
    )
    const ours = found.filter(({ addresses }) => addresses.some((address) => own.isAddress(address, port)))
    const limit = Math.min(...ours.map(({ preference }) => preference))
    const better = found.filter(({ preference }) => preference < limit)
    if (better.length === 0) return this.none(loop(domain))
    const reachable = better.map((each) => ({ ...each, addresses: this.#open(each.addresses) }))
    const hosts = reachable.filter(({ addresses }) => addresses.length > 0)
    const unresolved = reachable.find(({ addresses, failure }) => addresses.length === 0 && failure !== undefined)
    const waiting = unresolved && deferred('4.4.3', `${unresolved.name}: ${unresolved.failure}`)
    if (hosts.length === 0) {
      const isInside = better.some(({ addresses }) => addresses.length > 0)
      const none = isInside ? inside(domain) : failed(550, '5.4.4', `No MX host of ${domain} has an address`)
      return this.none(waiting ?? none)
    }
    return {
      kind: 'hosts',
      hosts: hosts.map(({ name, addresses, secureNames }) => {
        return { name, addresses, port, nameSecure: authentic, secureNames }
      }),
      dns: this.#dns,
      ...(waiting ? { unresolved: waiting } : {}),
    }
  }

  #open(addresses: readonly string[]): readonly string[] {
    for (const address of addresses.filter(this.#isShut)) {
      const note = `not asked: ${address} is inside this machine`
      if (!this.#dns.includes(note)) this.#dns.push(note)
    }
    return addresses.filter((address) => !this.#isShut(address))
  }

  /** By preference, equals in random order (RFC 5321 §5.1). */
  #inOrder(exchanges: readonly Exchange[]): Exchange[] {
    return exchanges
      .map((exchange) => ({ exchange, chance: this.#options.random.fraction() }))
      .sort((a, b) => a.exchange.preference - b.exchange.preference || a.chance - b.chance)
      .map(({ exchange }) => exchange)
  }

  /** `secure`: the name itself is beyond doubt, so it is worth knowing whether its addresses are. */
  async #addresses(name: string, secure: boolean): Promise<Addresses> {
    const answers = await Promise.all([this.#ask(name, 'A'), this.#ask(name, 'AAAA')])
    const found = answers.flatMap((answer) => (answer.status === 'found' ? answer.records : []))
    const addresses = await this.#sendable(found)
    const failed = answers.find((answer) => answer.status === 'failed')
    const known = { addresses, secureNames: [], ...(failed ? { failure: failed.reason } : {}) }
    if (addresses.length > 0) return secure ? { ...known, secureNames: await this.#secureNames(name, answers) } : known
    if (failed) return known
    return { ...known, missing: answers.every(({ status }) => status === 'nxdomain') ? 'nxdomain' : 'nodata' }
  }

  async #sendable(addresses: readonly string[]): Promise<readonly string[]> {
    const { ipv6Source, resolver } = this.#options
    const ipv4 = addresses.filter((address) => isIP(address) === 4)
    if (ipv6Source === undefined || ipv4.length === 0 || ipv4.length === addresses.length) return addresses
    const pointer = await resolver.query(reverseName(ipv6Source), 'PTR')
    if (pointer.status !== 'nxdomain' && pointer.status !== 'nodata') return addresses
    const note = `IPv4 only: our ${ipv6Source} has no PTR`
    if (!this.#dns.includes(note)) this.#dns.push(note)
    return ipv4
  }

  /** RFC 7672 §2.2.2: the name behind secure aliases first, then the one asked for; with an alias alone secure only that. */
  async #secureNames(name: string, answers: readonly DnsAnswer<'A' | 'AAAA'>[]): Promise<string[]> {
    const found = answers.filter((answer) => answer.status === 'found')
    const behind = found.find((answer) => answer.name !== undefined)?.name
    if (found.every(({ authentic }) => authentic)) return behind === undefined ? [name] : [behind, name]
    if (behind === undefined) return []
    const alias = await this.#options.resolver.query(name, 'CNAME')
    // Where it cannot be found out the records below are asked for, whose answer says whether it is secure.
    return alias.status === 'failed' || (alias.status === 'found' && alias.authentic) ? [name] : []
  }

  async #ask<T extends 'MX' | 'A' | 'AAAA'>(name: string, type: T): Promise<DnsAnswer<T>> {
    const answer = await this.#options.resolver.query(name, type)
    this.#dns.push(`${type} ${name}: ${describeAnswer(answer)}`)
    return answer
  }
}

/** Whatever is wrong with a next hop that was configured is an administrator's mistake. */
function waitedOut(verdict: Verdict): Verdict {
  return verdict.outcome === 'failed' ? deferred('4.3.5', verdict.reply.lines.join(' ')) : verdict
}

function loop(where: string): Verdict {
  return failed(554, '5.4.6', `Mail for ${where} loops back to this server`)
}

function inside(where: string): Verdict {
  return failed(550, '5.4.4', `Mail for ${where} would go to a loopback address`)
}

function describeAnswer(answer: DnsAnswer<'MX' | 'A' | 'AAAA'>): string {
  if (answer.status === 'failed') return failureText(answer)
  if (answer.status !== 'found') return answer.status
  return listed(
    answer.records.map((record) =>
      typeof record === 'string' ? record : `${record.preference} ${record.exchange || '.'}`,
    ),
  )
}
