import type { Clock, Deadline, Dialer } from '@pennypost/model'
import type { TranscriptEvent, TranscriptLimits } from './transcript.ts'

/** How long each phase may last, in milliseconds: RFC 5321 §4.5.3.2. Connecting is the caller's. */
export interface ClientTimeouts {
  greetingMs: number
  helloMs: number
  /** The handshake, not the command. */
  tlsMs: number
  authMs: number
  mailMs: number
  rcptMs: number
  /** DATA's 354. */
  dataMs: number
  /** The peer takes a block of content. */
  blockMs: number
  /** The reply to the final dot, or to BDAT. */
  dotMs: number
  rsetMs: number
  quitMs: number
}

const minute = 60_000

export const defaultClientTimeouts: ClientTimeouts = {
  greetingMs: 5 * minute,
  helloMs: 5 * minute,
  tlsMs: minute,
  authMs: 2 * minute,
  mailMs: 5 * minute,
  rcptMs: 5 * minute,
  dataMs: 2 * minute,
  blockMs: 3 * minute,
  dotMs: 10 * minute,
  rsetMs: minute,
  quitMs: 10_000,
}

export interface ClientLimits {
  transcript: TranscriptLimits
  /** Recipients in one transaction; the rest are `tooMany`. RFC 5321 §4.5.3.1.8: servers take at least 100. */
  recipients: number
}

export interface ClientOptions {
  /** Only `secure` is used; the connection is opened by the caller. */
  dialer: Pick<Dialer, 'secure'>
  deadline: Deadline
  /** Measures the transcript. */
  clock: Pick<Clock, 'elapsed'>
  /** What EHLO says: our host name, or an address literal. */
  hostname: string
  /** `lmtp` says LHLO and expects a reply for each recipient after the dot (RFC 2033). Default `smtp`. */
  protocol?: 'smtp' | 'lmtp'
  timeouts?: Partial<ClientTimeouts>
  limits?: Partial<ClientLimits>
  onTranscript?: (event: TranscriptEvent) => void
}
