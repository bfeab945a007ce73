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
  /** `alias`: the local domain whose local parts it shares. `relay`: the next hop, `host` or `host:port`. Else ''. */
  target: string
  /** Address that takes mail for local parts that do not exist; '' for none. */
  catchAll: string
  /** `relay`: whether strangers' mail is taken only for recipients that the next hop does not refuse. */
  verifyRecipients: boolean
}

/** Without `verifyRecipients` nobody is asked. */
export type NewDomain = Omit<Domain, 'verifyRecipients'> & Partial<Pick<Domain, 'verifyRecipients'>>

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
  /** What it submits is filed in its Sent mailbox too. */
  copySent: boolean
  createdAt: number
  /** IMAP capabilities that its clients are not to see, as `[imap] disable` has them for all. */
  disabledCapabilities: readonly string[]
  /** Set while removal can still be undone: no login, no mail. */
  removedAt: number | null
}

export interface NewAccount {
  login: string
  name: string
  quota: number
  admin: boolean
  /** Of its password, as `Credentials.setPassword` takes it; without one nobody can log in yet. */
  verifier?: string | undefined
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
  /** In order of name. */
  domains(): Promise<Domain[]>
  /** Rejects with `exists`. */
  addDomain(domain: NewDomain): Promise<void>
  /** Rejects with `no-such-domain`. */
  updateDomain(name: string, change: Partial<Omit<Domain, 'name'>>): Promise<void>
  /** Rejects with `exists` while accounts (removed ones too) or aliases are in it, `no-such-domain`. */
  removeDomain(name: string): Promise<void>

  /** Suspended and removed ones too: whoever asks looks at `suspended` and `removedAt`. */
  account(id: AccountId): Promise<Account | undefined>
  /** Likewise. */
  accountByLogin(login: string): Promise<Account | undefined>
  /** In order of login; the removed ones too. */
  accounts(domain?: string): Promise<Account[]>
  /**
   * The administrator who was made first; where there is none, the account that was. Never a removed one. A later account
   * does not get what is written to postmaster by its name.
   */
  firstAdministrator(): Promise<Account | undefined>
  /**
   * Makes the account with `newAccountMailboxes`, subscribed, and its password, at once. Rejects with `exists` where an account (removed ones
   * too) or an alias has the address, with `no-such-domain` unless its domain is a local one.
   */
  addAccount(account: NewAccount, now: number): Promise<Account>
  /** This and what follows rejects with `no-such-account`. */
  updateAccount(
    id: AccountId,
    change: Partial<Pick<Account, 'name' | 'quota' | 'suspended' | 'admin' | 'copySent' | 'disabledCapabilities'>>,
  ): Promise<Account>
  /**
   * Marks it as removed; `restoreAccount` undoes it; `purgeAccounts` ends those removed before `before` for good, with
   * mailboxes, credentials and grants, and gives how many.
   */
  removeAccount(id: AccountId, now: number): Promise<void>
  /** Rejects with `exists` where an alias has the address now. */
  restoreAccount(id: AccountId): Promise<void>
  purgeAccounts(before: number): Promise<number>
  /** What all its copies take, as rendered: RFC822.SIZE each. */
  usage(id: AccountId): Promise<Usage>

  alias(address: string): Promise<Alias | undefined>
  /** In order of address. */
  aliases(domain?: string): Promise<Alias[]>
  /** Makes or replaces it. Rejects with `exists` where an account has the address that is not removed, `no-such-domain`. */
  putAlias(alias: Alias): Promise<void>
  /** Rejects with `no-such-alias`. */
  removeAlias(address: string): Promise<void>
  /** Aliases that name this address as a target. */
  aliasesTo(target: string): Promise<Alias[]>

  /** Addresses beyond the own ones that this account may send as; `@domain` stands for a whole domain. In order. */
  sendAs(id: AccountId): Promise<string[]>
  grantSendAs(id: AccountId, address: string): Promise<void>
  revokeSendAs(id: AccountId, address: string): Promise<void>

  /** Rises with every change of domains, accounts, aliases or grants: caches compare it. */
  readonly version: number
}
