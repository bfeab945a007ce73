/**
 * Everything that the memory engine knows: plain rows in maps. Verbs check all their conditions before their first
 * change, so that nothing ever has to be rolled back; each runs in `commit`, which gives out MODSEQs and wakes.
 *
 * Who calls it: the ports' files beside it.
 */
import type { FlagBits } from '../flags.ts'
import type { QueueEntryId, Uid, UidValidity } from '../ids.ts'
import { type AccountId, type JourneyId, type MailboxId, type MessageId, type ModSeq, modSeq } from '../ids.ts'
import type { Credential } from '../ports/credentials.ts'
import type { Account, Alias, Domain } from '../ports/directory.ts'
import type { FlowEvent } from '../ports/flow.ts'
import type { InternalDate, MailStore, SpecialUse } from '../ports/mail-store.ts'
import type { MessageIndex } from '../ports/message-index.ts'
import type { Memory } from '../ports/policy-memory.ts'
import type { QueueEntry } from '../ports/queue.ts'
import type { SearchText, StoreLimits } from '../ports/store.ts'
import { StoreError, type StoreRefusal } from '../ports/store-error.ts'
import type { Clock, Random } from '../ports/time.ts'
import type { AclEntry } from '../rules/rights.ts'

export interface AccountRow {
  account: Account
  /** The last MODSEQ and the last UIDVALIDITY given out. */
  modSeq: number
  uidValidity: number
  subscriptions: Set<string>
  sendAs: Set<string>
}

export interface MailboxRow {
  readonly id: MailboxId
  readonly owner: AccountRow
  name: string
  specialUse: SpecialUse | null
  readonly uidValidity: UidValidity
  uidNext: Uid
  recentUid: Uid
  highestModSeq: ModSeq
  keywords: string[]
  /** By UID, in order of UID. */
  readonly filings: Map<number, FilingRow>
  /** In order of MODSEQ. */
  expunged: { uid: Uid; modSeq: ModSeq }[]
  expungeFloor: number
  acl: readonly AclEntry[]
  /** \Seen of accounts that are not the owner, by UID. */
  readonly seen: Map<AccountId, Map<number, SeenRow>>
  annotations: readonly AnnotationRow[]
}

export interface SeenRow {
  seen: boolean
  modSeq: ModSeq
}

export interface AnnotationRow {
  readonly entry: string
  /** null: shared. */
  readonly account: AccountId | null
  /** null: taken away. */
  readonly value: Buffer | null
  modSeq: ModSeq
}

/** Somebody who reads on in a mailbox, with what was expunged from it since. */
export interface Pin {
  readonly mailbox: MailboxRow
  readonly kept: Map<number, FilingRow>
}

export interface FilingRow {
  readonly uid: Uid
  readonly message: MessageRow
  readonly delivery: Buffer
  readonly internalDate: InternalDate
  readonly savedAt: number
  readonly uidl: string
  readonly journey: JourneyId | null
  flags: FlagBits
  modSeq: ModSeq
}

/** Stored once, however many filings, queue entries and pins refer to it. */
export interface MessageRow {
  readonly id: MessageId
  readonly header: Buffer
  readonly body: Buffer
  readonly index: MessageIndex
  references: number
}

export interface QueueRow {
  entry: Omit<QueueEntry, 'leasedUntil'>
  readonly message: MessageRow
  lease: { id: string; until: number } | null
}

export interface MemoryRow extends Memory {
  expiresAt: number
}

export interface State {
  readonly clock: Clock
  readonly random: Random
  readonly searchText: SearchText
  readonly limits: StoreLimits & { octets: number }
  closed: boolean
  /** Octets of room that are promised to content. */
  promised: number
  /** The last id given out, of any kind: ids are never reused. */
  lastId: number
  readonly domains: Map<string, Domain>
  readonly accounts: Map<AccountId, AccountRow>
  readonly aliases: Map<string, Alias>
  readonly credentials: Map<number, Credential>
  readonly mailboxes: Map<MailboxId, MailboxRow>
  readonly pins: Set<Pin>
  /** Those of the server. */
  annotations: readonly AnnotationRow[]
  readonly messages: Map<MessageId, MessageRow>
  readonly queue: Map<QueueEntryId, QueueRow>
  readonly journeys: Map<JourneyId, FlowEvent[]>
  readonly memory: Map<string, MemoryRow>
  /** Fingerprints of acceptances, oldest first; `unconfirmedUntil` is 0 as long as nobody doubts that the 250 was read. */
  readonly fingerprints: Map<JourneyId, { fingerprint: string; unconfirmedUntil: number }>
  readonly mailWatchers: Set<{ account: AccountId; onWake: Parameters<MailStore['watch']>[1] }>
  readonly queueWatchers: Set<{ onWake: () => void }>
  directoryVersion: number
  credentialsVersion: number
}

export function nextId(state: State): number {
  return ++state.lastId
}

export function refuse(reason: StoreRefusal, text: string): never {
  throw new StoreError(reason, text)
}

export function requireOpen(state: State): void {
  if (state.closed) refuse('unavailable', 'The store is closed.')
}

export function accountRow(state: State, id: AccountId): AccountRow {
  return state.accounts.get(id) ?? refuse('no-such-account', `There is no account ${id}.`)
}

export function mailboxRow(state: State, id: MailboxId): MailboxRow {
  return state.mailboxes.get(id) ?? refuse('no-such-mailbox', `There is no mailbox ${id}.`)
}

/** The account's mailboxes in order of name, INBOX first. */
export function mailboxRows(state: State, account: AccountId): MailboxRow[] {
  const rank = (row: MailboxRow) => (row.name === 'INBOX' ? 0 : 1)
  return [...state.mailboxes.values()]
    .filter((row) => row.owner.account.id === account)
    .sort((a, b) => rank(a) - rank(b) || compareText(a.name, b.name))
}

/** What one transaction has touched. */
export class Changes {
  readonly #modSeqs = new Map<AccountRow, ModSeq>()
  /** Owners of mailboxes that came, went, or got other names or rights, and who was given rights. */
  readonly accounts = new Set<AccountRow>()
  readonly mailboxes = new Set<MailboxRow>()
  queue = false

  /** This transaction's MODSEQ for the mailbox's owner, as the mailbox's new highest. */
  raise(mailbox: MailboxRow): ModSeq {
    const owner = mailbox.owner
    const current = this.#modSeqs.get(owner) ?? modSeq(++owner.modSeq)
    this.#modSeqs.set(owner, current)
    this.mailboxes.add(mailbox)
    mailbox.highestModSeq = current
    return current
  }
}

/** Runs one transaction. The wakes come after it, and not inside of the caller's step. */
export function commit<Result>(state: State, work: (changes: Changes) => Result): Result {
  requireOpen(state)
  const changes = new Changes()
  const result = work(changes)
  const accounts = new Set([...changes.accounts].map((row) => row.account.id))
  for (const { account, onWake } of state.mailWatchers) {
    const touched = [...changes.mailboxes].filter((row) => row.owner.account.id === account)
    const modSeqs = new Map(touched.map((row) => [row.id, row.highestModSeq]))
    if (accounts.has(account)) queueMicrotask(() => onWake(undefined))
    else if (modSeqs.size > 0) queueMicrotask(() => onWake(modSeqs))
  }
  if (changes.queue) for (const watcher of state.queueWatchers) queueMicrotask(watcher.onWake)
  return result
}

/** Adds a watcher to its set; disposing takes it out again. */
export function watchIn<Watcher>(watchers: Set<Watcher>, watcher: Watcher): Disposable {
  watchers.add(watcher)
  return {
    [Symbol.dispose]() {
      watchers.delete(watcher)
    },
  }
}

/** Order of octets in UTF-8, the same in every engine. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
