import type { AccountId } from '../ids.ts'

/**
 * Who is who: domains, accounts, aliases, who may send as whom. Changed by administration verbs only; read at every
 * RCPT, so lookups are cheap. Addresses and domains come in their lookup form (`rules/address.ts`): NFC, lower-case,
 * domain as A-label. Policy (details, catch-all order, loops) is `@pennypost/mda`'s.
 */
export interface Domain {
  /** Lower-case A-label. */
  name: string
  kind: 'local' | 'alias' | 'relay'
  /** `alias`: the domain whose local parts it shares. `relay`: the next hop, `host` or `host:port`. Else ''. */
  target: string
  /** Address that takes mail for local parts that do not exist; '' for none. */
  catchAll: string
}

export interface Account {
  id: AccountId
  /** The login name and first address, in lookup form. */
  login: string
  name: string
  /** Octets; 0 = no limit. */
  quota: number
  /** Cannot log in; mail still arrives. */
  suspended: boolean
  admin: boolean
  createdAt: number
  /** Set while removal can still be undone: no login, no mail. */
  removedAt: number | null
}

export interface NewAccount {
  login: string
  name: string
  quota: number
  admin: boolean
}

export interface Alias {
  address: string
  /** Addresses here or elsewhere, in lookup form. */
  targets: readonly string[]
}

export interface Usage {
  octets: number
  messages: number
}

export interface Directory {
  domain(name: string): Promise<Domain | undefined>
  domains(): Promise<Domain[]>
  /** Rejects with `exists`. */
  addDomain(domain: Domain): Promise<void>
  updateDomain(name: string, change: Partial<Omit<Domain, 'name'>>): Promise<void>
  /** Rejects with `exists` while accounts or aliases are in it. */
  removeDomain(name: string): Promise<void>

  account(id: AccountId): Promise<Account | undefined>
  accountByLogin(login: string): Promise<Account | undefined>
  /** In order of login; the removed ones too. */
  accounts(domain?: string): Promise<Account[]>
  /** Makes the account with INBOX, Drafts, Sent, Trash, Junk and Archive. Rejects with `exists`, `no-such-domain`. */
  addAccount(account: NewAccount, now: number): Promise<Account>
  updateAccount(
    id: AccountId,
    change: Partial<Pick<Account, 'name' | 'quota' | 'suspended' | 'admin'>>,
  ): Promise<Account>
  /** Marks it as removed; `restoreAccount` undoes it; `purgeAccounts` ends those removed before `before` for good. */
  removeAccount(id: AccountId, now: number): Promise<void>
  restoreAccount(id: AccountId): Promise<void>
  purgeAccounts(before: number): Promise<number>
  usage(id: AccountId): Promise<Usage>

  alias(address: string): Promise<Alias | undefined>
  aliases(domain?: string): Promise<Alias[]>
  /** Makes or replaces it. Rejects with `exists` where an account has the address, `no-such-domain`. */
  putAlias(alias: Alias): Promise<void>
  removeAlias(address: string): Promise<void>
  /** Aliases that name this address as a target. */
  aliasesTo(target: string): Promise<Alias[]>

  /** Addresses beyond the own ones that this account may send as; `@domain` stands for a whole domain. */
  sendAs(id: AccountId): Promise<string[]>
  grantSendAs(id: AccountId, address: string): Promise<void>
  revokeSendAs(id: AccountId, address: string): Promise<void>

  /** Rises with every change of domains, accounts, aliases or grants: caches compare it. */
  readonly version: number
}
