/** An open connection to a next hop that is ready for mail, with what the journey wants to know of it. */
import type { FlowFact } from '@pennypost/model'
import type { SmtpClient } from '@pennypost/smtp'
import type { Security } from './tls/tls-policy.ts'

/** One connection to one address, tried: the `attempt` of the journey without its entry. */
export type Tried = Omit<Extract<FlowFact, { kind: 'attempt' }>, 'kind' | 'entry' | 'destination'>

export interface NextHop {
  readonly client: SmtpClient
  readonly destination: string
  /** What was asked of it: only messages that ask for the same go over it. */
  readonly security: Security
  readonly host: string
  readonly address: string
  readonly port: number
  readonly tls: string | undefined
  readonly tlsReason: string
  /** What DNS said on the way here. */
  readonly dns: readonly string[]
  /** Milliseconds that it took to be ready. */
  readonly openedMs: number
  /** It was opened by the peer, for all that waits: it is not closed after so many transactions. */
  readonly turned?: true
  /** Lines of the dialogue since they were last taken. */
  readonly lines: string[]
}

/**
 * `two.test[192.0.2.1]:25`, as logs and texts name a peer. They come back to senders, and where the sockets of this machine
 * are is nobody's business.
 */
export function placeOf({ host, address, port }: { host: string; address: string; port: number }): string {
  if (port === 0) return 'LMTP socket'
  return `${host === address ? '' : host}[${address}]:${port}`
}
