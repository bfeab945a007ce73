import type { AccountId, JourneyId, MessageId, QueueEntryId } from '../ids.ts'
import type { Acceptance, Accepted } from './acceptance.ts'
import type { FlowEvent } from './flow.ts'

/**
 * Mail that has been accepted and is not yet where it should be. An entry is one message for one destination with the
 * recipients that share it; it goes when its last recipient has a final outcome. Worked by `@pennypost/relay`.
 */
export interface NewQueueEntry {
  /** The next hop after routes: a domain, or `[address]`; entries with equal destination share connections and fairness. */
  destination: string
  /** `remote`: over SMTP or LMTP. `local`: filed here, as soon as that is possible. */
  route: 'remote' | 'local'
  envelope: QueueEnvelope
  recipients: readonly NewQueueRecipient[]
}

export interface QueueEnvelope {
  /** As this hop will send it ('' for null); it differs from the acceptance's after SRS. */
  reversePath: string
  /** RFC 3461 §4.3 and §4.4. */
  ret?: 'FULL' | 'HDRS'
  envid?: string
  /** The client declared SMTPUTF8 (RFC 6531). */
  smtpUtf8: boolean
  requireTls: boolean
  /** The author wrote `TLS-Required: No`: delivery goes before protection (RFC 8689 §3). */
  tlsOptional?: boolean
  /** No delay notice for lists and auto-submitted mail, nor any DSN that would answer them. */
  autoSubmitted: boolean
  /** An ARC set to set before the message for all recipients (RFC 8617); absent: it is not sealed. */
  seal?: string
}

export interface NewQueueRecipient {
  forwardPath: string
  /** RFC 3461 §4.1; absent means FAILURE and DELAY as the MTA thinks right. */
  notify?: readonly ('NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY')[]
  orcpt?: string
  /**
   * What is asked for other recipients that led to the same address, each under its own ORCPT. `notify` above has it all, since
   * the next hop is asked once.
   */
  also?: readonly Pick<NewQueueRecipient, 'notify' | 'orcpt'>[]
  /** Delivered-To lines to set before forwards; '' for plain relaying. */
  trace?: string
  /** For route `local`. */
  account?: AccountId
}

export interface QueueRecipient extends NewQueueRecipient {
  /** Position in the entry, stable. */
  index: number
  /** The last reply or error, '' before the first attempt. */
  lastReply: string
  delayNotified: boolean
}

export interface QueueEntry {
  id: QueueEntryId
  journey: JourneyId
  message: MessageId
  destination: string
  route: 'remote' | 'local'
  envelope: QueueEnvelope
  acceptedAt: number
  /** When the next attempt is due. */
  dueAt: number
  attempts: number
  held: boolean
  /** Until when a runner has it, unless it says otherwise; null: none has, or its lease ran out. */
  leasedUntil: number | null
  /** Octets that the next hop will get, without the recipients' trace. */
  size: number
  messageId: string
  /** Those without a final outcome. */
  recipients: readonly QueueRecipient[]
}

/** An entry that this process may work on until the lease ends. */
export interface LeasedEntry extends QueueEntry {
  lease: string
}

export interface ClaimRequest {
  now: number
  /**
   * At most this many entries. While both wait, half of them are retries and half first attempts; the odd one goes to
   * either in turn, first attempts first.
   */
  slots: number
  /**
   * At most this many retries, whatever else waits; absent: as many as `slots`. A runner that claims one entry at a
   * time gives what is left of its half, so that slow retries never fill all its connections.
   */
  retries?: number
  /** At most this many leased entries of one destination at a time, counting those leased before. */
  perDestination: number
  /** How long the lease lasts unless renewed. */
  leaseMs: number
}

export interface Settlement {
  entry: QueueEntryId
  lease: string
  /** As it was leased. Where the entry is due at another time now, an operator wants it tried: then that time stands. */
  dueAt: number
  /** One for each recipient that was tried; the others stay as they were. */
  outcomes: readonly RecipientOutcome[]
  /** When to try the rest again; ignored when none is left. */
  nextAttemptAt: number
  /** Counts as an attempt: false when nothing could be tried (shutdown, our own trouble). */
  attempted: boolean
  /** The attempt goes on for those who are left: the lease lasts, and its end says when it is tried again, and what it counts. */
  goesOn?: boolean
  /** What is left of it is held. */
  hold?: boolean
  /** Indexes of recipients about whom a delay notice goes out with this settlement. */
  delayNotified: readonly number[]
  /** DSNs and local filings that ride in the same transaction. */
  accept: readonly Acceptance[]
  flow: readonly FlowEvent[]
}

export interface RecipientOutcome {
  index: number
  outcome: 'delivered' | 'deferred' | 'failed'
  reply: string
}

export interface QueueFilter {
  /** With whatever login behind it (`;login`), unless it names one. */
  destination?: string
  /** An address, whatever the case of letters in which either is written; '' for the null reverse-path. */
  reversePath?: string
  /** Likewise, of a recipient without a final outcome. */
  forwardPath?: string
  journey?: JourneyId
  held?: boolean
  /** Entries accepted before this time. */
  acceptedBefore?: number
}

/** Each entry counts in one of the four: held before leased before due or waiting (not due yet). */
export interface QueueCounts {
  waiting: number
  due: number
  leased: number
  held: number
  oldestAcceptedAt: number | null
}

export interface Queue {
  /**
   * Leases due entries, one destination after the other (round robin), so that no destination keeps another waiting.
   * Two claims never give the same entry while its lease lasts.
   */
  claim(request: ClaimRequest): Promise<LeasedEntry[]>
  /**
   * Leases this entry as it is, due or not, held or not, for who ends it out of turn; nothing when somebody has it or it
   * is gone. Whatever becomes of the lease, what is held stays held.
   */
  claimOne(entry: QueueEntryId, now: number, leaseMs: number): Promise<LeasedEntry | undefined>
  /**
   * Lengthens leases; gives the entries whose lease was lost. A lease is lost when somebody else has the entry or it
   * is gone; one that only ran out can still be renewed and settled.
   */
  renew(
    leases: readonly { entry: QueueEntryId; lease: string }[],
    now: number,
    leaseMs: number,
  ): Promise<QueueEntryId[]>
  /**
   * All outcomes of attempts in ONE durable transaction, which also ends the lease, unless the attempt goes on. Rejects
   * with `lease-lost` and does nothing for a lost lease; consumes the contents of `accept` all the same. One result for each of `accept`.
   */
  settle(settlement: Settlement): Promise<Accepted[]>
  /** When the next unheld entry without a living lease is due, or null. */
  nextDueAt(): Promise<number | null>
  /** Called after commits that may have made something due. Only a wake: it says nothing of what. */
  watch(onWake: () => void): Disposable

  get(entry: QueueEntryId): Promise<QueueEntry | undefined>
  /** Pages in order of acceptance; all conditions of the filter hold. */
  list(filter: QueueFilter): AsyncIterable<readonly QueueEntry[]>
  counts(now: number): Promise<QueueCounts>

  /**
   * Operators' verbs; each gives how many entries it changed. A held entry is not claimed and does not expire; an
   * attempt that is under way goes on.
   */
  hold(entries: readonly QueueEntryId[]): Promise<number>
  /** Held entries are due at `now`. */
  release(entries: readonly QueueEntryId[], now: number): Promise<number>
  /** Entries that are not held are due at `now`. */
  retryNow(entries: readonly QueueEntryId[], now: number): Promise<number>
  /** Remote entries go to this destination from now on; those that are not held are due at `now`. */
  redirect(entries: readonly QueueEntryId[], destination: string, now: number): Promise<number>
  /** Takes entries out without a word to anybody; leases on them are lost. */
  remove(entries: readonly QueueEntryId[]): Promise<number>
}
