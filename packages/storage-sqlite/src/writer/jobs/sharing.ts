import { changedRights, type Grantee, StoreError } from '@pennypost/model'
import type { WriterContext } from '../context.ts'
import { loadMailbox, requireAccount } from './mailbox-rows.ts'

/** SETACL and DELETEACL: one entry of a mailbox's access control list. 0 stands for anyone. */
export function setAcl(
  context: WriterContext,
  args: {
    mailbox: number
    grantee: Grantee
    negative: boolean
    mode: 'replace' | 'add' | 'remove'
    rights: string
  },
): void {
  const { id, account } = loadMailbox(context, args.mailbox)
  const grantee = args.grantee === 'anyone' ? 0 : args.grantee
  if (grantee !== 0) requireAccount(context, grantee)
  if (grantee === account) throw new StoreError('mailbox-not-allowed', 'the owner has all rights, always')
  const negative = args.negative ? 1 : 0
  const select = 'SELECT rights FROM acl WHERE mailbox = ? AND grantee = ? AND negative = ?'
  const before = context.pluck(select).get(id, grantee, negative) as string | undefined
  const after = changedRights(before ?? '', args.mode, args.rights)
  const { aclEntriesPerMailbox: most } = context.limits
  if (before === undefined && after !== '') {
    const count = context.pluck('SELECT count(*) FROM acl WHERE mailbox = ?').get(id) as number
    if (count >= most) throw new StoreError('limit', `a mailbox has at most ${most} entries`)
  }
  if (after === '') {
    context.sql('DELETE FROM acl WHERE mailbox = ? AND grantee = ? AND negative = ?').run(id, grantee, negative)
  } else {
    context
      .sql('INSERT OR REPLACE INTO acl (mailbox, grantee, negative, rights) VALUES (?, ?, ?, ?)')
      .run(id, grantee, negative, after)
  }
  context.effects.accounts.add(account)
  if (grantee !== 0) context.effects.accounts.add(grantee)
}

/** A new mailbox begins with the entries of its nearest superior; `superiors` are the names above it, nearest last. */
export function inheritAcl(
  context: WriterContext,
  mailbox: number,
  account: number,
  superiors: readonly string[],
): void {
  const find = context.pluck('SELECT id FROM mailboxes WHERE account = ? AND name = ?')
  for (const name of superiors.toReversed()) {
    const superior = find.get(account, name)
    if (superior === undefined) continue
    context
      .sql(
        'INSERT INTO acl (mailbox, grantee, negative, rights) SELECT ?, grantee, negative, rights FROM acl WHERE mailbox = ?',
      )
      .run(mailbox, superior)
    return
  }
}
