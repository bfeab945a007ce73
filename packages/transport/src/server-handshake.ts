import type { Duplex } from 'node:stream'
import { type SecureContext, TLSSocket } from 'node:tls'
import type { Deadline } from '@pennypost/model'

/**
 * The server's side of a TLS handshake over a stream that is open already: implicit TLS and STARTTLS alike.
 *
 * Never broken: the handshake ends, well or badly, before its deadline (octets that trickle in do not extend it), and
 * a stream whose handshake failed is destroyed. The TLS socket is destroyed rather than what it wraps: Node does not
 * bear losing the lower socket in the middle of a handshake.
 */

/** What the handshake needs of `TlsMaterial`. */
export interface ServerContexts {
  /** For clients that name no host. */
  readonly defaultContext: SecureContext
  /** Clients may show a certificate (SASL EXTERNAL); the contexts know who issues them. */
  readonly asksForCertificate: boolean
  /** In the form that Node's `SNICallback` has. */
  readonly chooseContext: (servername: string, answer: (error: Error | null, context?: SecureContext) => void) => void
}

/** Why the handshake failed is in `message`, and OpenSSL's or the system's `code` in `cause`. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError'
}

/** Begins at once; `done` is called exactly once. @returns the TLS socket, so that its owner can destroy it midway. */
export function acceptTls(
  stream: Duplex,
  contexts: ServerContexts,
  options: { deadline: Deadline; timeoutMs: number },
  done: (error?: HandshakeError) => void,
): TLSSocket {
  const socket = new TLSSocket(stream, {
    isServer: true,
    secureContext: contexts.defaultContext,
    SNICallback: contexts.chooseContext,
    // Whether a certificate is any good is for EXTERNAL to say: without one, passwords work as ever.
    ...(contexts.asksForCertificate && { requestCert: true, rejectUnauthorized: false }),
  })
  const finish = (error?: HandshakeError): void => {
    timer[Symbol.dispose]()
    socket.removeListener('secure', onSecure)
    socket.removeListener('error', onError)
    socket.removeListener('end', onClose)
    socket.removeListener('close', onClose)
    stream.removeListener('end', onClose)
    if (error) socket.destroy()
    done(error)
  }
  const onSecure = (): void => finish()
  // OpenSSL's message names a thread and a line of its source; its reason is what is for people.
  const onError = (error: Error & { reason?: string }): void =>
    finish(new HandshakeError(error.reason ?? error.message, { cause: error }))
  const onClose = (): void => finish(new HandshakeError('the client left during the handshake'))
  const timer = options.deadline.after(options.timeoutMs, () =>
    finish(new HandshakeError('the handshake took too long')),
  )
  socket.once('secure', onSecure)
  socket.once('error', onError)
  // Who has no more to say will not shake hands: without this, a probe of the port keeps its place until the deadline.
  socket.once('end', onClose)
  socket.once('close', onClose)
  // What was read of it before, its end with it, does not come through the TLS socket.
  stream.once('end', onClose)
  // After the handshake, Node reports a broken record only here for sockets that no tls.Server owns.
  socket.on('_tlsError', (error: Error) => socket.destroy(error))
  // Errors that come when the handshake is over belong to the session's reading side; nobody listening must not crash.
  socket.on('error', () => {})
  return socket
}
