/** The jobs behind `Credentials`: verifiers come ready from sasl; nothing here sees a password. */
import { StoreError } from '@pennypost/model'
import type { WriterContext } from '../context.ts'
import { requireAccount } from './mailbox-rows.ts'

export function setPassword(context: WriterContext, args: { account: number; verifier: string; now: number }): void {
  requireAccount(context, args.account)
  context.sql(`DELETE FROM credentials WHERE account = ? AND kind = 'password'`).run(args.account)
  insertCredential(context, { ...args, kind: 'password', label: '', scope: [] })
}

/** Gives its id. */
export function addAppPassword(
  context: WriterContext,
  args: { account: number; label: string; scope: readonly string[]; verifier: string; now: number },
): number {
  requireAccount(context, args.account)
  const { appPasswordsPerAccount: most } = context.limits
  const count = context.pluck(`SELECT count(*) FROM credentials WHERE account = ? AND kind = 'app'`)
  if ((count.get(args.account) as number) >= most) {
    throw new StoreError('limit', `an account has at most ${most} app passwords`)
  }
  return insertCredential(context, { ...args, kind: 'app' })
}

function insertCredential(
  context: WriterContext,
  args: { account: number; kind: string; label: string; scope: readonly string[]; verifier: string; now: number },
): number {
  const { account, kind, label, scope, verifier, now } = args
  const { lastInsertRowid } = context
    .sql('INSERT INTO credentials (account, kind, label, scope, verifier, created_at) VALUES (?, ?, ?, ?, ?, ?)')
    .run(account, kind, label, JSON.stringify(scope), verifier, now)
  return Number(lastInsertRowid)
}

export function removeCredential(context: WriterContext, args: { account: number; id: number }): boolean {
  return context.sql('DELETE FROM credentials WHERE account = ? AND id = ?').run(args.account, args.id).changes > 0
}

export function setScram(context: WriterContext, args: { id: number; scram: string }): void {
  context.sql('UPDATE credentials SET scram = ? WHERE id = ?').run(args.scram, args.id)
}

export function touchCredential(context: WriterContext, args: { id: number; now: number }): void {
  context.sql('UPDATE credentials SET last_used_at = ? WHERE id = ?').run(args.now, args.id)
}
