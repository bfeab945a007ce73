import type { Notify, OriginalRecipient } from '../rcpt-parameters.ts'
import type { Reply } from '../reply.ts'
import type { Failure, Phase } from './failure.ts'

/** One mail transaction, as the caller asks for it. Paths stand without angle brackets. */
export interface TransactionRequest {
  /** '' is the null reverse-path. */
  reversePath: string
  recipients: readonly TransactionRecipient[]
  /** Read once, when the peer has said that it wants it; any pieces, which are the client's, and are freed when they have left. */
  body: Buffer | Iterable<Buffer> | AsyncIterable<Buffer>
  /** Octets of the body, for SIZE and to refuse early; null when not known. */
  size: number | null
  /** The body has octets above 127. A peer without 8BITMIME gets it as it is (README). */
  eightBit?: boolean
  /** The content needs SMTPUTF8; addresses that need it speak for themselves. */
  smtpUtf8?: boolean
  ret?: 'FULL' | 'HDRS' | null
  envid?: string | null
  requireTls?: boolean
  /** The content goes by DATA, though the peer offers CHUNKING. */
  byData?: boolean
}

export interface TransactionRecipient {
  forwardPath: string
  notify?: Notify | null
  orcpt?: OriginalRecipient | null
}

/** What became of one recipient. */
export interface RecipientOutcome {
  forwardPath: string
  outcome: 'delivered' | 'deferred' | 'failed'
  phase: Phase
  /** The peer's reply that decided, null when none did. */
  reply: Reply | null
  /** null when delivered. */
  failure: Failure | null
  /**
   * Not refused, only one too many for this transaction: try again at once, in the next (RFC 5321 §4.5.3.1.10). Never all of
   * its recipients, so that who tries them again comes to an end.
   */
  tooMany: boolean
}

export interface TransactionResult {
  /** In the order of the request. */
  outcomes: readonly RecipientOutcome[]
  /** The content was sent whole, but no reply came: some deferred recipients may have it (RFC 1047). */
  uncertain: boolean
  /** The peer offers DSN, so NOTIFY and its kin went along; else a `relayed` DSN may be due (RFC 3461 §5.2.2). */
  dsnOffered: boolean
}
