import { StoreError } from '@pennypost/model'
import type { WriterContext } from '../context.ts'

/** A mailbox as jobs change it: loaded at the start of a job, saved once at its end. */
export interface MailboxState {
  id: number
  account: number
  name: string
  uidValidity: number
  uidNext: number
  highestModSeq: number
  messages: number
  unseen: number
  deleted: number
  size: number
  keywords: string[]
  /** UIDs that the log of expunges holds. */
  expunges: number
  expungeFloor: number
}

const columns = `id, account, name, uid_validity AS uidValidity, uid_next AS uidNext, highest_modseq AS highestModSeq, messages,
  unseen, deleted, size, keywords, expunges, expunge_floor AS expungeFloor`
const byId = `SELECT ${columns} FROM mailboxes WHERE id = ?`
const byName = `SELECT ${columns} FROM mailboxes WHERE account = ? AND name = ?`
const byUse = `SELECT ${columns} FROM mailboxes WHERE account = ? AND special_use = ? ORDER BY id LIMIT 1`

type Row = Omit<MailboxState, 'keywords'> & { keywords: string }

function mailboxState(row: Row): MailboxState {
  return { ...row, keywords: row.keywords === '[]' ? [] : (JSON.parse(row.keywords) as string[]) }
}

/** Rejects with `no-such-mailbox`. */
export function loadMailbox(context: WriterContext, id: number): MailboxState {
  const row = context.sql(byId).get(id) as Row | undefined
  if (!row) throw new StoreError('no-such-mailbox', 'no such mailbox')
  return mailboxState(row)
}

export function findMailbox(context: WriterContext, account: number, name: string): MailboxState | undefined {
  const row = context.sql(byName).get(account, name) as Row | undefined
  return row && mailboxState(row)
}

export function findSpecialUse(context: WriterContext, account: number, use: string): MailboxState | undefined {
  const row = context.sql(byUse).get(account, use) as Row | undefined
  return row && mailboxState(row)
}

/** Writes the counters back and wakes those who watch the account. */
export function saveMailbox(context: WriterContext, mailbox: MailboxState): void {
  context
    .sql(
      `UPDATE mailboxes SET uid_next = ?, highest_modseq = ?, messages = ?, unseen = ?, deleted = ?, size = ?,
        keywords = ?, expunges = ?, expunge_floor = ? WHERE id = ?`,
    )
    .run(
      mailbox.uidNext,
      mailbox.highestModSeq,
      mailbox.messages,
      mailbox.unseen,
      mailbox.deleted,
      mailbox.size,
      mailbox.keywords.length === 0 ? '[]' : JSON.stringify(mailbox.keywords),
      mailbox.expunges,
      mailbox.expungeFloor,
      mailbox.id,
    )
  context.effects.mailboxes.set(mailbox.id, [mailbox.account, mailbox.highestModSeq])
}

/** Adds to what the account uses; negative to take away. */
export function addUsage(context: WriterContext, account: number, octets: number, messages: number): void {
  context
    .sql('UPDATE usage SET octets = octets + ?, messages = messages + ? WHERE account = ?')
    .run(octets, messages, account)
}

/** Rejects with `over-quota` when so many octets more would exceed what the account may use, as `allowed` counts it. */
export function checkQuota(
  context: WriterContext,
  account: number,
  octets: number,
  allowed = (quota: number): number => quota,
): void {
  const row = context.raw('SELECT quota, octets FROM accounts JOIN usage ON account = id WHERE id = ?').get(account) as
    | [number, number]
    | undefined
  if (!row) throw new StoreError('no-such-account', 'no such account')
  const [quota, used] = row
  if (quota > 0 && octets > 0 && used + octets > allowed(quota))
    throw new StoreError('over-quota', `the quota is ${quota} octets`)
}

/** Rejects with `no-such-account`. */
export function requireAccount(context: WriterContext, account: number): void {
  if (context.pluck('SELECT 1 FROM accounts WHERE id = ?').get(account)) return
  throw new StoreError('no-such-account', 'no such account')
}
