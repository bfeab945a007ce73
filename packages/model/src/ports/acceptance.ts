import type { Flag } from '../flags.ts'
import type { AccountId, JourneyId, MailboxId, QueueEntryId, Uid } from '../ids.ts'
import type { FlowEvent } from './flow.ts'
import type { MessageIndex } from './message-index.ts'
import type { MemoryNote } from './policy-memory.ts'
import type { NewQueueEntry } from './queue.ts'

/**
 * What one final reply of SMTP or LMTP stands for. `MailStore.accept` commits all of it in ONE durable transaction or
 * nothing; only then is 250 sent.
 */
export interface Acceptance {
  journey: JourneyId
  /** Milliseconds of the clock; also the base of retry, delay notice and expiry. */
  acceptedAt: number
  /** '' for the null reverse-path. */
  reversePath: string
  message: NewMessage
  filings: readonly NewFiling[]
  queue: readonly NewQueueEntry[]
  memory: readonly MemoryNote[]
  /**
   * Events of the journey up to here; the engine adds `filed` and `queued`, which need its UIDs and entry ids, with the time
   * of now: what had waited for room was accepted long before.
   */
  flow: readonly FlowEvent[]
  /**
   * Hash of network, reversePath, forwardPaths and content. If an *unconfirmed* acceptance of the last hour has the
   * same one, nothing of this one is stored, neither copies nor notes nor events, and the journey of that one is
   * returned (RFC 1047 explains the trouble). The events `unconfirmed` and `repeated` are the caller's to record.
   */
  fingerprint?: string
  /**
   * It is refused when one of these accounts, for which it is filed, has used up its quota by now: many letters may have been
   * told at RCPT that there is room for each. So it goes beyond a quota by itself at most.
   */
  unlessFull?: readonly AccountId[]
}

/** Content that has been received and not yet been accepted. */
export interface NewMessage {
  content: StagedContent
  /** Where the body starts in the content: the octets of the header section with its empty line. */
  bodyStart: number
  /** The header section as readers and next hops get it: trace block, then the content's less its struck ranges. */
  header: Buffer
  index: MessageIndex
}

/** One copy in one mailbox. */
export interface NewFiling {
  account: AccountId
  /**
   * A mailbox name, or a special use such as `\Junk`; where there is none such, INBOX. Filings of one acceptance that
   * meet in one mailbox make one copy, with the first one's delivery block and flags.
   */
  mailbox: string
  /** Return-Path and Delivered-To, each line ended by CRLF; set before the header in what this mailbox shows. */
  delivery: Buffer
  /** Keywords for which the mailbox has no place are left out: no letter is refused for a label. */
  flags: readonly Flag[]
  /** The forward-paths that this copy answers, for the journey. */
  forwardPaths: readonly string[]
}

export interface Accepted {
  /** The acceptance's own, or that of the unconfirmed acceptance that this one repeats. */
  journey: JourneyId
  /** Nothing of it was stored now. */
  repeated: boolean
  /** One for each copy, in the order of the filings; none when repeated, and so with `queued`. */
  filed: readonly { account: AccountId; mailbox: MailboxId; uid: Uid }[]
  queued: readonly QueueEntryId[]
}

/** A promise of room for content, held by whoever was promised it: see `MailStore.reserve`. */
export type ReservedRoom = Disposable

/**
 * Takes content as it arrives. Small content stays in memory, large goes to a write-once file of the engine, so that
 * no message is ever whole in memory. One writer; calls must not overlap.
 */
export interface ContentStage {
  /** Resolves when more may come (back-pressure). The buffer belongs to the stage from now on. */
  write(chunk: Buffer): Promise<void> | undefined
  /** Ends it. For large content the file is synced when this resolves; when it rejects, everything is forgotten. */
  finish(): Promise<StagedContent>
  /** Forgets everything; safe at any time, also after `finish` when nothing accepted the content. */
  discard(): Promise<void>
}

/** Octets kept by the engine that staged them (no other takes them) until an acceptance or an append takes them over, or `discard` drops them. */
export interface StagedContent {
  readonly size: number
  /** Reads octets from `start` up to `end` (exclusive), in chunks of at most 256 KB. */
  read(start?: number, end?: number): AsyncIterable<Buffer>
  discard(): Promise<void>
}
