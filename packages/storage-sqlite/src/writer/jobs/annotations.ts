import { type Annotated, type AnnotationChange, annotationLimits, isPrivateEntry, StoreError } from '@pennypost/model'
import type { WriterContext } from '../context.ts'
import { loadMailbox, type MailboxState, requireAccount, saveMailbox } from './mailbox-rows.ts'

/**
 * SETMETADATA. What is taken away stays as a row without value, so that followers learn of it; of such rows the newest
 * are kept, as many as there can be annotations. 0 stands for the server and for everybody. Gives the MODSEQ.
 */
export function annotate(
  context: WriterContext,
  args: { of: Annotated; account: number; changes: readonly AnnotationChange[] },
): number {
  const mailbox = args.of === 'server' ? undefined : loadMailbox(context, args.of)
  requireAccount(context, args.account)
  let touched = false
  for (const { entry, value } of args.changes) {
    if (value && value.length > annotationLimits.octets) throw new StoreError('limit', 'the value is too large')
    const owner = isPrivateEntry(entry) ? args.account : 0
    if (!value && !exists(context, mailbox, owner, entry)) continue
    touched = true
    put(context, mailbox, { owner, payer: owner || (mailbox?.account ?? 0), entry, value })
  }
  if (!touched) return mailbox?.highestModSeq ?? 0
  for (const owner of [args.account, 0]) keepWithin(context, mailbox, owner)
  for (const payer of [args.account, ...(mailbox ? [mailbox.account] : [])]) requireOctets(context, payer)
  if (!mailbox) return 0
  mailbox.highestModSeq = context.modSeq(mailbox.account)
  saveMailbox(context, mailbox)
  return mailbox.highestModSeq
}

/** RFC 5464 §4.1: a mailbox that INBOX is renamed to gets what is shared, and what is the owner's. */
export function copyAnnotations(context: WriterContext, from: MailboxState, to: number): void {
  const copied = context
    .sql(
      `INSERT INTO annotations (mailbox, account, entry, payer, value, modseq)
        SELECT ?, account, entry, payer, value, ? FROM annotations
        WHERE mailbox = ? AND account IN (0, ?) AND value IS NOT NULL`,
    )
    .run(to, context.modSeq(from.account), from.id, from.account)
  if (copied.changes > 0) requireOctets(context, from.account)
}

const key = 'mailbox = ? AND account = ? AND entry = ?'

function exists(context: WriterContext, mailbox: MailboxState | undefined, owner: number, entry: string): boolean {
  const one = context.pluck(`SELECT 1 FROM annotations WHERE ${key} AND value IS NOT NULL`)
  return one.get(mailbox?.id ?? 0, owner, entry) !== undefined
}

function put(
  context: WriterContext,
  mailbox: MailboxState | undefined,
  row: { owner: number; payer: number; entry: string; value: Uint8Array | null },
): void {
  const { owner, payer, entry, value } = row
  // Nobody follows the server's.
  if (!mailbox && !value) {
    context.sql(`DELETE FROM annotations WHERE ${key}`).run(0, owner, entry)
    return
  }
  context
    .sql('INSERT OR REPLACE INTO annotations (mailbox, account, entry, payer, value, modseq) VALUES (?, ?, ?, ?, ?, ?)')
    .run(mailbox?.id ?? 0, owner, entry, payer, value, mailbox ? context.modSeq(mailbox.account) : 0)
}

function keepWithin(context: WriterContext, mailbox: MailboxState | undefined, owner: number): void {
  const most = context.limits.annotationsPerMailbox
  const where = 'FROM annotations WHERE mailbox = ? AND account = ?'
  const id = mailbox?.id ?? 0
  const count = context.pluck(`SELECT count(*) ${where} AND value IS NOT NULL`).get(id, owner) as number
  if (count > most) throw new StoreError('limit', `there can be ${most} annotations`)
  const old = context.pluck(`SELECT entry ${where} AND value IS NULL ORDER BY modseq DESC, entry LIMIT -1 OFFSET ?`)
  for (const entry of old.all(id, owner, most)) {
    context.sql(`DELETE FROM annotations WHERE ${key}`).run(id, owner, entry)
  }
}

function requireOctets(context: WriterContext, payer: number): void {
  const { annotationOctetsPerAccount: most } = context.limits
  const octets = context
    .pluck('SELECT sum(length(entry) + length(value)) FROM annotations WHERE payer = ? AND value IS NOT NULL')
    .get(payer) as number | null
  if ((octets ?? 0) > most) throw new StoreError('limit', `annotations can have ${most} octets`)
}
