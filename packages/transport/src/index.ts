export { type CertificateFiles, isUnread, readCertificate, TlsMaterialError } from './certificate-file.ts'
export { Connection, type EndpointAddress } from './connection.ts'
export {
  type ConnectionLimiter,
  type ConnectionLimits,
  createConnectionLimiter,
  limitedToo,
  type Refusal,
  type Slot,
} from './connection-limiter.ts'
export { createDialer } from './dialer.ts'
export { drained } from './drained.ts'
export { exchangeHttp, type HttpAnswer, type HttpBounds, type HttpQuestion } from './exchange-http.ts'
export { LineReader } from './line-reader.ts'
export { type ListenEndpoint, ListenError } from './listen-endpoint.ts'
export { createListener, type Listener, type ListenerOptions } from './listener.ts'
export { networkOf } from './network-of.ts'
export { type LineHandlers, type LineReading, readLines } from './read-lines.ts'
export { ensureSelfSigned, type SelfSignedFilesOptions } from './self-signed-files.ts'
export { HandshakeError, type ServerContexts } from './server-handshake.ts'
export { type CertificateFacts, createTlsMaterial, type TlsMaterial, type TlsMaterialOptions } from './tls-material.ts'
export { Turns } from './turns.ts'
