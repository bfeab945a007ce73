import { printReply, replies } from '@pennypost/smtp'
import {
  type ConnectionLimiter,
  createListener,
  type ListenEndpoint,
  type Listener,
  type ServerContexts,
} from '@pennypost/transport'
import { SMTPServer } from 'smtp-server'
import type { ReceptionOptions, Service } from './options.ts'
import { Session } from './session.ts'
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
  return createListener({
    service,
    endpoint,
    tls,
    ...(contexts ? { contexts } : {}),
    limiter,
    deadline: options.deadline,
    log: options.log,
    // smtp-server's connection does not look for the end of the client's side; Node ends ours.
    allowHalfOpen: false,
    refusal: (reason) => printReply(reason === 'draining' ? replies.shuttingDown : replies.tooManyConnections),
    onConnection(connection) {
      const session = new Session(service, connection, options)
      const wire = new WireConnection(server, connection, session, {
        lineLength: options.limits.commandLine,
        idleTimeoutMs: options.limits.idleTimeoutMs,
      })
      session.wire = wire
      server.connections.add(wire)
      wire.init()
    },
  })
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
