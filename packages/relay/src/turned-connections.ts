/**
 * Connections that turned round (RFC 2645): a host that logged in fetches what waits for its destination, and is sent it
 * over the connection that it opened itself. As long as such a connection stands, nobody else is asked for the
 * destination's mail: the host is where it is, and not at its MX.
 *
 * Who calls it: the relay, which offers them, and the connection pool, which opens them in the place of others.
 */
import type { Duplex } from 'node:stream'
import type { Clock, Log, Queue, QueueEntryId, Timer, TlsFacts } from '@pennypost/model'
import type { ConnectionPool } from './connection-pool.ts'
import { type DialOptions, dialOver } from './dial.ts'
import type { OpenConnection, Opened, Way } from './open-connection.ts'
import type { Routes } from './routes.ts'
import { deferred } from './verdict.ts'

export interface TurnedConnection {
  stream: Duplex
  address: string
  port: number
  tls: TlsFacts | undefined
}

/** One that nothing is sent over is closed after so long. */
const unusedMs = 30_000

export class TurnedConnections {
  readonly #options: DialOptions & { routes: Routes }
  /** By destination; without the connection once somebody has it. */
  readonly #offered = new Map<string, { connection?: TurnedConnection; unused: Timer }>()
  #draining = false

  constructor(options: DialOptions & { routes: Routes }) {
    this.#options = options
  }

  has(destination: string): boolean {
    return this.#offered.has(destination)
  }

  /** From now on the destination's mail goes over it, until it closes. */
  offer(destination: string, connection: TurnedConnection): void {
    const { stream } = connection
    // Two that asked at the same moment: the later one calls again.
    const isTooLate = this.#draining || this.#offered.has(destination)
    if (stream.destroyed || isTooLate) return void stream.destroy()
    const unused = this.#options.deadline.after(unusedMs, () => stream.destroy())
    this.#offered.set(destination, { connection, unused })
    stream.once('close', () => {
      unused[Symbol.dispose]()
      this.#offered.delete(destination)
    })
  }

  /** Closes what nothing is sent over yet, and from now on what is offered. */
  drain(): void {
    this.#draining = true
    for (const { connection } of this.#offered.values()) connection?.stream.destroy()
  }

  /** Opens these connections in the place of those that `usual` would open. */
  before(usual: OpenConnection): OpenConnection {
    return (way, avoid) => this.#open(way) ?? usual(way, avoid)
  }

  #open(way: Way): Promise<Opened> | undefined {
    const offered = this.#offered.get(way.destination)
    if (!offered) return undefined
    const { connection, unused } = offered
    delete offered.connection
    unused[Symbol.dispose]()
    if (!connection) {
      const verdict = deferred('4.4.5', 'It is sent over one connection, that the host opened itself')
      return Promise.resolve({ ok: false, verdict, tried: [] })
    }
    return this.#begin(way, connection)
  }

  async #begin(way: Way, connection: TurnedConnection): Promise<Opened> {
    const { address, port } = connection
    const target = { ...way, route: this.#options.routes.resolve(way.destination), host: address, address, port }
    const dialled = await dialOver(connection, target, this.#options)
    if (dialled.kind === 'ready') return { ok: true, hop: { ...dialled.hop, turned: true }, tried: dialled.tried }
    connection.stream.destroy()
    return { ok: false, verdict: dialled.verdict, tried: dialled.tried }
  }
}

/** `empty`: nothing waits; `busy`: there is such a connection already; else what takes the connection. */
export type TurnOffer = 'empty' | 'busy' | { take(connection: TurnedConnection): void }

interface TurnParts {
  turned: TurnedConnections
  pool: Pick<ConnectionPool, 'forgive' | 'openBeside'>
  queue: Queue
  clock: Clock
  log: Log
}

/** What waits for a destination is to be sent over a connection that turns round. */
export async function turnRound(
  destination: string,
  { turned, pool, queue, clock, log }: TurnParts,
): Promise<TurnOffer> {
  if (turned.has(destination)) return 'busy'
  const waiting: QueueEntryId[][] = []
  for await (const page of queue.list({ destination, held: false })) waiting.push(page.map(({ id }) => id))
  if (waiting.length === 0) return 'empty'
  /** Page by page: very many in one go would hold up everybody else. */
  const begin = async (): Promise<void> => {
    for (const page of waiting) if (turned.has(destination)) await queue.retryNow(page, clock.now())
  }
  return {
    take(connection) {
      turned.offer(destination, connection)
      pool.forgive(destination)
      pool.openBeside(destination)
      begin().catch((err: unknown) => {
        log.error({ err, destination }, 'what waits for a host that fetches it cannot be begun')
        connection.stream.destroy()
      })
    },
  }
}
