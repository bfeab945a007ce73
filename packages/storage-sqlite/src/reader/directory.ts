import type { Account, AccountId, Alias, Credential, Domain, Usage } from '@pennypost/model'
import { type Reader, readPages } from './reader.ts'

/** Domains, accounts, aliases, grants, credentials: by key, through statements that are prepared once. */
const selectDomains =
  'SELECT name, kind, target, catch_all AS catchAll, verify_recipients AS verifyRecipients FROM domains'
type DomainRow = Omit<Domain, 'verifyRecipients'> & { verifyRecipients: number }

export function readDomain(reader: Reader, name: string): Domain | undefined {
  const row = reader.sql(`${selectDomains} WHERE name = ?`).get(name) as DomainRow | undefined
  return row && domainOfRow(row)
}

export function readDomains(reader: Reader): Promise<Domain[]> {
  const select = reader.sql(`${selectDomains} WHERE name > ? ORDER BY name LIMIT ?`)
  return readPages(reader, (after: Domain | undefined, limit) => {
    return (select.all(after?.name ?? '', limit) as DomainRow[]).map(domainOfRow)
  })
}

function domainOfRow(row: DomainRow): Domain {
  return { ...row, verifyRecipients: row.verifyRecipients === 1 }
}

const selectAccounts = `SELECT id, login, name, quota, suspended, admin, copy_sent AS copySent, created_at AS createdAt,
  disabled_capabilities AS disabledCapabilities, removed_at AS removedAt FROM accounts`
type AccountRow = Omit<Account, 'suspended' | 'admin' | 'copySent' | 'disabledCapabilities'> & {
  suspended: number
  admin: number
  copySent: number
  disabledCapabilities: string
}

export function readAccount(reader: Reader, id: AccountId): Account | undefined {
  const row = reader.sql(`${selectAccounts} WHERE id = ?`).get(id) as AccountRow | undefined
  return row && accountOf(row)
}

export function readAccountByLogin(reader: Reader, login: string): Account | undefined {
  const row = reader.sql(`${selectAccounts} WHERE login = ?`).get(login) as AccountRow | undefined
  return row && accountOf(row)
}

/** Logins never change, so none is missed and none comes twice. */
export function readAccounts(reader: Reader, domain: string | undefined): Promise<Account[]> {
  const all = reader.sql(`${selectAccounts} WHERE login > ? ORDER BY login LIMIT ?`)
  const inDomain = reader.sql(`${selectAccounts} WHERE domain = ? AND login > ? ORDER BY login LIMIT ?`)
  return readPages(reader, (after: Account | undefined, limit) => {
    const from = after?.login ?? ''
    return ((domain === undefined ? all.all(from, limit) : inDomain.all(domain, from, limit)) as AccountRow[]).map(
      accountOf,
    )
  })
}

export function readFirstAdministrator(reader: Reader): Account | undefined {
  const present = `${selectAccounts} WHERE removed_at IS NULL`
  const row = (reader.sql(`${present} AND admin = 1 ORDER BY id LIMIT 1`).get() ??
    reader.sql(`${present} ORDER BY id LIMIT 1`).get()) as AccountRow | undefined
  return row && accountOf(row)
}

function accountOf(row: AccountRow): Account {
  const { suspended, admin, copySent, disabledCapabilities: disabled } = row
  return {
    ...row,
    suspended: suspended === 1,
    admin: admin === 1,
    copySent: copySent === 1,
    disabledCapabilities: disabled === '[]' ? [] : (JSON.parse(disabled) as string[]),
  }
}

export function readUsage(reader: Reader, id: AccountId): Usage | undefined {
  return reader.sql('SELECT octets, messages FROM usage WHERE account = ?').get(id) as Usage | undefined
}

const selectAliases = 'SELECT address, targets FROM aliases'
type AliasRow = { address: string; targets: string }

export function readAlias(reader: Reader, address: string): Alias | undefined {
  const row = reader.sql(`${selectAliases} WHERE address = ?`).get(address) as AliasRow | undefined
  return row && aliasOf(row)
}

export function readAliases(reader: Reader, domain: string | undefined): Promise<Alias[]> {
  const all = reader.sql(`${selectAliases} WHERE address > ? ORDER BY address LIMIT ?`)
  const inDomain = reader.sql(`${selectAliases} WHERE domain = ? AND address > ? ORDER BY address LIMIT ?`)
  return readPages(reader, (after: Alias | undefined, limit) => {
    const from = after?.address ?? ''
    return ((domain === undefined ? all.all(from, limit) : inDomain.all(domain, from, limit)) as AliasRow[]).map(
      aliasOf,
    )
  })
}

export function readAliasesTo(reader: Reader, target: string): Alias[] {
  const rows = reader
    .sql(`${selectAliases} WHERE address IN (SELECT address FROM alias_targets WHERE target = ?) ORDER BY address`)
    .all(target) as AliasRow[]
  return rows.map(aliasOf)
}

function aliasOf({ address, targets }: AliasRow): Alias {
  return { address, targets: JSON.parse(targets) as string[] }
}

export function readSendAs(reader: Reader, id: AccountId): string[] {
  return reader.pluck('SELECT address FROM send_as WHERE account = ? ORDER BY address').all(id) as string[]
}

const selectCredentials = `SELECT id, account, kind, label, scope, verifier, scram, created_at AS createdAt,
  last_used_at AS lastUsedAt FROM credentials`
type CredentialRow = Omit<Credential, 'scope'> & { scope: string }

export function readCredentials(reader: Reader, account: AccountId): Credential[] {
  const rows = reader.sql(`${selectCredentials} WHERE account = ? ORDER BY id`).all(account) as CredentialRow[]
  return rows.map(credentialOf)
}

export function readCredential(reader: Reader, id: number): Credential | undefined {
  const row = reader.sql(`${selectCredentials} WHERE id = ?`).get(id) as CredentialRow | undefined
  return row && credentialOf(row)
}

export function readAppPassword(reader: Reader, verifier: string): Credential | undefined {
  const row = reader
    .sql(`${selectCredentials} WHERE kind = 'app' AND verifier = ? ORDER BY id LIMIT 1`)
    .get(verifier) as CredentialRow | undefined
  return row && credentialOf(row)
}

function credentialOf(row: CredentialRow): Credential {
  return { ...row, scope: JSON.parse(row.scope) as string[] }
}
