/**
 * What would happen to mail for an address, without sending any: standing orders, route, hosts, TLS decisions, and what the
 * first host that can be had says to MAIL and RCPT. Made of the same parts that deliver.
 *
 * Never broken: no content goes out, nothing is stored, and the transaction is taken back with RSET before QUIT.
 * Who calls it: `pennypost dial`.
 */
import type { Mda } from '@pennypost/mda'
import { describeReply } from '@pennypost/smtp'
import { isBreakage } from './attempt-remote.ts'
import { type Dialled, dial } from './dial.ts'
import { pathOf } from './dsn-address.ts'
import { findHosts } from './find-hosts.ts'
import { isStoreHere } from './hop.ts'
import { type NextHop, placeOf } from './next-hop.ts'
import { candidatesOf, type OpenOptions } from './open-connection.ts'
import type { StandingOrders } from './standing-orders.ts'
import { TlsPolicies } from './tls/tls-policies.ts'
import { verdictOf } from './verdict.ts'

export interface ProbeOptions extends OpenOptions {
  mda: Pick<Mda, 'expand'>
  orders: Pick<StandingOrders, 'suppressed' | 'held' | 'reread'>
}

export interface ProbeRequest {
  address: string
  /** '' for the null reverse-path. */
  reversePath: string
  /** As if the message had REQUIRETLS. */
  requireTls: boolean
  /** Every address of every host, not only up to the first that takes the recipient. */
  all: boolean
}

export interface ProbeReport {
  address: string
  /** The address that would be in RCPT, after aliases and forwards; several where there are several. */
  targets: readonly ProbedTarget[]
}

export interface ProbedTarget {
  forwardPath: string
  /** `local`: filed here. Else the key of the next hop. */
  destination: string
  dns: readonly string[]
  hosts: readonly ProbedHost[]
  /** In a line, what would become of a message now. */
  outcome: string
  accepted: boolean
}

export interface ProbedHost {
  host: string
  address: string
  port: number
  /** Whether and how TLS was used, and why. */
  tls: string
  tlsReason: string
  greeting: string
  /** What EHLO offers. */
  capabilities: readonly string[]
  mail: string
  rcpt: string
  /** Why it came to nothing; '' where RCPT was answered. */
  error: string
  transcript: readonly string[]
}

/** Targets of one address that are tried. */
const targetsMax = 10

export function createProbe(options: ProbeOptions): (request: ProbeRequest) => Promise<ProbeReport> {
  return async (request) => {
    const { address, reversePath } = request
    const expansion = await options.mda.expand(pathOf(address), { reversePath, size: 0, mayRelay: true })
    if (expansion.kind === 'refused') {
      const outcome = `refused here: ${describeReply(expansion.reply)}`
      return { address, targets: [{ ...nowhere(address), outcome, accepted: false }] }
    }
    const targets: ProbedTarget[] = []
    options.orders.reread()
    for (const delivery of expansion.deliveries.slice(0, targetsMax)) {
      if (delivery.kind !== 'relay')
        targets.push({ ...nowhere(delivery.deliveredTo), outcome: 'filed here', accepted: true })
      else targets.push(await probeRelay(delivery.forwardPath, delivery.nextHop, request, options))
    }
    return { address, targets }
  }
}

function nowhere(forwardPath: string): Omit<ProbedTarget, 'outcome' | 'accepted'> {
  return { forwardPath, destination: 'local', dns: [], hosts: [] }
}

/** What the operator has ordered comes before any host is asked. */
async function probeRelay(
  forwardPath: string,
  nextHop: string | undefined,
  request: ProbeRequest,
  options: ProbeOptions,
): Promise<ProbedTarget> {
  const { domain } = pathOf(forwardPath)
  const { reversePath } = request
  const destination = options.routes.destination(domain, nextHop, reversePath)
  const mail = { destination, envelope: { reversePath }, recipients: [{ index: 0, forwardPath, lastReply: '' }] }
  const dead = (await options.orders.suppressed(mail))?.get(0)
  const held = await options.orders.held(mail)
  const target = dead
    ? { ...nowhere(forwardPath), destination, outcome: `refused here: ${describeReply(dead.reply)}`, accepted: false }
    : await probeTarget(forwardPath, destination, request, options)
  if (!held) return target
  const { lines } = held.reply
  return { ...target, outcome: `${lines.join(' ')} until it is released; now it would get: ${target.outcome}` }
}

async function probeTarget(
  forwardPath: string,
  destination: string,
  { reversePath, requireTls, all }: ProbeRequest,
  options: ProbeOptions,
): Promise<ProbedTarget> {
  const route = options.routes.resolve(destination)
  const found = await findHosts(route, options)
  const dns = [...found.dns]
  if (found.kind === 'none') {
    return { forwardPath, destination, dns, hosts: [], outcome: describeReply(found.verdict.reply), accepted: false }
  }
  const security = requireTls && !isStoreHere(destination) ? 'required' : 'policy'
  const policies = new TlsPolicies(route, security, options, (line) => dns.push(line))
  const hosts: ProbedHost[] = []
  /** Of the first host that would not send a message on to the next one. */
  let word: string | undefined
  const { addresses: addressesMax } = options.limits
  const candidates = candidatesOf({ destination, security }, route, found.hosts, addressesMax)
  for (const target of candidates.slice(0, addressesMax)) {
    const policy = await policies.of(target)
    const at = { host: target.host, address: target.address, port: target.port }
    if ('refused' in policy) {
      hosts.push({
        ...at,
        ...unsaid,
        tlsReason: `${policy.reason}; not called`,
        error: describeReply(policy.refused.reply),
      })
      continue
    }
    const dialled = await dial(target, policy, options)
    hosts.push(...failures(at, dialled))
    if (dialled.kind === 'loop') word ??= describeReply(dialled.verdict.reply)
    if (dialled.kind === 'ready') {
      const asked = await ask(dialled.hop, reversePath, forwardPath, security === 'required')
      hosts.push({ ...at, ...asked.said })
      if (asked.isWord) word ??= asked.said.rcpt || asked.said.error
    }
    if (word !== undefined && !all) break
  }
  const outcome = word ?? hosts.at(-1)?.error ?? 'no address is left to try'
  return { forwardPath, destination, dns, hosts, outcome, accepted: /^2/.test(outcome) }
}

const unsaid = { tls: '', tlsReason: '', greeting: '', capabilities: [], mail: '', rcpt: '', error: '', transcript: [] }

type Place = Pick<ProbedHost, 'host' | 'address' | 'port'>

function failures(at: Place, { tried }: Dialled): ProbedHost[] {
  return tried.map(({ tls = '', tlsReason = '', error = '', transcript = [] }) => {
    return { ...at, ...unsaid, tls, tlsReason, error, transcript }
  })
}

async function ask(
  hop: NextHop,
  reversePath: string,
  forwardPath: string,
  requireTls: boolean,
): Promise<{ said: Omit<ProbedHost, keyof Place>; isWord: boolean }> {
  const { client, tls = '', tlsReason, lines } = hop
  const { greeting, capabilities } = client
  const asked = await client.probe({ reversePath, forwardPath, requireTls })
  await client.quit()
  const { failure } = asked
  const said = {
    tls,
    tlsReason,
    greeting: greeting ? describeReply(greeting) : '',
    capabilities: [...capabilities.keywords].map(([keyword, values]) => [keyword, ...values].join(' ')),
    mail: asked.mail ? describeReply(asked.mail) : '',
    rcpt: asked.rcpt ? describeReply(asked.rcpt) : '',
    error: failure ? describeReply(verdictOf(failure, hop.host, placeOf(hop)).reply) : '',
    transcript: [...lines],
  }
  return { said, isWord: !isBreakage({ failure }) }
}
