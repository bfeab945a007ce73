/**
 * The connections of each destination: opened slowly, shared by its entries, kept for a moment when idle.
 *
 * Theory of operation. An entry that needs a connection takes an idle one, or waits. While something waits, connections are
 * opened: one, and when it stands one more for each that stands, up to the limit. If none stands, the one that could not
 * be opened answers for all who wait, so that a dead destination costs one connection at a time, not one for each entry,
 * and what comes in the time after it waits without any (`back-off.ts`). How many may stand adapts: where others stand and
 * one more is refused, what stands is the limit; where one breaks, by 421 or silence, half of them; each one that is given
 * back in order lets the limit grow, by one for as many as it is. One that breaks amid another transaction shows for how many
 * a connection is good, so that whoever comes gets none that is about to end.
 *
 * Never broken: a connection is given to one entry at a time; each wait ends with a connection or a verdict.
 * Who calls it: remote attempts.
 */
import type { Clock, Timer } from '@pennypost/model'
import { BackOff } from './back-off.ts'
import type { RelayLimits } from './limits.ts'
import type { NextHop } from './next-hop.ts'
import type { OpenConnection, Opened, Way } from './open-connection.ts'
import { troubled, type Verdict } from './verdict.ts'

export interface PoolOptions {
  open: OpenConnection
  clock: Clock
  limits: Pick<
    RelayLimits,
    | 'attempts'
    | 'connectionsPerDestination'
    | 'keptConnections'
    | 'idleMs'
    | 'transactionsPerConnection'
    | 'backOffMs'
    | 'backOffMaxMs'
  >
}

/** `reused`: it was open already. */
export type Acquired = Opened & { reused?: boolean }

/** `retries`: those of the entries that are. */
export interface Stuck {
  entries: number
  retries: number
}

interface Waiting {
  resolve: (acquired: Acquired) => void
  isRetry: boolean
}

interface Idle {
  hop: NextHop
  timer: Timer
}

interface Destination {
  way: Way
  idle: Idle[]
  busy: Set<NextHop>
  opening: number
  waiting: Waiting[]
  ceiling: number
  /** Transactions that a connection of it is good for, as far as was seen. */
  uses: number
  /** When a connection was last given back in order. */
  servedAt: number
  /** None was since one fell silent: what stands is no sign of life. */
  isSilent: boolean
}

const stopping: Opened = { ok: false, verdict: troubled('The server is shutting down'), tried: [] }

export class ConnectionPool {
  readonly #options: PoolOptions
  readonly #destinations = new Map<string, Destination>()
  #kept = 0
  #draining = false
  /** Entries for which a connection to another address is being opened. */
  readonly #apart = new Set<(acquired: Acquired) => void>()
  readonly #backOff: BackOff

  constructor(options: PoolOptions) {
    this.#options = options
    this.#backOff = new BackOff(options)
  }

  /**
   * `avoid`: opens a connection of its own to another address than these. `isRetry`: it has waited its own time already,
   * and is tried though others could not be delivered a moment ago.
   */
  async acquire(
    way: Way,
    { avoid, isRetry = false }: { avoid?: ReadonlySet<string> | undefined; isRetry?: boolean } = {},
  ): Promise<Acquired> {
    if (this.#draining) return stopping
    const destination = this.#destination(way)
    if (avoid) {
      return new Promise((resolve) => {
        this.#apart.add(resolve)
        void this.#openApart(destination, avoid, resolve)
      })
    }
    const hop = this.#takeIdle(destination)
    if (hop) return { ok: true, hop, tried: [], reused: true }
    const isServing = destination.busy.size > 0 && !destination.isSilent
    const down = isServing || isRetry ? undefined : this.#backOff.verdictOn(keyOf(way))
    if (down) {
      this.#forget(destination)
      return { ok: false, verdict: down, tried: [] }
    }
    return new Promise((resolve) => {
      destination.waiting.push({ resolve, isRetry })
      this.#openMore(destination)
    })
  }

  /** Gives a connection back, whatever its state. */
  release(hop: NextHop): void {
    const destination = this.#destination(hop)
    destination.busy.delete(hop)
    const { client } = hop
    if (client.isBroken) this.#broke(destination, hop)
    else this.#served(destination, hop)
    if (client.usable && !isSpent(destination, hop) && !this.#draining) {
      this.#give(destination, { ok: true, hop, tried: [], reused: true })
    } else void client.quit()
    this.#openMore(destination)
    this.#forget(destination)
  }

  #served(destination: Destination, hop: NextHop): void {
    this.#backOff.forget(keyOf(destination.way))
    destination.servedAt = this.#options.clock.elapsed()
    destination.isSilent = false
    const { connectionsPerDestination, transactionsPerConnection } = this.#options.limits
    destination.ceiling = Math.min(connectionsPerDestination, destination.ceiling + 1 / destination.ceiling)
    // Now and then one more is tried: it may have been a chance that one broke there.
    if (isSpent(destination, hop)) destination.uses = Math.min(transactionsPerConnection, destination.uses * 1.02)
  }

  #broke(destination: Destination, { client: { transactions, hasStalled } }: NextHop): void {
    destination.ceiling = Math.max(1, destination.ceiling / 2)
    if (transactions > 1 && !hasStalled) destination.uses = transactions - 1
  }

  /**
   * The hosts took nothing and said 421, or nothing: to whoever comes next they would say the same, and like it less.
   * Where nothing stands it is as if no connection had come about; also where nobody has been served for as long as an
   * attempt that ended in silence has lasted, lest each letter waits for minutes in vain.
   */
  sentAway(way: Way, verdict: Verdict, silentSince = Number.NEGATIVE_INFINITY): void {
    const destination = this.#destination(way)
    const fellSilent = destination.servedAt < silentSince && !destination.isSilent
    if (fellSilent) destination.isSilent = true
    if (fellSilent || destination.busy.size === 0) this.#refuseAll(destination, { ok: false, verdict, tried: [] })
    this.#forget(destination)
  }

  /** The destination may be asked at once, whatever it said last. */
  forgive(destination: string): void {
    for (const security of ['policy', 'required', 'waived'] as const)
      this.#backOff.forget(keyOf({ destination, security }))
  }

  /** One has come of itself: it is for whoever waits, though others are being opened or are silent. */
  openBeside(name: string): void {
    const destination = this.#destinations.get(keyOf({ destination: name, security: 'policy' }))
    if (!destination || destination.waiting.length === 0) return
    destination.opening++
    void this.#openOne(destination)
  }

  /** Whoever waits is sent away; what is idle is closed, and from now on what is released. */
  drain(): void {
    this.#draining = true
    for (const resolve of this.#apart) resolve(stopping)
    this.#apart.clear()
    for (const destination of this.#destinations.values()) {
      for (const { resolve } of destination.waiting.splice(0)) resolve(stopping)
      for (const { hop, timer } of destination.idle.splice(0)) {
        timer[Symbol.dispose]()
        void hop.client.quit()
      }
      this.#forget(destination)
    }
    this.#kept = 0
  }

  /** Breaks all connections. */
  close(): void {
    this.drain()
    for (const { busy } of this.#destinations.values()) for (const { client } of busy) client.close()
  }

  /** Entries for which nothing is done until another connection has come about, or is of use. */
  get stuck(): Stuck {
    const stuck = { entries: 0, retries: 0 }
    for (const { waiting, opening, busy, idle, isSilent, servedAt } of this.#destinations.values()) {
      const serves = !isSilent && servedAt >= 0 && busy.size + idle.length > 0
      if (serves) continue
      for (const { isRetry } of waiting.slice(opening)) {
        stuck.entries++
        if (isRetry) stuck.retries++
      }
    }
    return stuck
  }

  #destination({ destination: name, security }: Way): Destination {
    const key = keyOf({ destination: name, security })
    let destination = this.#destinations.get(key)
    if (!destination) {
      const { connectionsPerDestination: ceiling, transactionsPerConnection: uses } = this.#options.limits
      const way = { destination: name, security }
      const parts = { idle: [], busy: new Set<NextHop>(), opening: 0, waiting: [], ceiling, uses }
      destination = { way, ...parts, servedAt: Number.NEGATIVE_INFINITY, isSilent: false }
      this.#destinations.set(key, destination)
    }
    return destination
  }

  #forget({ way, idle, busy, opening, waiting }: Destination): void {
    if (idle.length + busy.size + opening + waiting.length === 0) this.#destinations.delete(keyOf(way))
  }

  async #openApart(
    destination: Destination,
    avoid: ReadonlySet<string>,
    resolve: (acquired: Acquired) => void,
  ): Promise<void> {
    destination.opening++
    const opened = await this.#open(destination.way, avoid)
    this.#apart.delete(resolve)
    if (opened.ok && this.#draining) void opened.hop.client.quit()
    else if (opened.ok) destination.busy.add(opened.hop)
    resolve(opened)
    // Whoever has come meanwhile waited for this; who lost a connection says first whether it is of use to ask again.
    if (!opened.ok) await new Promise(setImmediate)
    destination.opening--
    if (!opened.ok) this.#openMore(destination)
    this.#forget(destination)
  }

  #openMore(destination: Destination): void {
    const { way, waiting, busy, idle, ceiling } = destination
    const standing = busy.size + idle.length
    // Where none was of use lately, the first shows whether another would be.
    const more = this.#backOff.isKnown(keyOf(way)) ? 0 : Math.min(standing, Math.floor(ceiling) - standing)
    const most = Math.min(standing === 0 ? 1 : more, waiting.length)
    while (destination.opening < most && (standing === 0 || this.#hasRoom)) {
      destination.opening++
      void this.#openOne(destination)
    }
  }

  /** Attempts that only wait are besides the limit of all; those that have a connection are not. */
  get #hasRoom(): boolean {
    let used = 0
    for (const { busy, opening } of this.#destinations.values()) used += busy.size + opening
    return used < this.#options.limits.attempts
  }

  async #openOne(destination: Destination): Promise<void> {
    const opened = await this.#open(destination.way)
    destination.opening--
    if (opened.ok) {
      if (this.#draining) void opened.hop.client.quit()
      else this.#give(destination, opened)
    } else if (destination.busy.size + destination.idle.length > 0) {
      destination.ceiling = destination.busy.size + destination.idle.length
    } else {
      this.#refuseAll(destination, opened)
    }
    this.#openMore(destination)
    this.#forget(destination)
  }

  /** One answer for all who wait, and for what comes in the time after it. */
  #refuseAll(destination: Destination, refused: Extract<Opened, { ok: false }>): void {
    this.#backOff.failed(keyOf(destination.way), refused.verdict)
    // The first tells the journey how it came about; the others only what came of it.
    const [first, ...others] = destination.waiting.splice(0)
    first?.resolve(refused)
    const tried = refused.tried.map(({ transcript: _, ...each }) => each)
    for (const { resolve } of others) resolve({ ...refused, tried })
  }

  async #open(way: Way, avoid?: ReadonlySet<string>): Promise<Opened> {
    try {
      return await this.#options.open(way, avoid)
    } catch (error) {
      return { ok: false, verdict: troubled(error instanceof Error ? error.message : String(error)), tried: [] }
    }
  }

  /** To who waits longest, else it is kept. */
  #give(destination: Destination, acquired: Extract<Acquired, { ok: true }>): void {
    const first = destination.waiting.shift()
    if (first) {
      destination.busy.add(acquired.hop)
      first.resolve(acquired)
    } else this.#keep(destination, acquired.hop)
  }

  #keep(destination: Destination, hop: NextHop): void {
    const { clock, limits } = this.#options
    if (this.#kept >= limits.keptConnections) {
      void hop.client.quit()
      return
    }
    this.#kept++
    const idle: Idle = {
      hop,
      timer: clock.after(limits.idleMs, () => {
        destination.idle.splice(destination.idle.indexOf(idle), 1)
        this.#kept--
        void hop.client.quit()
        this.#forget(destination)
      }),
    }
    destination.idle.push(idle)
  }

  /** The one used last, so that the others may grow old. */
  #takeIdle(destination: Destination): NextHop | undefined {
    for (let idle = destination.idle.pop(); idle; idle = destination.idle.pop()) {
      idle.timer[Symbol.dispose]()
      this.#kept--
      if (idle.hop.client.usable && !isSpent(destination, idle.hop)) {
        destination.busy.add(idle.hop)
        return idle.hop
      }
      void idle.hop.client.quit()
    }
    return undefined
  }
}

/** One that the host opened itself goes on for as long as it stands. */
function isSpent({ uses }: Destination, { client, turned }: NextHop): boolean {
  return !turned && client.transactions >= Math.floor(uses)
}

function keyOf({ destination, security }: Way): string {
  return security === 'policy' ? destination : `${destination} ${security}`
}
