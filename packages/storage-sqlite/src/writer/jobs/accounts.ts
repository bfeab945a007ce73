import { domainOf, firstUidValidity, type NewAccount, newAccountMailboxes, StoreError } from '@pennypost/model'
import type { WriterContext } from '../context.ts'
import { uidValidities } from '../reserved-numbers.ts'
import { setPassword } from './credentials.ts'
import { requireAccount } from './mailbox-rows.ts'
import { bury, insertMailbox, subscribe } from './mailboxes.ts'

/** Makes the account with its first mailboxes, all subscribed, and its password; gives its id. */
export function addAccount(context: WriterContext, args: { account: NewAccount; now: number }): number {
  const { login, name, quota, admin, verifier } = args.account
  const domain = domainOf(login)
  const taken = context.pluck('SELECT 1 FROM accounts WHERE login = ? UNION SELECT 1 FROM aliases WHERE address = ?')
  if (taken.get(login, login)) throw new StoreError('exists', `${login} exists`)
  if (!context.pluck(`SELECT 1 FROM domains WHERE name = ? AND kind = 'local'`).get(domain)) {
    throw new StoreError('no-such-domain', `${domain} is no local domain`)
  }
  const { lastInsertRowid } = context
    .sql(
      `INSERT INTO accounts (login, domain, name, quota, suspended, admin, created_at)
        VALUES (?, ?, ?, ?, 0, ?, ?)`,
    )
    .run(login, domain, name, quota, admin ? 1 : 0, args.now)
  const id = Number(lastInsertRowid)
  context.numbers.raise(uidValidities, firstUidValidity(args.now))
  context.sql('INSERT INTO usage (account, octets, messages) VALUES (?, 0, 0)').run(id)
  for (const { name: mailbox, specialUse } of newAccountMailboxes) {
    insertMailbox(context, id, mailbox, specialUse ?? null)
    subscribe(context, { account: id, name: mailbox, subscribed: true })
  }
  if (verifier !== undefined) setPassword(context, { account: id, verifier, now: args.now })
  return id
}

export function updateAccount(
  context: WriterContext,
  args: {
    id: number
    name?: string
    quota?: number
    suspended?: boolean
    admin?: boolean
    copySent?: boolean
    disabledCapabilities?: readonly string[]
  },
): void {
  const { id, name, quota, suspended, admin, copySent, disabledCapabilities } = args
  const { changes } = context
    .sql(
      `UPDATE accounts SET name = coalesce(?, name), quota = coalesce(?, quota),
        suspended = coalesce(?, suspended), admin = coalesce(?, admin),
        copy_sent = coalesce(?, copy_sent), disabled_capabilities = coalesce(?, disabled_capabilities) WHERE id = ?`,
    )
    .run(
      name ?? null,
      quota ?? null,
      bit(suspended),
      bit(admin),
      bit(copySent),
      disabledCapabilities ? JSON.stringify(disabledCapabilities) : null,
      id,
    )
  if (changes === 0) throw noSuchAccount()
}

/** `now` null restores it. */
export function setRemoved(context: WriterContext, args: { id: number; now: number | null }): void {
  const alias = 'SELECT address FROM aliases WHERE address = (SELECT login FROM accounts WHERE id = ?)'
  const taken = args.now === null ? context.pluck(alias).get(args.id) : undefined
  if (taken !== undefined) throw new StoreError('exists', `${taken} is an alias`)
  const { changes } = context.sql('UPDATE accounts SET removed_at = ? WHERE id = ?').run(args.now, args.id)
  if (changes === 0) throw noSuchAccount()
  // Nobody has rights in its mailboxes any more, or has them again.
  context.effects.accounts.add(args.id)
}

/** Ends one account removed before `before` for good; its mail goes piece by piece (`reap`). False: there is none. */
export function purgeAccount(context: WriterContext, before: number): boolean {
  const id = context
    .pluck('SELECT id FROM accounts WHERE removed_at < ? ORDER BY removed_at, id LIMIT 1')
    .get(before) as number | undefined
  if (id === undefined) return false
  const mailboxes = context.pluck('SELECT id FROM mailboxes WHERE account = ?').all(id) as number[]
  for (const mailbox of mailboxes) bury(context, mailbox)
  context.sql('DELETE FROM acl WHERE grantee = ?').run(id)
  context.sql('DELETE FROM annotations WHERE payer = ? AND account = ?').run(id, id)
  for (const mailbox of context.pluck('SELECT mailbox FROM viewers WHERE viewer = ?').all(id)) {
    context.sql('DELETE FROM seen WHERE mailbox = ? AND viewer = ?').run(mailbox, id)
  }
  context.sql('DELETE FROM viewers WHERE viewer = ?').run(id)
  for (const table of ['usage', 'subscriptions', 'send_as', 'credentials']) {
    context.sql(`DELETE FROM ${table} WHERE account = ?`).run(id)
  }
  context.sql('DELETE FROM accounts WHERE id = ?').run(id)
  context.sql('DELETE FROM counters WHERE owner = ?').run(id)
  context.numbers.forget(id)
  return true
}

export function grantSendAs(context: WriterContext, args: { id: number; address: string; granted: boolean }): void {
  requireAccount(context, args.id)
  const text = args.granted
    ? 'INSERT OR IGNORE INTO send_as (account, address) VALUES (?, ?)'
    : 'DELETE FROM send_as WHERE account = ? AND address = ?'
  context.sql(text).run(args.id, args.address)
}

function noSuchAccount(): StoreError {
  return new StoreError('no-such-account', 'no such account')
}

function bit(value: boolean | undefined): number | null {
  return value === undefined ? null : value ? 1 : 0
}
