import { printReply, replies, reply } from '@pennypost/smtp'
import {
  type Connection,
  type ConnectionLimiter,
  createListener,
  type ListenEndpoint,
  type Listener,
  networkOf,
  type Refusal,
  type ServerContexts,
  Turns,
} from '@pennypost/transport'
import { SMTPServer } from 'smtp-server'
import { awaitPatience } from './before-banner.ts'
import { isThisMachine, networks } from './networks.ts'
import type { ReceptionOptions, Service } from './options.ts'
import { pooledRandom } from './random-pool.ts'
import { type Origin, Session, type SessionContext } from './session.ts'
import { WireConnection } from './wire/connection.ts'

/**
 * A listener of reception, and the way of each connection to its session: patience before the banner
 * (`before-banner.ts`).
 *
 * What must never break: a client counts against the limit of its own address, not of its proxy's, and its place is free
 * again when the socket closes, whatever happened before.
 * Who calls it: the composition root, once for each listener.
 */

/** One reception listener of the configuration. */
export interface ReceptionListenerOptions {
  service: Service
  endpoint: ListenEndpoint
  /** Absent: no TLS here. With `submissions` it is implicit, else STARTTLS. */
  contexts?: ServerContexts
  limiter: ConnectionLimiter
}

/**
 * Opens the listener; resolves when it accepts. What sessions may do is in `options`, shared by all listeners.
 * @throws RangeError when `proxy` or `xclient` has what is no network.
 */
export async function openReception(listener: ReceptionListenerOptions, options: ReceptionOptions): Promise<Listener> {
  const { service, endpoint, contexts, limiter } = listener
  const context: SessionContext = {
    service,
    options,
    random: pooledRandom(options.random),
    mayNameClient: networks(options.xclient ?? []),
    ...(options.checks ? { isChecked: strangersTo(options.checks.exempt) } : {}),
  }
  const entrance = new Entrance(context)
  return createListener({
    service,
    endpoint,
    tls: contexts === undefined ? 'none' : service === 'submissions' ? 'implicit' : 'starttls',
    ...(contexts ? { contexts } : {}),
    limiter,
    isProxy: networks(options.proxy ?? []),
    deadline: options.deadline,
    log: options.log,
    refusal,
    onConnection: (connection) => entrance.greet(originOf(connection, limiter)),
  })
}

/** Everybody but those in the list. A Unix socket has no address that could be checked. */
function strangersTo(exempt: readonly string[]): (address: string) => boolean {
  const isExempt = networks(exempt)
  return (address) => address !== '' && !isExempt(address)
}

function refusal(reason: Refusal): string {
  return printReply(reason === 'draining' ? replies.shuttingDown : replies.tooManyConnections)
}

function originOf(connection: Connection, limiter: ConnectionLimiter): Origin {
  let { slot } = connection
  connection.stream.once('close', () => slot[Symbol.dispose]())
  return {
    connection,
    leaveAddressLimit: () => slot.leaveAddress(),
    countAs(address) {
      slot.leaveAddress()
      const admitted = limiter.admit(address, networkOf(address))
      // Who is refused still counts in all, until it has closed.
      if (typeof admitted === 'string') return admitted
      slot[Symbol.dispose]()
      slot = admitted
      return undefined
    },
  }
}

/** The way of a connection up to its session. */
class Entrance {
  readonly #context: SessionContext
  readonly #server: SMTPServer
  readonly #turns: Turns

  constructor(context: SessionContext) {
    this.#context = context
    this.#server = createServer(context.options)
    this.#turns = new Turns(context.options.clock)
  }

  /** Strangers at the MX wait a moment for the banner, if so configured. */
  greet(origin: Origin): void {
    const { service, options } = this.#context
    const { connection } = origin
    const waitMs = options.pregreetMs ?? 0
    const { address } = connection.remote
    const isKnown =
      isThisMachine(address) || options.trusted.has(address) || this.#context.isChecked?.(address) === false
    if (waitMs === 0 || service !== 'smtp' || isKnown) {
      this.#begin(origin)
      return
    }
    awaitPatience(connection, { deadline: options.deadline, waitMs }, (outcome) => {
      if (outcome === 'patient') this.#begin(origin)
      else if (outcome === 'gone') connection.end(connection.draining ? printReply(replies.shuttingDown) : undefined)
      else {
        options.log.info({ service, remote: address }, 'spoke before the banner')
        connection.end(printReply(spokeTooSoon))
      }
    })
  }

  #begin(origin: Origin): void {
    const { service, options } = this.#context
    const { limits } = options
    const session = new Session(this.#context, origin)
    const lineLength = options.offersAuth(service) ? Math.max(limits.authLine, limits.commandLine) : limits.commandLine
    const { connection } = origin
    const needsCr = options.rejectBareCommands === true
    const tickMs = Math.min(limits.rateWindowMs, limits.idleTimeoutMs)
    const wireLimits = { lineLength, tickMs, needsCr, turns: this.#turns }
    const wire = new WireConnection(this.#server, connection, session, wireLimits, session.id)
    session.wire = wire
    this.#server.connections.add(wire)
    wire.init()
  }
}

/** RFC 5321 §3.1: 554 in place of the banner, to a client that had not waited for it. */
const spokeTooSoon = reply(554, '5.5.1', 'You spoke before the banner')

/** The library's server never listens: it holds the options and the set of connections that its sessions ask for. */
function createServer(options: ReceptionOptions): SMTPServer {
  return new SMTPServer({
    name: options.hostname,
    disableReverseLookup: true,
    logger: false,
    authOptional: true,
    hideSTARTTLS: true,
  })
}
