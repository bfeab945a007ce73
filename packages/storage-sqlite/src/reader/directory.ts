import type { Account, AccountId, Alias, Credential, Domain, Usage } from '@pennypost/model'
import { type Reader, readPages } from './reader.ts'

/** Domains, accounts, aliases, grants, credentials: by key, through statements that are prepared once. */
export function readDomain(reader: Reader, name: string): Domain | undefined {
  const row = reader.raw(`${selectDomains} WHERE name = ?`).get(name) as DomainRow | undefined
  return row && domainOf(row)
}

export function readDomains(reader: Reader): Promise<Domain[]> {
  const select = reader.raw(`${selectDomains} WHERE name > ? ORDER BY name LIMIT ?`)
  return readPages(reader, (after: Domain | undefined, limit) =>
    (select.all(after?.name ?? '', limit) as DomainRow[]).map(domainOf),
  )
}

const selectDomains = 'SELECT name, kind, target, catch_all FROM domains'
type DomainRow = [string, Domain['kind'], string, string]

function domainOf([name, kind, target, catchAll]: DomainRow): Domain {
  return { name, kind, target, catchAll }
}

const selectAccounts =
  'SELECT id, login, name, quota, suspended, admin, copy_sent, created_at, disabled_capabilities, removed_at FROM accounts'
type AccountRow = [
  id: AccountId,
  login: string,
  name: string,
  quota: number,
  suspended: number,
  admin: number,
  copySent: number,
  createdAt: number,
  disabledCapabilities: string,
  removedAt: number | null,
]

export function readAccount(reader: Reader, id: AccountId): Account | undefined {
  const row = reader.raw(`${selectAccounts} WHERE id = ?`).get(id) as AccountRow | undefined
  return row && accountOf(row)
}

export function readAccountByLogin(reader: Reader, login: string): Account | undefined {
  const row = reader.raw(`${selectAccounts} WHERE login = ?`).get(login) as AccountRow | undefined
  return row && accountOf(row)
}

/** Logins never change, so none is missed and none comes twice. */
export function readAccounts(reader: Reader, domain: string | undefined): Promise<Account[]> {
  const all = reader.raw(`${selectAccounts} WHERE login > ? ORDER BY login LIMIT ?`)
  const inDomain = reader.raw(`${selectAccounts} WHERE domain = ? AND login > ? ORDER BY login LIMIT ?`)
  return readPages(reader, (after: Account | undefined, limit) => {
    const from = after?.login ?? ''
    return ((domain === undefined ? all.all(from, limit) : inDomain.all(domain, from, limit)) as AccountRow[]).map(
      accountOf,
    )
  })
}

export function readFirstAdministrator(reader: Reader): Account | undefined {
  const present = `${selectAccounts} WHERE removed_at IS NULL`
  const row = (reader.raw(`${present} AND admin = 1 ORDER BY id LIMIT 1`).get() ??
    reader.raw(`${present} ORDER BY id LIMIT 1`).get()) as AccountRow | undefined
  return row && accountOf(row)
}

function accountOf(row: AccountRow): Account {
  const [id, login, name, quota, suspended, admin, copySent, createdAt, disabled, removedAt] = row
  const disabledCapabilities = disabled === '[]' ? [] : (JSON.parse(disabled) as string[])
  return {
    id,
    login,
    name,
    quota,
    suspended: suspended === 1,
    admin: admin === 1,
    copySent: copySent === 1,
    createdAt,
    disabledCapabilities,
    removedAt,
  }
}

export function readUsage(reader: Reader, id: AccountId): Usage | undefined {
  const row = reader.raw('SELECT octets, messages FROM usage WHERE account = ?').get(id) as [number, number] | undefined
  return row && { octets: row[0], messages: row[1] }
}

const selectAliases = 'SELECT address, targets FROM aliases'

export function readAlias(reader: Reader, address: string): Alias | undefined {
  const row = reader.raw(`${selectAliases} WHERE address = ?`).get(address) as [string, string] | undefined
  return row && aliasOf(row)
}

export function readAliases(reader: Reader, domain: string | undefined): Promise<Alias[]> {
  const all = reader.raw(`${selectAliases} WHERE address > ? ORDER BY address LIMIT ?`)
  const inDomain = reader.raw(`${selectAliases} WHERE domain = ? AND address > ? ORDER BY address LIMIT ?`)
  return readPages(reader, (after: Alias | undefined, limit) => {
    const from = after?.address ?? ''
    return (
      (domain === undefined ? all.all(from, limit) : inDomain.all(domain, from, limit)) as [string, string][]
    ).map(aliasOf)
  })
}

export function readAliasesTo(reader: Reader, target: string): Alias[] {
  const rows = reader
    .raw(`${selectAliases} WHERE address IN (SELECT address FROM alias_targets WHERE target = ?) ORDER BY address`)
    .all(target) as [string, string][]
  return rows.map(aliasOf)
}

function aliasOf([address, targets]: [string, string]): Alias {
  return { address, targets: JSON.parse(targets) as string[] }
}

export function readSendAs(reader: Reader, id: AccountId): string[] {
  return reader.pluck('SELECT address FROM send_as WHERE account = ? ORDER BY address').all(id) as string[]
}

const selectCredentials =
  'SELECT id, account, kind, label, scope, verifier, scram, created_at, last_used_at FROM credentials'
type CredentialRow = [
  id: number,
  account: AccountId,
  kind: Credential['kind'],
  label: string,
  scope: string,
  verifier: string,
  scram: string | null,
  createdAt: number,
  lastUsedAt: number | null,
]

export function readCredentials(reader: Reader, account: AccountId): Credential[] {
  const rows = reader.raw(`${selectCredentials} WHERE account = ? ORDER BY id`).all(account) as CredentialRow[]
  return rows.map(credentialOf)
}

export function readCredential(reader: Reader, id: number): Credential | undefined {
  const row = reader.raw(`${selectCredentials} WHERE id = ?`).get(id) as CredentialRow | undefined
  return row && credentialOf(row)
}

export function readAppPassword(reader: Reader, verifier: string): Credential | undefined {
  const row = reader
    .raw(`${selectCredentials} WHERE kind = 'app' AND verifier = ? ORDER BY id LIMIT 1`)
    .get(verifier) as CredentialRow | undefined
  return row && credentialOf(row)
}

function credentialOf(row: CredentialRow): Credential {
  const [id, account, kind, label, scope, verifier, scram, createdAt, lastUsedAt] = row
  return { id, account, kind, label, scope: JSON.parse(scope) as string[], verifier, scram, createdAt, lastUsedAt }
}
