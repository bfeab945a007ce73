import { createConnection, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import type { Deadline, Dialer, Endpoint, TlsDialOptions, TlsFacts } from '@pennypost/model'
import { tlsFactsOf } from './tls-facts.ts'

/**
 * The client's way out: TCP, Unix sockets, TLS over either. Implements the `Dialer` port; the relay, the SMTP client
 * and routes to LMTP call it.
 *
 * Never broken: a promise settles before its deadline whatever the peer does; a stream whose promise was rejected is
 * destroyed; with `verify`, no octet is given to a peer whose certificate does not stand.
 */

/** Ceilings for one connect and one handshake, whatever the caller's signal says; RFC 5321 gives none. */
const connectTimeoutMs = 30_000
const handshakeTimeoutMs = 60_000

/** @returns a dialer over the machine's network. */
export function createDialer({ deadline }: { deadline: Deadline }): Dialer {
  const contexts = new Map<string, SecureContext>()
  return {
    connect(to, signal) {
      if (signal.aborted) return Promise.reject(signal.reason)
      const socket = openSocket(to)
      return settle(socket, 'connect', { deadline, timeoutMs: connectTimeoutMs, signal }, () => socket)
    },
    secure(stream, tls, signal) {
      if (signal.aborted) {
        stream.destroy()
        return Promise.reject(signal.reason)
      }
      const socket = connect(clientOptions(stream, tls, contexts))
      const limits = { deadline, timeoutMs: handshakeTimeoutMs, signal }
      return settle(socket, 'secureConnect', limits, () => {
        tls.checkPeer?.(socket.getPeerCertificate(true))
        return secured(socket)
      })
    },
  }
}

function openSocket(to: Endpoint): Socket {
  if (to.port === 0) return createConnection({ path: to.address })
  const where = { host: to.address, port: to.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 120_000 }
  // Only literals: a name would be looked up by the system, past our resolver.
  if (isIP(to.address) === 0) throw new TypeError(`not an IP address: ${to.address}`)
  return createConnection(to.localAddress === undefined ? where : { ...where, localAddress: to.localAddress })
}

function clientOptions(stream: Duplex, tls: TlsDialOptions, contexts: Map<string, SecureContext>): ConnectionOptions {
  const options: ConnectionOptions = {
    socket: stream,
    // Only compared with the certificate, which may bear IP addresses; the connection stands already.
    host: tls.servername,
    secureContext: clientContext(tls, contexts),
    rejectUnauthorized: tls.verify,
  }
  const { checkName } = tls
  if (checkName) options.checkServerIdentity = (_, certificate) => checkName(certificate)
  // RFC 6066 §3: "Literal IPv4 and IPv6 addresses are not permitted" in SNI.
  if (isIP(tls.servername) === 0) options.servername = tls.servername
  return options
}

/** Contexts without own anchors are few and are kept: making one costs more than a handshake's other set-up. */
function clientContext(tls: TlsDialOptions, contexts: Map<string, SecureContext>): SecureContext {
  const minVersion = tls.minVersion ?? 'TLSv1.2'
  const kept = tls.ca ? undefined : contexts.get(minVersion)
  if (kept) return kept
  const context = createSecureContext({
    minVersion,
    ...(tls.ca && { ca: [...tls.ca] }),
    // OpenSSL's default security level has no cipher left for TLS 1.0 and 1.1.
    ...(minVersion === 'TLSv1' && { ciphers: 'DEFAULT:@SECLEVEL=0' }),
  })
  if (!tls.ca) contexts.set(minVersion, context)
  return context
}

function secured(socket: TLSSocket): { stream: Duplex; tls: TlsFacts } {
  return { stream: socket, tls: tlsFactsOf(socket) }
}

/** Waits for `event`; whatever else comes first rejects and destroys the socket. */
function settle<Result>(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  limits: { deadline: Deadline; timeoutMs: number; signal: AbortSignal },
  result: () => Result,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const finish = (error?: unknown): void => {
      timer[Symbol.dispose]()
      limits.signal.removeEventListener('abort', onAbort)
      socket.removeListener(event, onReady)
      socket.removeListener('close', onClose)
      if (error === undefined) socket.removeListener('error', finish)
      else {
        // A late error of a socket that is given up concerns nobody, but must not end the process.
        socket.on('error', () => {})
        socket.destroy()
        reject(error)
      }
    }
    const onReady = (): void => {
      try {
        const value = result()
        finish()
        resolve(value)
      } catch (error) {
        finish(error)
      }
    }
    const onAbort = (): void => finish(limits.signal.reason)
    const onClose = (): void => finish(withCode('ECONNRESET', 'the peer closed the connection'))
    const timer = limits.deadline.after(limits.timeoutMs, () =>
      finish(
        withCode('ETIMEDOUT', `no ${event === 'connect' ? 'connection' : 'TLS session'} in ${limits.timeoutMs} ms`),
      ),
    )
    limits.signal.addEventListener('abort', onAbort, { once: true })
    socket.once(event, onReady)
    socket.once('error', finish)
    socket.once('close', onClose)
  })
}

function withCode(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code })
}
