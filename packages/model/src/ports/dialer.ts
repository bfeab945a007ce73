import type { Duplex } from 'node:stream'
import type { PeerCertificate } from 'node:tls'

/**
 * How clients reach peers. Implemented by `@pennypost/transport` over TCP; tests give in-memory duplexes.
 */
export interface Dialer {
  /** Opens a connection. Rejects with the system's error (`code` such as ECONNREFUSED), or with the signal's reason. */
  connect(to: Endpoint, signal: AbortSignal): Promise<Duplex>
  /**
   * Begins TLS as a client over a connected stream and resolves when the handshake is done. With `verify: false` any
   * certificate will do (opportunistic TLS, RFC 7435); `checkPeer` then still may refuse it by throwing (DANE).
   */
  secure(stream: Duplex, options: TlsDialOptions, signal: AbortSignal): Promise<{ stream: Duplex; tls: TlsFacts }>
}

export interface Endpoint {
  /** IP literal, or the path of a Unix socket when `port` is 0. Never a host name: looking up is the resolver's. */
  address: string
  port: number
  /** Source address, when the configuration fixes one. */
  localAddress?: string
}

export interface TlsDialOptions {
  /** SNI and, when verifying, the name that the certificate must bear. */
  servername: string
  verify: boolean
  minVersion?: 'TLSv1' | 'TLSv1.2' | 'TLSv1.3'
  /** PEM of the trust anchors that replace the system's. */
  ca?: readonly string[]
  /** When verifying, in place of comparing `servername`: what is wrong with whom the certificate is for. */
  checkName?: (certificate: PeerCertificate) => Error | undefined
  /** Called after the handshake with the peer's chain, leaf first; throws to refuse. */
  checkPeer?: (certificate: PeerCertificate) => void
}

/** What the journey and Received say about a TLS session. */
export interface TlsFacts {
  protocol: string
  cipher: string
  /** The chain was checked and the name matched. */
  verified: boolean
  /** The system's code for why the chain or the name does not stand, when it was not required to. */
  unverified?: string
  /** SHA-256 of the leaf, hex, when the peer showed one. */
  fingerprint?: string
}
