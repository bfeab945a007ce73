import type { Mda } from '@pennypost/mda'
import type { Clock, Deadline, Dialer, Log, Random, Resolver, Store } from '@pennypost/model'
import type { ClientTimeouts } from '@pennypost/smtp'
import type { RelayLimits } from './limits.ts'
import type { Routes } from './routes.ts'
import type { Schedule } from './schedule.ts'
import type { MessageSigner } from './stage-message.ts'
import type { Https } from './tls/https.ts'
import type { StsPolicies } from './tls/sts-policies.ts'
import type { TlsDemand } from './tls/tls-demand.ts'

/** What the composition root gives to the relay. */
export interface RelayOptions {
  store: Pick<Store, 'queue' | 'mail' | 'flow' | 'directory' | 'memory'>
  resolver: Resolver
  dialer: Dialer
  clock: Clock
  deadline: Deadline
  random: Random
  log: Log
  /** Ours: in EHLO, in DSNs, and what no next hop may be called. */
  hostname: string
  mda: Pick<Mda, 'expand'>
  /** The same that reception uses, so that keys agree. */
  routes: Routes
  /** Signs DSNs and reports; absent: they go unsigned. */
  signer?: MessageSigner
  schedule?: Partial<Schedule>
  limits?: Partial<RelayLimits>
  /** Addresses of this machine, and public ones behind which it stands. */
  ownAddresses?: readonly string[]
  /** Where reception listens for other servers. */
  listeners?: readonly { address: string; port: number }[]
  /** Source addresses of connections, at most one of each family. */
  sourceAddresses?: readonly string[]
  /** The address that IPv6 connections leave from, where known: without PTR it is used only where IPv4 does not lead. */
  ipv6Source?: string
  /** Patience in each phase of a dialogue. */
  timeouts?: Partial<ClientTimeouts>
  /** PEM of the anchors that certificates are checked against, instead of the built-in ones. */
  ca?: readonly string[]
  /** The MTA-STS policies of other domains; absent: they are not asked for. */
  sts?: StsPolicies
  /** What is demanded of TLS with some domains and next hops; the first that fits counts. */
  tlsDemands?: readonly TlsDemand[]
  /** Sends the daily reports of TLS sessions (RFC 8460) that domains ask for; absent: none are made. */
  tlsReports?: Https
  /** Whether domains that ask for it are told daily what DMARC made of their mail (RFC 9990); absent: no. */
  dmarcReports?: boolean
}
