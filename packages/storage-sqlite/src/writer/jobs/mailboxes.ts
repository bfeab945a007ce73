/** CREATE, RENAME, DELETE, SUBSCRIBE, and special uses. */
import { isAmongOthers, mailboxName, StoreError, superiors, useByName } from '@pennypost/model'
import type { WriterContext } from '../context.ts'
import { uidValidities } from '../reserved-numbers.ts'
import { copyAnnotations } from './annotations.ts'
import { moveRows } from './copy.ts'
import { filingRows, releaseGhosts } from './expunge.ts'
import {
  addUsage,
  findMailbox,
  findSpecialUse,
  loadMailbox,
  type MailboxState,
  requireAccount,
} from './mailbox-rows.ts'
import { releaseMessages } from './message-rows.ts'
import { inheritAcl } from './sharing.ts'

/** Gives the mailbox's id. */
export function createMailbox(
  context: WriterContext,
  args: { account: number; name: string; specialUse: string | null },
): number {
  const { account, specialUse } = args
  requireAccount(context, account)
  const name = newName(context, account, args.name)
  const { mailboxesPerAccount } = context.limits
  const count = context.pluck('SELECT count(*) FROM mailboxes WHERE account = ?').get(account) as number
  if (count >= mailboxesPerAccount) {
    throw new StoreError('limit', `an account has at most ${mailboxesPerAccount} mailboxes`)
  }
  if (specialUse !== null && findSpecialUse(context, account, specialUse)) {
    throw new StoreError('exists', `another mailbox is ${specialUse}`)
  }
  const byName = useByName(name)
  const free = byName !== undefined && !findSpecialUse(context, account, byName) ? byName : null
  const id = insertMailbox(context, account, name, specialUse ?? free)
  inheritAcl(context, id, account, superiors(name))
  return id
}

function allowedName(name: string): string {
  const allowed = mailboxName(name)
  if (allowed === undefined) throw new StoreError('mailbox-not-allowed', 'the mailbox name is not allowed')
  return allowed
}

function newName(context: WriterContext, account: number, name: string): string {
  const allowed = allowedName(name)
  if (isAmongOthers(allowed)) throw new StoreError('mailbox-not-allowed', 'mailboxes of others are called so')
  if (findMailbox(context, account, allowed)) throw new StoreError('mailbox-exists', `${allowed} exists`)
  return allowed
}

function namedMailbox(context: WriterContext, account: number, name: string): MailboxState {
  const mailbox = findMailbox(context, account, mailboxName(name) ?? '')
  if (!mailbox) throw new StoreError('no-such-mailbox', `${name} does not exist`)
  return mailbox
}

export function insertMailbox(
  context: WriterContext,
  account: number,
  name: string,
  specialUse: string | null,
): number {
  const uidValidity = context.numbers.next(uidValidities)
  const modSeq = context.modSeq(account)
  context.effects.accounts.add(account)
  const { lastInsertRowid } = context
    .sql(
      `INSERT INTO mailboxes (account, name, special_use, uid_validity, uid_next, highest_modseq, messages, unseen,
        deleted, recent_uid, size, keywords, expunges, expunge_floor, change_floor)
        VALUES (?, ?, ?, ?, 1, ?, 0, 0, 0, 1, 0, '[]', 0, 0, 0)`,
    )
    .run(account, name, specialUse, uidValidity, modSeq)
  return Number(lastInsertRowid)
}

export function renameMailbox(
  context: WriterContext,
  args: { account: number; from: string; to: string; now: number; pinned: boolean },
): void {
  const { account } = args
  const from = mailboxName(args.from) ?? ''
  const mailbox = findMailbox(context, account, from)
  const inferiors = context
    .raw('SELECT id, name FROM mailboxes WHERE account = ? AND name > ? AND name < ?')
    .all(account, `${from}/`, `${from}0`) as [number, string][]
  if (!mailbox && inferiors.length === 0) throw new StoreError('no-such-mailbox', `${args.from} does not exist`)
  const to = newName(context, account, args.to)
  if (mailbox?.name === 'INBOX') {
    const target = createMailbox(context, { account, name: to, specialUse: null })
    copyAnnotations(context, mailbox, target)
    const { rows } = filingRows(context, mailbox.id, [1, mailbox.uidNext], 'all', Number.MAX_SAFE_INTEGER)
    moveRows(context, rows, mailbox, loadMailbox(context, target), args)
    return
  }
  if (superiors(to).includes(from)) {
    throw new StoreError('mailbox-not-allowed', 'a mailbox can not move below itself')
  }
  const names = inferiors.map(([, name]) => newName(context, account, to + name.slice(from.length)))
  const rename = context.sql('UPDATE mailboxes SET name = ? WHERE id = ?')
  if (mailbox) rename.run(to, mailbox.id)
  for (const [index, [id]] of inferiors.entries()) rename.run(names[index], id)
  context.effects.accounts.add(account)
}

export function setSpecialUse(
  context: WriterContext,
  args: { account: number; name: string; specialUse: string | null },
): void {
  const { account, specialUse } = args
  const mailbox = namedMailbox(context, account, args.name)
  if (mailbox.name === 'INBOX') throw new StoreError('mailbox-not-allowed', 'INBOX has no special use')
  const holder = specialUse === null ? undefined : findSpecialUse(context, account, specialUse)
  if (holder && holder.id !== mailbox.id) throw new StoreError('exists', `another mailbox is ${specialUse}`)
  context.sql('UPDATE mailboxes SET special_use = ? WHERE id = ?').run(specialUse, mailbox.id)
  context.effects.accounts.add(account)
}

/** Rows of a small mailbox go with it; those of a large one are left to `reap`. */
const rowsAtOnce = 500

export function deleteMailbox(context: WriterContext, args: { account: number; name: string }): void {
  const mailbox = namedMailbox(context, args.account, args.name)
  if (mailbox.name === 'INBOX') throw new StoreError('mailbox-not-allowed', 'INBOX can not be deleted')
  bury(context, mailbox.id)
  addUsage(context, args.account, -mailbox.size, -mailbox.messages)
  if (mailbox.messages <= rowsAtOnce) while (reapGrave(context, mailbox.id, rowsAtOnce) > 0);
}

/** Takes the mailbox away at once and leaves its rows to `reap`, however many they are. */
export function bury(context: WriterContext, mailbox: number): void {
  const account = context.pluck('DELETE FROM mailboxes WHERE id = ? RETURNING account').get(mailbox) as number
  for (const table of ['acl', 'viewers', 'annotations']) {
    context.sql(`DELETE FROM ${table} WHERE mailbox = ?`).run(mailbox)
  }
  context.sql('INSERT INTO graves (mailbox) VALUES (?)').run(mailbox)
  context.effects.accounts.add(account)
}

/** Takes away up to `limit` rows of mailboxes that are gone. Gives how many it took; 0 means that nothing is left. */
export function reap(context: WriterContext, limit: number): number {
  const grave = context.pluck('SELECT mailbox FROM graves LIMIT 1').get() as number | undefined
  return grave === undefined ? 0 : Math.max(1, reapGrave(context, grave, limit))
}

function reapGrave(context: WriterContext, grave: number, limit: number): number {
  const rows = context
    .raw('SELECT uid, message FROM filings WHERE mailbox = ? ORDER BY uid LIMIT ?')
    .all(grave, limit) as [number, number][]
  if (rows.length > 0) {
    const last = rows.at(-1)?.[0]
    context.sql('DELETE FROM filings WHERE mailbox = ? AND uid <= ?').run(grave, last)
    context.sql('DELETE FROM marks WHERE mailbox = ? AND uid <= ?').run(grave, last)
    releaseMessages(
      context,
      rows.map(([, message]) => message),
    )
    return rows.length
  }
  const log = context
    .sql('DELETE FROM changes WHERE mailbox = ? ORDER BY expunged, modseq, first LIMIT ?')
    .run(grave, limit).changes
  if (log > 0) return log
  const seen = context.sql('DELETE FROM seen WHERE mailbox = ? ORDER BY viewer, uid LIMIT ?').run(grave, limit).changes
  if (seen > 0) return seen
  const ghosts = releaseGhosts(context, { mailbox: grave, upTo: Number.MAX_SAFE_INTEGER, limit })
  if (ghosts === 0) context.sql('DELETE FROM graves WHERE mailbox = ?').run(grave)
  return ghosts
}

export function subscribe(context: WriterContext, args: { account: number; name: string; subscribed: boolean }): void {
  const { account, subscribed } = args
  requireAccount(context, account)
  const name = subscribed ? allowedName(args.name) : (mailboxName(args.name) ?? args.name)
  if (subscribed) requireSubscriptions(context, account, name)
  const text = subscribed
    ? 'INSERT OR IGNORE INTO subscriptions (account, name) VALUES (?, ?)'
    : 'DELETE FROM subscriptions WHERE account = ? AND name = ?'
  context.sql(text).run(account, name)
}

/** Rejects with `limit` when the account has as many as it may, without this one. */
function requireSubscriptions(context: WriterContext, account: number, name: string): void {
  const { subscriptionsPerAccount: most } = context.limits
  const others = context.pluck('SELECT count(*) FROM subscriptions WHERE account = ? AND name <> ?')
  if ((others.get(account, name) as number) >= most) {
    throw new StoreError('limit', `an account has at most ${most} subscriptions`)
  }
}
