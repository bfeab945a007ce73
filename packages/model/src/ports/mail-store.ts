import type { Flag } from '../flags.ts'
import type { AccountId, JourneyId, MailboxId, MessageId, ModSeq, Uid, UidValidity } from '../ids.ts'
import type { SearchQuery } from '../search-query.ts'
import type { UidSet } from '../uid-set.ts'
import type { Acceptance, Accepted, ContentStage, NewMessage } from './acceptance.ts'
import type { MessageIndex } from './message-index.ts'

/**
 * Mailboxes and messages. One verb is one transaction; verbs marked durable are synced before they resolve, relaxed
 * ones within 100 ms. Refusals are `StoreError`. The change log is the truth: `watch` only wakes, `changesSince` tells.
 */
export interface MailStore {
  // --- arrival ---
  stage(): ContentStage
  /** False when storing so many octets more would leave less than the reserve: 452 4.3.1, NO [UNAVAILABLE]. */
  hasRoom(octets: number): boolean
  /** All or nothing, durable; consumes the staged contents, also when it rejects. One result for each, in order. */
  accept(acceptances: readonly Acceptance[]): Promise<Accepted[]>
  /** The 250 of this acceptance may not have been read: its fingerprint is honoured for an hour. */
  unconfirm(journey: JourneyId, now: number): Promise<void>
  /** Durable; all messages or none; consumes the contents. UIDs are consecutive, in order. Rejects with `over-quota`. */
  append(mailbox: MailboxId, messages: readonly NewAppend[]): Promise<Appended>

  // --- mailboxes (durable) ---
  /** All of the account's, in order of name, INBOX first. */
  mailboxes(account: AccountId): Promise<Mailbox[]>
  mailbox(id: MailboxId): Promise<Mailbox | undefined>
  /** `name` follows `rules/mailbox-name.ts`; superiors are not made. Rejects with `mailbox-exists`, `limit`. */
  createMailbox(account: AccountId, name: string, specialUse?: SpecialUse): Promise<Mailbox>
  /**
   * Inferiors move along. INBOX: its messages go to a new mailbox `to`, INBOX stays and keeps its inferiors
   * (RFC 9051 §6.3.6). Subscriptions stay as they are.
   */
  renameMailbox(account: AccountId, from: string, to: string): Promise<void>
  /** Inferiors stay. Rejects for INBOX. A mailbox made anew under the name has another UIDVALIDITY. */
  deleteMailbox(account: AccountId, name: string): Promise<void>
  /** Subscribed names, existing or not (RFC 9051 §6.3.7). */
  subscriptions(account: AccountId): Promise<string[]>
  subscribe(account: AccountId, name: string, subscribed: boolean): Promise<void>

  // --- an open mailbox ---
  /** UIDs, flags and MODSEQs of everything in it, consistent with `highestModSeq` in it. */
  snapshot(mailbox: MailboxId): Promise<MailboxSnapshot>
  /** What changed after `since`, consistent up to `modSeq` in it. */
  changesSince(mailbox: MailboxId, since: ModSeq): Promise<MailboxChanges>
  /** UIDs from the returned one on are \Recent for this session, and for no later one. Relaxed. */
  claimRecent(mailbox: MailboxId): Promise<Uid>
  /** Called after each commit that touched a mailbox of the account. */
  watch(account: AccountId, onWake: () => void): Disposable

  // --- messages ---
  /** Relaxed. */
  updateFlags(mailbox: MailboxId, change: FlagChange): Promise<FlagsUpdated>
  /** Durable. UIDs that are gone are passed over. Rejects with `over-quota`, `no-such-mailbox`. */
  copy(from: MailboxId, uids: UidSet, to: MailboxId): Promise<Copied>
  /** Durable, atomic for each message (RFC 6851 §3.3); the same mailbox is allowed. */
  move(from: MailboxId, uids: UidSet, to: MailboxId): Promise<Copied>
  /** Removes what of `uids` is there, or of those what bears \Deleted. Durable. */
  expunge(mailbox: MailboxId, uids: UidSet, only: 'deleted' | 'all'): Promise<Expunged>
  /**
   * Rows in order of UID, in pages that never hold up other sessions. UIDs that are gone are passed over.
   * `need` says which columns are read; what is not asked for is absent.
   */
  fetch(
    mailbox: MailboxId,
    uids: UidSet,
    need: FetchNeed,
    signal?: AbortSignal,
  ): AsyncIterable<readonly FetchedMessage[]>
  /** The octets of a body from `start` up to `end` (exclusive). Stays readable while a reader holds it, though expunged. */
  readBody(message: MessageId, start?: number, end?: number): AsyncIterable<Buffer>
  /** Header and size of what queue entries refer to. */
  message(message: MessageId): Promise<StoredMessage | undefined>
  /** The UIDs among `within` that match; exact, whatever index may help (RFC 9051 §6.4.4). */
  search(mailbox: MailboxId, query: SearchQuery, within: UidSet, signal?: AbortSignal): Promise<UidSet>
  /**
   * Keeps the messages of these UIDs readable by `fetch` though they be expunged, until disposed: a POP3 session's
   * maildrop (RFC 1939 §4), an IMAP session that was not told of the expunge yet.
   */
  pin(mailbox: MailboxId): Disposable
}

/** RFC 6154, and \Inbox for what INBOX is. */
export const specialUses = ['\\All', '\\Archive', '\\Drafts', '\\Flagged', '\\Junk', '\\Sent', '\\Trash'] as const
export type SpecialUse = (typeof specialUses)[number]

/** What SELECT and STATUS say; all of it is kept, none counted at reading. */
export interface Mailbox {
  id: MailboxId
  account: AccountId
  name: string
  specialUse: SpecialUse | null
  uidValidity: UidValidity
  uidNext: Uid
  highestModSeq: ModSeq
  messages: number
  unseen: number
  deleted: number
  /** UIDs from here on have not been claimed as \Recent. */
  recentUid: Uid
  /** Sum of RFC822.SIZE. */
  size: number
  /** Bit 8 + n of flags is keywords[n]; '' where a place is free. */
  keywords: readonly string[]
}

export interface MailboxSnapshot {
  mailbox: Mailbox
  /** Rising; the three arrays go together. */
  uids: Uint32Array
  flags: Float64Array
  modSeqs: Float64Array
}

export interface MailboxChanges {
  /** The cursor for the next call. */
  modSeq: ModSeq
  uidNext: Uid
  keywords: readonly string[]
  /** Messages that are new or whose flags changed, in order of UID. */
  uids: Uint32Array
  flags: Float64Array
  modSeqs: Float64Array
  /** Expunged since then. From below the mailbox's expunge floor: every absent UID (RFC 7162 §3.2.5). */
  vanished: UidSet
  /** The mailbox itself is gone. */
  deleted: boolean
}

/** A point in time with the offset it was written in: SEARCH ON goes by the written date. */
export interface InternalDate {
  at: number
  offsetMinutes: number
}

export interface NewAppend {
  message: NewMessage
  flags: readonly Flag[]
  internalDate: InternalDate
  /** UIDL to keep over an import; absent: made from UIDVALIDITY and UID. */
  uidl?: string
}

export interface Appended {
  uidValidity: UidValidity
  uids: UidSet
}

export interface FlagChange {
  uids: UidSet
  mode: 'add' | 'remove' | 'replace'
  /** New keywords are added to the mailbox; rejects with `limit` when there is no place left. */
  flags: readonly Flag[]
  /** RFC 7162 §3.1.3: messages changed after this are left alone and reported. */
  unchangedSince?: ModSeq
}

export interface FlagsUpdated {
  /** Highest MODSEQ given out by this change; the mailbox's own when nothing changed. */
  modSeq: ModSeq
  /** Left alone because of `unchangedSince`. */
  modified: UidSet
}

export interface Copied {
  uidValidity: UidValidity
  /** Same size, same order. */
  source: UidSet
  target: readonly Uid[]
}

export interface Expunged {
  uids: UidSet
  modSeq: ModSeq
}

export interface FetchNeed {
  index?: boolean
  /** The rendered header section: delivery block and header. */
  header?: boolean
  /** Small bodies come with the row; for large ones `body` is null and `readBody` reads them. */
  body?: boolean
}

export interface FetchedMessage {
  uid: Uid
  message: MessageId
  /** RFC822.SIZE: the octets of header (with delivery block) and body. */
  size: number
  internalDate: InternalDate
  /** When it came into this mailbox (RFC 8514). */
  savedAt: number
  /** POP3's unique id (RFC 1939 §7): 1 to 70 characters. */
  uidl: string
  journey: JourneyId | null
  index?: MessageIndex
  header?: Buffer
  body?: Buffer | null
}

export interface StoredMessage {
  message: MessageId
  /** Without any delivery block. */
  header: Buffer
  bodySize: number
  index: MessageIndex
}
