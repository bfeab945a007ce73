import { printReply, replies } from '@pennypost/smtp'
import {
  type Connection,
  type ConnectionLimiter,
  createListener,
  type ListenEndpoint,
  type Listener,
  type ServerContexts,
} from '@pennypost/transport'
import { SMTPServer } from 'smtp-server'
import type { ReceptionOptions, Service } from './options.ts'
import { pooledRandom } from './random-pool.ts'
import { Session, type SessionContext, tickOf } from './session.ts'
import { WireConnection } from './wire/connection.ts'

/** One reception listener of the configuration. */
export interface ReceptionListenerOptions {
  service: Service
  endpoint: ListenEndpoint
  /** Absent: no TLS here. With `submissions` it is implicit, else STARTTLS. */
  contexts?: ServerContexts
  limiter: ConnectionLimiter
}

/** Opens the listener; resolves when it accepts. What sessions may do is in `options`, shared by all listeners. */
export function openReception(listener: ReceptionListenerOptions, options: ReceptionOptions): Promise<Listener> {
  const { service, endpoint, contexts, limiter } = listener
  const server = createServer(options)
  const tls = contexts === undefined ? 'none' : service === 'submissions' ? 'implicit' : 'starttls'
  const context: SessionContext = {
    service,
    options,
    random: pooledRandom(options.random),
    mayNameClient: () => false,
  }
  return createListener({
    service,
    endpoint,
    tls,
    ...(contexts ? { contexts } : {}),
    limiter,
    deadline: options.deadline,
    log: options.log,
    refusal: (reason) => printReply(reason === 'draining' ? replies.shuttingDown : replies.tooManyConnections),
    onConnection: (connection) => begin(server, context, connection),
  })
}

function begin(server: SMTPServer, context: SessionContext, connection: Connection): void {
  const { service, options } = context
  const { limits } = options
  const session = new Session(context, connection)
  const lineLength = options.offersAuth(service) ? Math.max(limits.authLine, limits.commandLine) : limits.commandLine
  const wire = new WireConnection(server, connection, session, { lineLength, tickMs: tickOf(limits) }, session.id)
  session.wire = wire
  server.connections.add(wire)
  wire.init()
}

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
