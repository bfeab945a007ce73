import { type Alias, type Domain, domainOf, type NewDomain, StoreError } from '@pennypost/model'
import type { WriterContext } from '../context.ts'

/** Domains and aliases. Accounts are in `accounts.ts`. */
export function addDomain(context: WriterContext, domain: NewDomain): void {
  const { changes } = context
    .sql('INSERT OR IGNORE INTO domains (name, kind, target, catch_all, verify_recipients) VALUES (?, ?, ?, ?, ?)')
    .run(domain.name, domain.kind, domain.target, domain.catchAll, domain.verifyRecipients ? 1 : 0)
  if (changes === 0) throw new StoreError('exists', `${domain.name} exists`)
}

export function updateDomain(
  context: WriterContext,
  { name, kind, target, catchAll, verifyRecipients }: { name: string } & Partial<Domain>,
): void {
  requireDomain(context, name)
  const verify = verifyRecipients === undefined ? null : Number(verifyRecipients)
  context
    .sql(
      `UPDATE domains SET kind = coalesce(?, kind), target = coalesce(?, target),
        catch_all = coalesce(?, catch_all), verify_recipients = coalesce(?, verify_recipients) WHERE name = ?`,
    )
    .run(kind ?? null, target ?? null, catchAll ?? null, verify, name)
}

export function removeDomain(context: WriterContext, name: string): void {
  requireDomain(context, name)
  const used = context
    .pluck('SELECT 1 FROM accounts WHERE domain = ? UNION SELECT 1 FROM aliases WHERE domain = ?')
    .get(name, name)
  if (used) throw new StoreError('exists', `there are accounts or aliases in ${name}`)
  context.sql('DELETE FROM domains WHERE name = ?').run(name)
}

export function putAlias(context: WriterContext, alias: Alias): void {
  const { address, targets } = alias
  const domain = domainOf(address)
  requireDomain(context, domain)
  if (context.pluck('SELECT 1 FROM accounts WHERE login = ? AND removed_at IS NULL').get(address)) {
    throw new StoreError('exists', `${address} is an account`)
  }
  context
    .sql('INSERT OR REPLACE INTO aliases (address, domain, targets) VALUES (?, ?, ?)')
    .run(address, domain, JSON.stringify(targets))
  context.sql('DELETE FROM alias_targets WHERE address = ?').run(address)
  const insert = context.sql('INSERT OR IGNORE INTO alias_targets (target, address) VALUES (?, ?)')
  for (const target of targets) insert.run(target, address)
}

export function removeAlias(context: WriterContext, address: string): void {
  const { changes } = context.sql('DELETE FROM aliases WHERE address = ?').run(address)
  if (changes === 0) throw new StoreError('no-such-alias', `there is no alias ${address}`)
  context.sql('DELETE FROM alias_targets WHERE address = ?').run(address)
}

/** Rejects with `no-such-domain`. */
function requireDomain(context: WriterContext, domain: string): void {
  if (!context.pluck('SELECT 1 FROM domains WHERE name = ?').get(domain)) {
    throw new StoreError('no-such-domain', `there is no domain ${domain}`)
  }
}
