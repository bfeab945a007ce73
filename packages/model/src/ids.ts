/**
 * Branded ids: a number that is a UID can not be passed where a sequence number is wanted.
 * They are made by engines and parsers with the functions here, and are plain numbers or strings at run time.
 */
declare const brand: unique symbol
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name }

export type AccountId = Branded<number, 'AccountId'>
export type MailboxId = Branded<number, 'MailboxId'>
/** A stored message: content and index, shared by its filings and its queue entries. */
export type MessageId = Branded<number, 'MessageId'>
export type QueueEntryId = Branded<number, 'QueueEntryId'>

/** RFC 9051 §2.3.1.1: 1…2³²−1, rising, never reused in a mailbox while its UIDVALIDITY stands. */
export type Uid = Branded<number, 'Uid'>
export type UidValidity = Branded<number, 'UidValidity'>
/** RFC 7162 §3.1: below 2⁵³ here, so that a number holds it exactly. */
export type ModSeq = Branded<number, 'ModSeq'>
/** RFC 9051 §2.3.1.2: position in one session's view of a mailbox, from 1. */
export type SeqNum = Branded<number, 'SeqNum'>

/**
 * The id of one mail transaction and of what became of it: what `250 2.0.0 Ok: queued as …` says and what
 * `pennypost trace` takes. 16 characters of Crockford's base 32 (see `createJourneyId`).
 */
export type JourneyId = Branded<string, 'JourneyId'>

export const accountId = (value: number): AccountId => value as AccountId
export const mailboxId = (value: number): MailboxId => value as MailboxId
export const messageId = (value: number): MessageId => value as MessageId
export const queueEntryId = (value: number): QueueEntryId => value as QueueEntryId
export const uid = (value: number): Uid => value as Uid
/** RFC 9051 §2.3.1.1 */
export const highestUid = uid(0xffff_ffff)
export const uidValidity = (value: number): UidValidity => value as UidValidity
export const modSeq = (value: number): ModSeq => value as ModSeq
export const journeyId = (value: string): JourneyId => value as JourneyId
