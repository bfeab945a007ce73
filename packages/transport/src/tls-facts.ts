import type { TLSSocket } from 'node:tls'
import type { TlsFacts } from '@pennypost/model'

/** What the journey and Received say of a finished handshake, as client or as server. Cipher names are IANA's. */
export function tlsFactsOf(socket: TLSSocket): TlsFacts {
  const cipher = socket.getCipher()
  // Absent when the peer showed no certificate: Node then answers with an empty object.
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256
  const facts: TlsFacts = {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: cipher.standardName,
    verified: socket.authorized,
  }
  // As client: Node says so beside a session that was wanted all the same.
  const unverified = socket.authorizationError as unknown
  if (unverified instanceof Error) facts.unverified = (unverified as NodeJS.ErrnoException).code ?? unverified.message
  else if (typeof unverified === 'string') facts.unverified = unverified
  if (fingerprint !== undefined) facts.fingerprint = fingerprint.replaceAll(':', '').toLowerCase()
  return facts
}
