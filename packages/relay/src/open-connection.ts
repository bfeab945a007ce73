/**
 * From a destination to a connection that is ready for mail: route, hosts, one address after the other.
 *
 * Never broken: addresses are tried in the order of RFC 5321 §5.1; those that could not be reached lately go last
 * (RFC 5321 §4.5.4.1), and one that could not be reached is not called again under another name; a verdict is final
 * only if it is of everybody who was asked.
 * Who calls it: the connection pool.
 */
import type { Clock } from '@pennypost/model'
import { describeReply } from '@pennypost/smtp'
import { type Dialled, type DialOptions, dial, type Target } from './dial.ts'
import { type FindHostsOptions, findHosts, type Host } from './find-hosts.ts'
import type { RelayLimits } from './limits.ts'
import { listed } from './listed.ts'
import type { NextHop, Tried } from './next-hop.ts'
import type { Route, Routes } from './routes.ts'
import { TlsPolicies, type TlsPoliciesOptions } from './tls/tls-policies.ts'
import type { Security } from './tls/tls-policy.ts'
import { deferred, type Verdict } from './verdict.ts'

export interface OpenOptions extends DialOptions, FindHostsOptions, TlsPoliciesOptions {
  routes: Routes
  limits: DialOptions['limits'] & FindHostsOptions['limits'] & Pick<RelayLimits, 'addresses'>
  unreachable: UnreachableAddresses
}

/** Where a connection is wanted to, and what is asked of it. */
export interface Way {
  destination: string
  security: Security
}

/** `tried`: the connections that led to nothing, for the journey. */
export type Opened =
  | { ok: true; hop: NextHop; tried: readonly Tried[] }
  | { ok: false; verdict: Verdict; tried: readonly Tried[] }

/** `avoid`: addresses that are not tried. */
export type OpenConnection = (way: Way, avoid?: ReadonlySet<string>) => Promise<Opened>

export function createOpenConnection(options: OpenOptions): OpenConnection {
  const { unreachable } = options
  return async (way, avoid) => {
    const { destination, security } = way
    const route = options.routes.resolve(destination)
    // Only the administrator can say where it is to go, and sees errors in `status`.
    if (route.kind === 'gone')
      options.log.error({ destination }, 'a next hop is configured no more, and its mail waits')
    const begun = options.clock.elapsed()
    const found = await findHosts(route, options)
    const dns = [...found.dns]
    if (found.kind === 'none') {
      const elapsedMs = Math.round(options.clock.elapsed() - begun)
      const tried = { host: destination, address: '', dns, elapsedMs, error: describeReply(found.verdict.reply) }
      return { ok: false, verdict: found.verdict, tried: [tried] }
    }
    const candidates = candidatesOf(way, route, found.hosts, options.limits.addresses)
    const targets = candidates.filter(({ address }) => !avoid?.has(address))
    const policies = new TlsPolicies(route, security, options, (line) => dns.push(line))
    const walk = new Walk(found.unresolved)
    const dead = new Map<string, Tried>()
    for (const target of unreachable.last(targets, (line) => dns.push(line))) {
      const known = dead.get(keyOf(target))
      if (known) {
        walk.tried.push({ ...known, host: target.host, tlsReason: 'not called again', elapsedMs: 0 })
        continue
      }
      if (walk.addresses++ === options.limits.addresses) break
      const policy = await policies.of(target)
      const dialled = 'refused' in policy ? notDialled(target, policy) : await dial(target, policy, options)
      unreachable.note(target, dialled.kind === 'unreachable')
      if (dialled.kind === 'unreachable') dead.set(keyOf(target), dialled.tried.at(-1)!)
      walk.tried.push(...dialled.tried.map((each, at) => (walk.tried.length + at === 0 ? { ...each, dns } : each)))
      if (dialled.kind === 'ready') {
        // The first that was tried tells it for all.
        const hop = { ...dialled.hop, dns: walk.tried.length === 0 ? dns : [] }
        return { ok: true, hop, tried: walk.tried }
      }
      if (walk.isOver(dialled)) break
    }
    return { ok: false, verdict: walk.verdict, tried: walk.tried }
  }
}

export type Candidate = Target & { found: Host }

/**
 * Every address of every host, in the order in which they are tried. A host has half of an attempt at first: all of its
 * addresses may be dead, and the hosts behind it have their turn before the rest of them.
 */
export function candidatesOf(
  { destination, security }: Way,
  route: Route,
  hosts: readonly Host[],
  addressesMax: number,
): Candidate[] {
  const half = Math.ceil(addressesMax / 2)
  const some = (from: number, to?: number): Candidate[] =>
    hosts.flatMap((found) => {
      const { name: host, port, addresses } = found
      return addresses.slice(from, to).map((address) => ({ destination, security, route, host, address, port, found }))
    })
  return [...some(0, half), ...some(half)]
}

function notDialled(
  { host, address }: Candidate,
  { refused: verdict, reason }: { refused: Verdict; reason: string },
): Exclude<Dialled, { kind: 'ready' }> {
  const error = describeReply(verdict.reply)
  return {
    kind: 'refused',
    verdict,
    tried: [{ host, address, tlsReason: `${reason}; not called`, elapsedMs: 0, error }],
  }
}

/** What the addresses that were tried come to. */
class Walk {
  readonly tried: Tried[] = []
  /** How many were asked. */
  addresses = 0
  #temporary: Verdict | undefined
  /** The temporary verdict is the word of a host. */
  #isSaid = false
  #permanent: Verdict | undefined

  constructor(unresolved: Verdict | undefined) {
    this.#temporary = unresolved
  }

  /** Takes the verdict of one address; true when there is no use in going on. */
  isOver({ kind, verdict }: Exclude<Dialled, { kind: 'ready' }>): boolean {
    if (verdict.outcome === 'failed') this.#permanent = verdict
    // What one host said tells more than that another could not be reached.
    else if (kind !== 'unreachable' || !this.#isSaid) {
      this.#temporary = verdict
      this.#isSaid = kind !== 'unreachable'
    }
    // We stand in its list under an address that we do not know: the hosts behind are no better than we are, and those
    // before, if they are only away, are worth waiting for.
    return kind === 'loop'
  }

  get verdict(): Verdict {
    return this.#temporary ?? this.#permanent ?? deferred('4.4.1', 'No address is left to try')
  }
}

type Place = Pick<Target, 'address' | 'port'>

export interface UnreachableOptions {
  clock: Clock
  limits: Pick<RelayLimits, 'unreachableMs'>
}

/** Remembers for a while which addresses could not be reached, or fell silent. */
export class UnreachableAddresses {
  readonly #options: UnreachableOptions
  /** Those that are remembered for the shortest first. */
  readonly #until = new Map<string, number>()

  constructor(options: UnreachableOptions) {
    this.#options = options
  }

  /** The targets in their order, those that could not be reached lately behind the others; `note` tells whom that put off. */
  last<T extends Place>(targets: readonly T[], note: (line: string) => void): T[] {
    const now = this.#options.clock.elapsed()
    for (const [key, until] of this.#until) {
      if (until > now) break
      this.#until.delete(key)
    }
    const isLate = (target: T): boolean => this.#until.has(keyOf(target))
    const late = targets.filter(isLate)
    const ordered = [...targets.filter((target) => !isLate(target)), ...late]
    const addresses = [...new Set(late.map(({ address }) => address))]
    if (ordered.some((target, at) => target !== targets[at]))
      note(`last, as it could not be reached lately: ${listed(addresses)}`)
    return ordered
  }

  note(target: Place, isUnreachable: boolean): void {
    const key = keyOf(target)
    this.#until.delete(key)
    if (isUnreachable) this.#until.set(key, this.#options.clock.elapsed() + this.#options.limits.unreachableMs)
  }
}

function keyOf({ address, port }: Place): string {
  return `${address} ${port}`
}
