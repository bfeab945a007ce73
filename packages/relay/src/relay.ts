/**
 * Puts the relay together: routes, connections, attempts, conclusions, the runner over them, and what others ask of it.
 * Who calls it: the composition root.
 */

import type { RelayDelivery, SettledFacts, SettledNotices, Verification } from '@pennypost/mda'
import type { AggregateRow } from '@pennypost/message-auth'
import { type QueueEntryId, steadiness } from '@pennypost/model'
import { Arrivals } from './arrivals.ts'
import { attemptLocal, hasMovedHere, type LocalOptions } from './attempt-local.ts'
import { attemptRemote, type RemoteOptions } from './attempt-remote.ts'
import type { AttemptResult, Work } from './attempt-result.ts'
import { conclude, settleDelivered } from './conclude.ts'
import { ConnectionPool } from './connection-pool.ts'
import { FailedByOperator } from './failed-by-operator.ts'
import { defaultRelayLimits, type RelayLimits } from './limits.ts'
import { createOpenConnection, type OpenOptions, UnreachableAddresses } from './open-connection.ts'
import type { RelayOptions } from './options.ts'
import { createOwnHosts } from './own-hosts.ts'
import { createProbe } from './probe.ts'
import { createReports } from './reports/create-reports.ts'
import { Runner } from './runner.ts'
import { defaultSchedule, longestWaitMs, type Schedule } from './schedule.ts'
import { settledNotices } from './settled-notices.ts'
import { StandingOrders } from './standing-orders.ts'
import { TlsHosts } from './tls/tls-hosts.ts'
import { TurnedConnections, type TurnOffer, turnRound } from './turned-connections.ts'
import { createVerifier, type Unasked } from './verify-recipient.ts'

export interface Relay {
  /** Begins to work the queue. Once: where a relay was stopped, another is made. */
  start(): void
  /**
   * Claims nothing more, gives dialogues under way `drainMs` of real time to end, breaks the rest, and resolves when all
   * of it is settled. What was broken or still waited is due at the next start.
   */
  stop(drainMs: number): Promise<void>
  /**
   * The operator's `queue fail`: these entries fail now, held or not, and their senders get bounces. Resolves with how
   * many did, when all have ended; needs a relay that runs.
   */
  failNow(entries: readonly QueueEntryId[]): Promise<number>
  /** Suppressed recipients and hold rules have changed. */
  rereadOrders(): void
  /** These destinations are asked at once when something is due, whatever they said last: an operator, or ETRN. */
  forgive(destinations: Iterable<string>): void
  /**
   * ATRN: what waits for the destination is sent over this connection, whose peer is the server from now on; `take` gives
   * it. `empty`: nothing waits; `busy`: there is such a connection already.
   */
  turnRound(destination: string): Promise<TurnOffer>
  /** DSNs about what reception settles itself, to ride in its acceptance (RFC 3461 §5.2.3). */
  settledNotices(facts: SettledFacts): Promise<SettledNotices>
  /** Asks the next hop whether it takes the recipient, unless it was asked lately. Takes at most `verifyMs`. */
  verifyRecipient(delivery: RelayDelivery): Promise<Verification>
  /** Next hops that could not be asked about recipients lately. */
  unasked(): readonly Unasked[]
  /** Reception's message of others counts in the report that the owner of its policy domain gets. */
  noteDmarc(row: AggregateRow, isReport: boolean): void
  /** Entries in work. */
  working(): number
}

/** Nothing begins before `start`. */
export function createRelay(options: RelayOptions): Relay {
  const { store, clock, deadline, random, log, mda, routes } = options
  const { mail, queue, flow, directory, memory } = store
  const schedule = { ...defaultSchedule, ...options.schedule }
  const limits = limitsWithin(schedule, options.limits)
  const stopping = new AbortController()
  const arrivals = new Arrivals(flow)
  const dsn = { ...options, directory, mail, arrivals, limits }
  const { sessions, ...reports } = createReports({ ...dsn, memory })
  const tlsHosts = new TlsHosts(log)
  const opening = { ...openOptions(options, stopping.signal), tlsHosts, ...(sessions ? { sessions } : {}) }
  const turned = new TurnedConnections(opening)
  const pool = new ConnectionPool({ open: turned.before(createOpenConnection(opening)), clock, limits })
  const workOutOfTurn: Runner['workOutOfTurn'] = (...taken) => runner.workOutOfTurn(...taken)
  const failing = new FailedByOperator({ queue, clock, limits, workOutOfTurn })
  const orders = new StandingOrders({ memory, clock })
  const isSteady = steadiness(clock)
  const byData = new Map<string, unknown>()
  const concluding = { ...options, queue, mail, flow, dsn, schedule, isSteady }
  const filing = { mail, directory, arrivals, mda, routes }
  const settlePart: RemoteOptions['settleDelivered'] = (work, result) => settleDelivered(work, result, concluding)
  const remote = { ...opening, mail, pool, limits, turned, byData, settleDelivered: settlePart }
  const runner = new Runner({
    queue,
    clock,
    log,
    limits,
    attempt: createAttempt({ orders, filing, remote }),
    stuck: () => pool.stuck,
    longestWaitMs: (attempts) => longestWaitMs(schedule, attempts),
    conclude: (entry, result) => conclude(entry, result, concluding),
    onDone: ({ id }) => failing.done(id),
  })
  return {
    start() {
      runner.start()
      reports.start()
    },
    async stop(drainMs) {
      const stopped = runner.stop()
      turned.drain()
      pool.drain()
      using _timer = deadline.after(drainMs, () => pool.close())
      await stopped
      await reports.stop()
      stopping.abort()
      failing.giveUp()
    },
    async failNow(entries) {
      if (!runner.isRunning) throw new Error('the relay does not run')
      return failing.fail(entries)
    },
    rereadOrders: () => orders.reread(),
    forgive(destinations) {
      for (const destination of destinations) pool.forgive(destination)
    },
    turnRound: (destination) => turnRound(destination, { turned, pool, queue, clock, log }),
    settledNotices: (facts) => settledNotices(facts, dsn),
    ...createVerifier({ ...opening, limits, random }),
    noteDmarc: reports.noteDmarc,
    working: () => runner.working,
  }
}

interface AttemptParts {
  orders: StandingOrders
  filing: LocalOptions & Pick<RelayOptions['store'], 'directory'>
  remote: RemoteOptions
}

/** What is ordered of an entry goes first; then it is filed here or sent. */
function createAttempt({ orders, filing, remote }: AttemptParts): (work: Work) => Promise<AttemptResult> {
  return async (work) => {
    const { entry } = work
    if (entry.route === 'local') return attemptLocal(work, filing)
    const held = await orders.held(entry)
    if (held) return { verdicts: new Map(entry.recipients.map(({ index }) => [index, held])), flow: [] }
    const dead = await orders.suppressed(entry)
    const result = await attemptRemote(work, { ...remote, dead })
    const isForUs = await hasMovedHere(entry, result, { directory: filing.directory, dead })
    return isForUs ? attemptLocal(work, { ...filing, dead }) : result
  }
}

/** What `pennypost dial` does, with the options of the relay. */
export function createDialProbe(options: RelayOptions): ReturnType<typeof createProbe> {
  const { mda, clock, store } = options
  const orders = new StandingOrders({ memory: store.memory, clock })
  return createProbe({ ...openOptions(options, new AbortController().signal), mda, orders })
}

function openOptions(options: RelayOptions, stopping: AbortSignal): OpenOptions {
  const { hostname, ownAddresses = [], listeners = [], clock } = options
  const own = createOwnHosts({ hostname, addresses: ownAddresses, listeners })
  const limits = { ...defaultRelayLimits, ...options.limits }
  return { ...options, own, limits, stopping, unreachable: new UnreachableAddresses({ clock, limits }) }
}

/** Half of the shortest step is the longest back-off: an entry's own retry is never put off because others failed. */
function limitsWithin({ retryMs }: Schedule, given?: Partial<RelayLimits>): RelayLimits {
  const limits = { ...defaultRelayLimits, ...given }
  const backOffMaxMs = Math.min(limits.backOffMaxMs, Math.min(...retryMs) / 2)
  return { ...limits, backOffMs: Math.min(limits.backOffMs, backOffMaxMs), backOffMaxMs }
}
