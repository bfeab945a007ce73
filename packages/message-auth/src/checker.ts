import { type Clock, type Deadline, type Log, plainAddress, type Resolver } from '@pennypost/model'
import { CheckWorker } from './checks/check-worker.ts'
import { checkDmarc, type DmarcFacts, dmarcUnavailable } from './dmarc/check-dmarc.ts'
import { BrokenLists } from './findings/broken-lists.ts'
import { within } from './findings/deadline.ts'
import { checkDnsList, type DnsList } from './findings/dns-list.ts'
import type { DmarcFinding, DnsListFinding, Finding, ReverseDnsFinding, SpfFinding } from './findings/finding.ts'
import { checkReverseDns } from './findings/reverse-dns.ts'
import { type ContentFacts, checkSignatures, signaturesUnavailable } from './findings/signatures.ts'
import { checkSpf, type SenderFacts, spfIdentity } from './findings/spf.ts'

/**
 * All checks of this package, each with its deadline: at the connection, at MAIL, and over the content.
 *
 * What it must never break: no check rejects and none takes longer than its deadline; what is not known by then is
 * `unavailable`, which the judge never holds against a sender.
 *
 * Who calls it: reception, before it judges.
 */

export interface CheckLimits {
  reverseDnsMs: number
  dnsListMs: number
  /** RFC 7208 §4.6.4 asks for at least 20 s where nothing shorter is needed. */
  spfMs: number
  /** DKIM and ARC. */
  signaturesMs: number
  dmarcMs: number
  /** DKIM signatures that are looked at, from the top. */
  signatures: number
}

const defaultCheckLimits: CheckLimits = {
  reverseDnsMs: 5_000,
  dnsListMs: 5_000,
  spfMs: 20_000,
  signaturesMs: 20_000,
  dmarcMs: 10_000,
  signatures: 10,
}

export interface CheckerOptions {
  resolver: Resolver
  clock: Clock
  deadline: Deadline
  log: Log
  /** Our host name. */
  hostname: string
  lists?: readonly DnsList[]
  limits?: Partial<CheckLimits>
  /** Source of the worker where it is not beside the sources, as in a bundle. */
  workerUrl?: URL
}

export interface MessageFacts extends ContentFacts {
  /** In A-labels, lower case: of every address in every From field, each once. */
  authorDomains: readonly string[]
}

export interface Checker extends AsyncDisposable {
  /** Reverse DNS and every list. */
  checkConnection(clientAddress: string, signal: AbortSignal): Promise<(ReverseDnsFinding | DnsListFinding)[]>
  /** SPF, to be had at MAIL. */
  checkSender(facts: SenderFacts, signal: AbortSignal): Promise<SpfFinding>
  /** DKIM, ARC, and DMARC out of them and of what `checkSender` finds, which may still be under way. */
  checkContent(facts: MessageFacts, spf: Promise<SpfFinding>, signal: AbortSignal): Promise<Finding[]>
}

/** The worker starts with the first record or signature to check; disposing ends it. */
export function createChecker(options: CheckerOptions): Checker {
  const {
    resolver,
    clock,
    deadline,
    log,
    hostname,
    lists = [],
    workerUrl: url = new URL('./checks/main.ts', import.meta.url),
  } = options
  const limits = { ...defaultCheckLimits, ...options.limits }
  const broken = new BrokenLists(clock, log)
  const keysMs = 0.75 * limits.signaturesMs
  const worker = new CheckWorker({ url, resolver, clock, deadline, log, keysMs })

  const timed: Timed = (limitMs, signal, work, unavailable) => within({ deadline, limitMs, signal }, work, unavailable)

  const signatures = (facts: ContentFacts, signal: AbortSignal) =>
    timed(
      limits.signaturesMs,
      signal,
      (stop) => checkSignatures(worker, facts, limits.signatures, stop),
      signaturesUnavailable,
    )
  const dmarc = (facts: DmarcFacts, signal: AbortSignal) =>
    timed<DmarcFinding>(
      limits.dmarcMs,
      signal,
      (stop) => checkDmarc(resolver, facts, stop),
      (detail) => dmarcUnavailable(facts, detail),
    )

  return {
    checkConnection: (clientAddress, signal) =>
      checkAddress({ resolver, lists, limits, timed, broken }, plainAddress(clientAddress), signal),
    checkSender: (facts, signal) =>
      timed<SpfFinding>(
        limits.spfMs,
        signal,
        (stop) => checkSpf({ resolver, worker, hostname }, facts, stop),
        (detail) => ({ ...spfIdentity(facts), result: 'unavailable', detail }),
      ),
    async checkContent(facts, spf, signal) {
      const [dkim, arc] = await signatures(facts, signal)
      return [dkim, arc, await dmarc({ authorDomains: facts.authorDomains, spf: await spf, dkim }, signal)]
    },
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  }
}

/** A check with its deadline, and what is found instead when it passes. */
type Timed = <T>(
  limitMs: number,
  signal: AbortSignal,
  work: (stop: AbortSignal) => Promise<T>,
  unavailable: (reason: string) => T,
) => Promise<T>

interface AddressContext {
  resolver: Resolver
  lists: readonly DnsList[]
  limits: CheckLimits
  timed: Timed
  broken: BrokenLists
}

function checkAddress(
  { resolver, lists, limits, timed, broken }: AddressContext,
  address: string,
  signal: AbortSignal,
): Promise<(ReverseDnsFinding | DnsListFinding)[]> {
  return Promise.all([
    timed<ReverseDnsFinding>(
      limits.reverseDnsMs,
      signal,
      (stop) => checkReverseDns(resolver, address, stop),
      (detail) => ({ check: 'reverse-dns', result: 'unavailable', detail, address, name: '' }),
    ),
    ...lists.map((list) =>
      timed<DnsListFinding>(
        limits.dnsListMs,
        signal,
        async (stop) => broken.note(await checkDnsList(resolver, list, address, stop)),
        (detail) => ({ check: list.kind, result: 'unavailable', detail, zone: list.zone, address, codes: [] }),
      ),
    ),
  ])
}
