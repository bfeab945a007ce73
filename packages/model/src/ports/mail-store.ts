import type { Flag, FlagMode } from '../flags.ts'
import type { AccountId, JourneyId, MailboxId, MessageId, ModSeq, Uid, UidValidity } from '../ids.ts'
import type { FlagKinds } from '../rules/rights.ts'
import type { SearchQuery } from '../search-query.ts'
import type { UidSet } from '../uid-set.ts'
import type { Acceptance, Accepted, ContentStage, NewMessage, ReservedRoom } from './acceptance.ts'
import type { MessageIndex } from './message-index.ts'

/**
 * Mailboxes and messages. One verb is one transaction; verbs marked durable are synced before they resolve, relaxed
 * ones within 100 ms. Refusals are `StoreError`. The change log is the truth: `watch` only wakes, `changesSince` tells.
 *
 * `viewer` is an account that looks into a mailbox of another: \Seen, and with it `unseen`, is then that account's own.
 * Absent, or the owner: the owner's. Whether it may look is asked in `changesSince` alone, so that a right that is taken
 * away ends what goes on; all else is for the caller to know (`Sharing.rights`).
 */
export interface MailStore {
  // --- arrival ---
  /**
   * Promises room for new mail of so many octets (0: nobody said how many); undefined when it would leave less than the
   * reserve: 452 4.3.1, NO [UNAVAILABLE]. To be disposed when the mail is stored or will not come, again and again if
   * need be.
   */
  reserve(octets: number): ReservedRoom | undefined
  /** For content that `room` was promised to. It rejects with `no-room` where there is no more room than that. */
  stage(room?: ReservedRoom): ContentStage
  /**
   * All or nothing, durable; consumes the staged contents, also when it rejects. One result for each, in order. Where the
   * first is repeated, so is what rides with it: nothing of the others is stored.
   * Quota was asked at RCPT, and refuses here only what says `unlessFull`, with `over-quota`. INTERNALDATE is
   * `acceptedAt`. Rejects with `no-such-account`.
   */
  accept(acceptances: readonly Acceptance[]): Promise<Accepted[]>
  /** The 250 of this acceptance may not have been read: its fingerprint is honoured for an hour. */
  unconfirm(journey: JourneyId, now: number): Promise<void>
  /**
   * Durable; all messages or none; consumes the contents, also when it rejects. UIDs are consecutive, in order.
   * Keywords without a place are left out, as in filings, and what `acting` may not set. Rejects with `over-quota`,
   * `no-such-mailbox`.
   */
  append(mailbox: MailboxId, messages: readonly NewAppend[], acting?: Acting): Promise<Appended>
  /**
   * Durable, in one: a message comes into `to` as by `append`, and `gone` goes out of `from`, which may be the same mailbox.
   * Within one account the quota has to have room only for what the new one is larger. Rejects with `no-such-message` when
   * `gone` is not there, `over-quota`, `no-such-mailbox`.
   */
  replace(from: MailboxId, gone: Uid, to: MailboxId, message: NewAppend, acting?: Acting): Promise<Replaced>

  // --- mailboxes (durable) ---
  /** All of the account's, in order of name (octets of UTF-8), INBOX first; none for an unknown account. */
  mailboxes(account: AccountId): Promise<Mailbox[]>
  mailbox(id: MailboxId, viewer?: AccountId): Promise<Mailbox | undefined>
  /** The account's mailbox of exactly this name. */
  mailboxByName(account: AccountId, name: string, viewer?: AccountId): Promise<Mailbox | undefined>
  /**
   * `name` follows `rules/mailbox-name.ts`; superiors are not made. Without `specialUse` a name of `rules/account-mailboxes.ts`
   * has the use that stands there, unless another mailbox has it. Rejects with `mailbox-exists`, `limit`,
   * `mailbox-not-allowed` (also for what lies where those of others are), `no-such-account`, `exists` when another mailbox has
   * the special use, and `no-such-mailbox` when it was deleted before it could be told of.
   */
  createMailbox(account: AccountId, name: string, specialUse?: SpecialUse): Promise<Mailbox>
  /**
   * Inferiors move along, also those of a name that is no mailbox itself; id, UIDVALIDITY and UIDs stay. INBOX: its messages move to a new mailbox `to`, INBOX stays
   * and keeps its inferiors (RFC 9051 §6.3.6), and `to` gets copies of its annotations that are shared or the owner's
   * (RFC 5464 §4.1). Subscriptions stay as they are. Rejects with `no-such-mailbox`, `mailbox-exists` (also when an
   * inferior's new name is taken), `mailbox-not-allowed` (also below itself), `limit`.
   */
  renameMailbox(account: AccountId, from: string, to: string): Promise<void>
  /**
   * Gives the mailbox a special use, or takes it away (RFC 6154 §4). Rejects with `no-such-mailbox`,
   * `mailbox-not-allowed` for INBOX, `exists` when another mailbox has it.
   */
  setSpecialUse(account: AccountId, name: string, specialUse: SpecialUse | null): Promise<void>
  /**
   * Inferiors stay. Rejects with `no-such-mailbox`, and `mailbox-not-allowed` for INBOX. A mailbox made anew under the
   * name has a higher UIDVALIDITY. Nothing in a deleted mailbox can be read, pinned or not.
   */
  deleteMailbox(account: AccountId, name: string): Promise<void>
  /** Subscribed names, existing or not (RFC 9051 §6.3.7), in order of name. */
  subscriptions(account: AccountId): Promise<string[]>
  /** Rejects with `mailbox-not-allowed` for a name that the rules forbid, `no-such-account`, `limit`. */
  subscribe(account: AccountId, name: string, subscribed: boolean): Promise<void>

  // --- an open mailbox ---
  /** UIDs, flags and MODSEQs of everything in it, consistent with `highestModSeq` in it. */
  snapshot(mailbox: MailboxId, viewer?: AccountId): Promise<MailboxSnapshot>
  /**
   * What changed after `since`, consistent up to `modSeq` in it. A mailbox that is gone, or that the viewer may not read
   * (any more), is told by `deleted`.
   */
  changesSince(mailbox: MailboxId, since: ModSeq, viewer?: AccountId): Promise<MailboxChanges>
  /** UIDs from the returned one on are \Recent for this session, and for no later one. Relaxed. */
  claimRecent(mailbox: MailboxId): Promise<Uid>
  /**
   * Called after each commit that touched a mailbox of the account: messages, flags, expunges, annotations, or the
   * mailbox itself; and when another one's was shared with it by name. `touched`: all the mailboxes that did, with the highest
   * MODSEQ of each since: whoever knows a mailbox up to there has nothing to read. Undefined when mailboxes came, went,
   * or got other names or rights, as when the account was removed.
   * Never from within the verb; what it tells of can be read when it comes.
   */
  watch(account: AccountId, onWake: (touched: ReadonlyMap<MailboxId, ModSeq> | undefined) => void): Disposable

  // --- messages ---
  /** Relaxed. Messages whose flags stay as they are keep their MODSEQ; UIDs that are gone are passed over. */
  updateFlags(mailbox: MailboxId, change: FlagChange, acting?: Acting): Promise<FlagsUpdated>
  /**
   * Durable. UIDs that are gone are passed over. Copies keep flags (keywords by name, as far as there is place) and
   * INTERNALDATE; SAVEDATE and UIDL are new (RFC 9051 §6.4.7, RFC 8514). \Seen is copied as `acting` sees it, and only
   * flags that it may set in the target. Rejects with `over-quota`, of the owner's Trash by `trashQuota`, `no-such-mailbox`,
   * and `no-such-message` when `count` is given and not as many are there.
   */
  copy(from: MailboxId, uids: UidSet, to: MailboxId, acting?: Acting, count?: number): Promise<Copied>
  /**
   * Durable, atomic for each message (RFC 6851 §3.3); as `copy` and `expunge` in one. The same mailbox is allowed and
   * gives new UIDs. Within one account no quota refuses it. Rejects only where nothing has been moved.
   */
  move(from: MailboxId, uids: UidSet, to: MailboxId, acting?: Acting): Promise<Moved>
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
  /**
   * The octets of a body from `start` up to `end` (exclusive), in chunks of at most 256 KB. What is being read stays
   * readable, though it be expunged. The chunks are the caller's, to free too. Rejects with `no-such-message` when nothing
   * refers to the message any more.
   */
  readBody(message: MessageId, start?: number, end?: number): AsyncIterable<Buffer>
  /** Header and size of what queue entries refer to; undefined when nothing refers to it any more. */
  message(message: MessageId): Promise<StoredMessage | undefined>
  /** The UIDs among `within` that match; exact, whatever index may help (RFC 9051 §6.4.4). Flags are the owner's. */
  search(mailbox: MailboxId, query: SearchQuery, within: UidSet, signal?: AbortSignal): Promise<UidSet>
  /**
   * What is expunged from the mailbox from now on stays readable by `fetch` and `readBody` until disposed: for a POP3
   * session's maildrop (RFC 1939 §4), and an export that takes long.
   */
  pin(mailbox: MailboxId): Disposable
}

/** RFC 6154 §2; at most one mailbox of an account has each. */
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
  /**
   * Bit 8 + n of flags is keywords[n], in its first spelling. A new keyword comes last; when all `maxKeywords` places
   * are taken, it gets the first one whose keyword no message bears.
   */
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

export interface Replaced {
  appended: Appended
  expunged: Expunged
}

export interface FlagChange {
  uids: UidSet
  mode: FlagMode
  /** New keywords are added to the mailbox if any message is to bear them; `limit` when there is no place left. */
  flags: readonly Flag[]
  /** RFC 7162 §3.1.3: messages changed after this are left alone and reported. */
  unchangedSince?: ModSeq
}

/**
 * Who acts, where it is not the owner of all that is touched, and which flags its rights let it set in the mailbox that
 * is changed, or copied into. What it may not set stays as it is, or is not copied (RFC 4314 §4).
 */
export interface Acting {
  account: AccountId
  may: FlagKinds
}

export interface FlagsUpdated {
  /** MODSEQ of this change, which is then the mailbox's highest; that one as it is when nothing changed. */
  modSeq: ModSeq
  /**
   * The mailbox's highest MODSEQ before this change: whoever knows the mailbox up to there knows it up to `modSeq` by
   * making the same change. 0 when others have changed it in between or it was made by another than the owner, and the
   * change log alone tells.
   */
  since: ModSeq | 0
  /** Very many messages are changed in steps. Rising: the changed messages up to the UID `last` have got this MODSEQ. */
  steps: readonly { last: number; modSeq: ModSeq }[]
  /** Left alone because of `unchangedSince`. */
  modified: UidSet
}

export interface Copied {
  uidValidity: UidValidity
  /** Same size, same order. */
  source: UidSet
  target: readonly Uid[]
}

export interface Moved extends Copied {
  /** Why the rest has not been moved. */
  failure?: unknown
}

export interface Expunged {
  uids: UidSet
  modSeq: ModSeq
}

export interface FetchNeed {
  uidl?: boolean
  journey?: boolean
  /** These fields of the index. */
  index?: readonly (keyof MessageIndex)[]
  /** The rendered header section: delivery block and header. */
  header?: boolean
  /** The same as text, which is cheaper to read and to cut: `headerText` if it is all ASCII, or else `header`. */
  headerText?: boolean
  /** Small bodies (at least up to 4 KB) come with the row; for large ones `body` is null and `readBody` reads them. */
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
  uidl?: string
  journey?: JourneyId | null
  index?: Partial<MessageIndex>
  header?: Buffer
  headerText?: string
  /** The caller's, to free too (`freeOctets`). */
  body?: Buffer | null
}

export interface StoredMessage {
  message: MessageId
  /** Without any delivery block. */
  header: Buffer
  bodySize: number
  index: MessageIndex
}
