import { createHash, type X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

/**
 * What SASL asks of a finished TLS handshake: octets that only the two ends of this session know (channel binding), and
 * whom the client's certificate names.
 */

/** RFC 9266: exported keying material. RFC 5929 §4: a hash of the certificate that the server has shown. */
export function channelBindingOf(socket: TLSSocket, type: 'tls-exporter' | 'tls-server-end-point'): Buffer | undefined {
  if (type === 'tls-server-end-point') return endPointOf(socket)
  // Before TLS 1.3 the exporter binds only with the extended master secret (RFC 9266 §4.2), which Node does not tell of.
  if (socket.getProtocol() !== 'TLSv1.3') return undefined
  return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
}

function endPointOf(socket: TLSSocket): Buffer | undefined {
  const certificate = socket.getX509Certificate()
  if (!certificate) return undefined
  const hash = endPointHash(certificate)
  return hash === undefined ? undefined : createHash(hash).update(certificate.raw).digest()
}

/** RFC 5929 §4.1: that of the certificate's signature, SHA-256 for the weak ones; undefined where it has none of its own. */
export function endPointHash(certificate: X509Certificate): string | undefined {
  const found = /(md5|sha1|sha224|sha256|sha384|sha512)/i.exec(certificate.signatureAlgorithm ?? '')?.[1]?.toLowerCase()
  return found === 'md5' || found === 'sha1' ? 'sha256' : found
}

/**
 * The mail addresses in the certificate of a client that our authority vouches for, lower-case domains as they stand;
 * undefined without a valid certificate.
 */
export function certifiedAddressesOf(socket: TLSSocket): readonly string[] | undefined {
  const certificate = socket.getPeerX509Certificate()
  if (!certificate || !isTrusted(socket)) return undefined
  const names = (certificate.subjectAltName ?? '').split(', ')
  return names.flatMap((name) => /^email:([^"]+)$/.exec(name)?.[1] ?? [])
}

/** Node keeps OpenSSL's answer for sockets of a `tls.Server` alone; for ours it is asked of the same handle. */
function isTrusted(socket: TLSSocket): boolean {
  const { _handle: handle } = socket as unknown as { _handle?: { verifyError?(): Error | null } }
  return handle?.verifyError !== undefined && handle.verifyError() === null
}
