/**
 * The TLS policies of one walk over the hosts of a destination: what the operator demands, what DNS and MTA-STS say, asked
 * once for each host and counted for the reports; `tlsPolicy` decides.
 * Who calls it: the opener of connections and the probe, for each address.
 */
import type { Resolver } from '@pennypost/model'
import type { Host } from '../find-hosts.ts'
import { reportedDomain, type TlsResult, type TlsSessions } from '../reports/tls-sessions.ts'
import type { Route } from '../routes.ts'
import type { StsFound, StsPolicies } from './sts-policies.ts'
import { stsLines } from './sts-policy.ts'
import { demandOf, securityUnder, type TlsDemand } from './tls-demand.ts'
import { type Security, tlsPolicy } from './tls-policy.ts'
import { findTlsa, type TlsaFound, tlsaLines } from './tlsa.ts'

export interface TlsPoliciesOptions {
  resolver: Resolver
  /** Absent: MTA-STS is off. */
  sts?: StsPolicies
  tlsDemands?: readonly TlsDemand[]
  /** Counts trouble with policies. */
  sessions?: Pick<TlsSessions, 'note'>
}

/** One address of a host, whose policy is asked for. */
interface PolicyTarget {
  host: string
  address: string
  port: number
  found: Host
}

export class TlsPolicies {
  readonly #route: Route
  readonly #demand: TlsDemand | undefined
  readonly #security: Security
  readonly #options: TlsPoliciesOptions
  readonly #note: (line: string) => void
  readonly #tlsa = new Map<string, Promise<TlsaFound>>()
  #sts: Promise<StsFound> | undefined

  constructor(route: Route, security: Security, options: TlsPoliciesOptions, note: (line: string) => void) {
    this.#route = route
    this.#demand = demandOf(options.tlsDemands ?? [], route)
    this.#security = securityUnder(this.#demand, security)
    this.#options = options
    this.#note = note
  }

  async of({ host, address, port, found }: PolicyTarget): Promise<ReturnType<typeof tlsPolicy>> {
    const { nameSecure, secureNames } = found
    const demand = this.#demand
    const common = { route: this.#route, host, address, security: this.#security, nameSecure, demand }
    if (this.#security === 'waived') return tlsPolicy({ ...common, sts: undefined, tlsa: { kind: 'none' } })
    const [tlsa, sts] = await Promise.all([this.#tlsaOf(host, port, secureNames), (this.#sts ??= this.#findSts())])
    const { policy, failure, domain } = sts
    if (demand?.level === 'dane' && tlsa.kind === 'none') this.#report('tlsa', 'dane-required', host, '')
    const decided = tlsPolicy({ ...common, tlsa, sts: policy && { domain, policy }, stsFailure: failure })
    if ('refused' in decided && decided.fault)
      this.#report('sts', 'validation-failure', host, decided.fault, linesOf(sts))
    return decided
  }

  #tlsaOf(host: string, port: number, bases: readonly string[]): Promise<TlsaFound> {
    const known = this.#tlsa.get(host)
    if (known) return known
    const finding = this.#findTlsa(host, port, bases)
    this.#tlsa.set(host, finding)
    return finding
  }

  /** RFC 8461 §2: of the domain in the address, whatever its MX. */
  async #findSts(): Promise<StsFound> {
    const { sts } = this.#options
    if (!sts || this.#route.kind !== 'mx') return { domain: '' }
    const found = await sts.find(this.#route.domain)
    if (found.note) this.#note(found.note)
    if (found.trouble) this.#report('sts', found.trouble.result, '', found.trouble.words, linesOf(found))
    return found
  }

  async #findTlsa(host: string, port: number, bases: readonly string[]): Promise<TlsaFound> {
    const found = await findTlsa(bases, port, this.#options.resolver, this.#note)
    if (found.kind === 'failed') this.#report('tlsa', 'dnssec-invalid', host, found.reason)
    else if (found.kind === 'records' && found.usable.length === 0) {
      this.#report('tlsa', 'tlsa-invalid', host, '', tlsaLines(found.all))
    }
    return found
  }

  /** Trouble with a policy counts in the day's report like a session that failed (RFC 8460 §4.3.2). */
  #report(by: 'sts' | 'tlsa', result: TlsResult, host: string, reason: string, policy: readonly string[] = []): void {
    const domain = reportedDomain(this.#route, this.#security)
    if (domain !== undefined) this.#options.sessions?.note({ domain, by, result, host, address: '', reason, policy })
  }
}

function linesOf({ policy }: StsFound): string[] {
  return policy ? stsLines(policy) : []
}
