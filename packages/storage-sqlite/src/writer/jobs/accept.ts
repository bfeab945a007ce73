import {
  type MemoryNote,
  mailboxName,
  StoreError,
  systemFlags,
  type Uid,
  type UidValidity,
  uidlOf,
} from '@pennypost/model'
import type { WriterContext } from '../context.ts'
import { type FlowRow, findUnconfirmed, insertFlow, recordFlow } from './flow.ts'
import { flagBits } from './keywords.ts'
import { addUsage, checkQuota, findMailbox, findSpecialUse, type MailboxState, saveMailbox } from './mailbox-rows.ts'
import { checkNotes, noteMemory } from './memory.ts'
import { insertFiling, insertMessage, type PackedMessage } from './message-rows.ts'
import { insertQueueEntry, type PackedQueueEntry } from './queue-rows.ts'

/**
 * Acceptances: everything that one final reply stands for, in the caller's savepoint. Used by `accept` itself and by
 * `settle`, where DSNs and local filings ride along.
 */
export interface PackedAcceptance {
  journey: string
  at: number
  now: number
  fingerprint: string | null
  unlessFull: readonly number[]
  message: PackedMessage
  messageId: string
  filings: readonly PackedFiling[]
  queue: readonly PackedQueueEntry[]
  memory: readonly MemoryNote[]
  /** The acceptance's own journey first. */
  flow: readonly FlowRow[]
}

export interface PackedFiling {
  account: number
  mailbox: string
  flags: readonly string[]
  forwardPaths: readonly string[]
  /** Where the delivery block stands in `message.octets`. */
  deliveryStart: number
  deliveryEnd: number
}

export interface AcceptedRow {
  journey: string
  repeated: boolean
  filed: { account: number; mailbox: number; uid: number }[]
  queued: number[]
}

export function accept(context: WriterContext, acceptances: readonly PackedAcceptance[]): AcceptedRow[] {
  for (const { memory } of acceptances) checkNotes(memory)
  const earlier = acceptances.map(({ fingerprint, at }) =>
    fingerprint === null ? undefined : findUnconfirmed(context, fingerprint, at),
  )
  const [first] = earlier
  // What rides with a message that is repeated was stored with it.
  const stored = acceptances.map(({ journey }, at) => (at > 0 && first !== undefined ? journey : earlier[at]))
  for (const [at, { unlessFull }] of acceptances.entries()) {
    if (stored[at] === undefined) for (const account of unlessFull) checkQuota(context, account, 1)
  }
  return acceptances.map((acceptance, at) => acceptOne(context, acceptance, stored[at]))
}

/** `stored`: the journey under which it is in the store already. */
function acceptOne(context: WriterContext, acceptance: PackedAcceptance, stored: string | undefined): AcceptedRow {
  const { fingerprint, message, journey } = acceptance
  if (stored !== undefined) {
    if (message.file !== null) context.effects.unlink.push(message.file)
    return { journey: stored, repeated: true, filed: [], queued: [] }
  }
  const targets = filingTargets(context, acceptance.filings)
  const refs = targets.length + acceptance.queue.length
  if (refs === 0 && message.file !== null) context.effects.unlink.push(message.file)
  const id = refs === 0 ? 0 : insertMessage(context, message, refs)
  const events: object[] = []
  const filed = targets.map((target) => fileOne(context, acceptance, id, target, events))
  const queued = acceptance.queue.map((entry) => queueOne(context, acceptance, id, entry, events))
  noteMemory(context, acceptance.memory)
  const [own, ...others] = acceptance.flow
  if (own && (own.events !== '[]' || events.length > 0 || fingerprint !== null)) {
    insertFlow(context, { ...own, events: withEvents(own.events, events) }, fingerprint)
  }
  recordFlow(context, others)
  return { journey, repeated: false, filed, queued }
}

/** A JSON array with more elements. */
function withEvents(array: string, events: readonly object[]): string {
  if (events.length === 0) return array
  const more = JSON.stringify(events)
  return array === '[]' ? more : `${array.slice(0, -1)},${more.slice(1)}`
}

interface Target {
  filing: PackedFiling
  forwardPaths: string[]
  login: string
  mailbox: MailboxState
}

/** One filing per account and mailbox: the first forward-path wins for Delivered-To, the journey names them all. */
function filingTargets(context: WriterContext, filings: readonly PackedFiling[]): Target[] {
  const targets: Target[] = []
  for (const filing of filings) {
    const login = context.pluck('SELECT login FROM accounts WHERE id = ?').get(filing.account) as string | undefined
    if (login === undefined) throw new StoreError('no-such-account', 'the account is gone')
    const mailbox = target(context, filing)
    const same = targets.find((other) => other.mailbox.id === mailbox.id)
    if (same) same.forwardPaths.push(...filing.forwardPaths)
    else targets.push({ filing, forwardPaths: [...filing.forwardPaths], login, mailbox })
  }
  return targets
}

function target(context: WriterContext, { account, mailbox: name }: PackedFiling): MailboxState {
  const named = name.startsWith('\\')
    ? findSpecialUse(context, account, name)
    : findMailbox(context, account, mailboxName(name) ?? name)
  const mailbox = named ?? findMailbox(context, account, 'INBOX')
  if (!mailbox) throw new StoreError('no-such-mailbox', 'the account has no INBOX')
  return mailbox
}

function fileOne(
  context: WriterContext,
  { journey, at, now, message }: PackedAcceptance,
  id: number,
  { filing, forwardPaths, login, mailbox }: Target,
  events: object[],
): { account: number; mailbox: number; uid: number } {
  const flags = flagBits(context, mailbox, filing.flags)
  const delivery = message.octets.subarray(filing.deliveryStart, filing.deliveryEnd)
  const size = delivery.length + message.headerSize + message.bodySize
  const uid = mailbox.uidNext
  const modSeq = context.modSeq(mailbox.account)
  insertFiling(context, {
    mailbox: mailbox.id,
    uid,
    message: id,
    size,
    internalAt: at,
    internalOffset: 0,
    savedAt: now,
    uidl: defaultUidl(mailbox, uid),
    journey,
    delivery,
    flags,
    modSeq,
  })
  arrived(mailbox, modSeq, size, flags)
  saveMailbox(context, mailbox)
  addUsage(context, mailbox.account, size, 1)
  events.push({ journey, at: now, kind: 'filed', login, mailbox: mailbox.name, uid, forwardPaths })
  return { account: mailbox.account, mailbox: mailbox.id, uid }
}

export function defaultUidl(mailbox: MailboxState, uid: number): string {
  return uidlOf(mailbox.uidValidity as UidValidity, uid as Uid)
}

/** Counts one more message into the mailbox. */
export function arrived(mailbox: MailboxState, modSeq: number, size: number, flags: number): void {
  mailbox.uidNext++
  mailbox.highestModSeq = modSeq
  mailbox.messages++
  mailbox.size += size
  if ((flags & systemFlags['\\Seen']) === 0) mailbox.unseen++
  if ((flags & systemFlags['\\Deleted']) !== 0) mailbox.deleted++
}

function queueOne(
  context: WriterContext,
  { journey, at, now, message, messageId }: PackedAcceptance,
  id: number,
  entry: PackedQueueEntry,
  events: object[],
): number {
  const size = message.headerSize + message.bodySize
  const row = { entry, journey, message: id, acceptedAt: at, size, messageId }
  const queueId = insertQueueEntry(context, row)
  const { destination, forwardPaths, reversePath } = entry
  const from = reversePath === undefined ? {} : { reversePath }
  events.push({ journey, at: now, kind: 'queued', entry: queueId, destination, forwardPaths, ...from })
  return queueId
}
