/** Accounts: made with their mailboxes, removed in two steps, counted. */
import { type AccountId, accountId } from '../ids.ts'
import type { Account, Directory, NewAccount } from '../ports/directory.ts'
import { newAccountMailboxes } from '../rules/account-mailboxes.ts'
import { domainOf } from '../rules/address.ts'
import { firstUidValidity } from '../rules/first-uid-validity.ts'
import { accountUsage } from './content.ts'
import { addPassword } from './credentials.ts'
import { addMailbox, dropMailbox } from './mailboxes.ts'
import {
  type AccountRow,
  accountRow,
  commit,
  compareText,
  mailboxRows,
  nextId,
  refuse,
  requireOpen,
  type State,
} from './state.ts'

type Accounts = Pick<
  Directory,
  | 'account'
  | 'accountByLogin'
  | 'accounts'
  | 'firstAdministrator'
  | 'addAccount'
  | 'updateAccount'
  | 'removeAccount'
  | 'restoreAccount'
  | 'purgeAccounts'
  | 'usage'
>

export function createAccounts(state: State): Accounts {
  return {
    ...createAccountLookups(state),
    async addAccount(added, now) {
      return commit(state, (changes) => {
        const row = newAccount(state, added, now)
        state.accounts.set(row.account.id, row)
        for (const { name, specialUse } of newAccountMailboxes) addMailbox(state, row, name, specialUse, changes)
        if (added.verifier !== undefined) addPassword(state, row.account.id, added.verifier, now)
        state.directoryVersion++
        return row.account
      })
    },
    async updateAccount(id, change) {
      return changeAccount(state, id, change)
    },
    async removeAccount(id, now) {
      changeAccount(state, id, { removedAt: now })
    },
    async restoreAccount(id) {
      const { login } = accountRow(state, id).account
      if (state.aliases.has(login)) refuse('exists', `${login} is an alias.`)
      changeAccount(state, id, { removedAt: null })
    },
    async purgeAccounts(before) {
      return commit(state, (changes) => {
        const gone = [...state.accounts.values()].filter(({ account }) => (account.removedAt ?? before) < before)
        for (const row of gone) {
          purge(state, row)
          changes.accounts.add(row)
        }
        if (gone.length > 0) state.directoryVersion++
        return gone.length
      })
    },
  }
}

type Lookups = Pick<Accounts, 'account' | 'accountByLogin' | 'accounts' | 'firstAdministrator' | 'usage'>

function createAccountLookups(state: State): Lookups {
  const sorted = () =>
    [...state.accounts.values()].map((row) => row.account).sort((a, b) => compareText(a.login, b.login))
  return {
    async account(id) {
      requireOpen(state)
      return state.accounts.get(id)?.account
    },
    async accountByLogin(login) {
      requireOpen(state)
      return [...state.accounts.values()].find((row) => row.account.login === login)?.account
    },
    async accounts(domain) {
      requireOpen(state)
      return sorted().filter((account) => domain === undefined || domainOf(account.login) === domain)
    },
    async firstAdministrator() {
      requireOpen(state)
      const present = [...state.accounts.values()]
        .map(({ account }) => account)
        .filter((account) => account.removedAt === null)
        .sort((a, b) => a.id - b.id)
      return present.find((account) => account.admin) ?? present[0]
    },
    async usage(id) {
      requireOpen(state)
      return accountUsage(state, accountRow(state, id))
    },
  }
}

function newAccount(state: State, { login, name, quota, admin }: NewAccount, now: number): AccountRow {
  const taken = [...state.accounts.values()].some((row) => row.account.login === login)
  if (taken || state.aliases.has(login)) refuse('exists', `The address ${login} is taken.`)
  if (state.domains.get(domainOf(login))?.kind !== 'local') refuse('no-such-domain', 'Its domain is no local one here.')
  const id = accountId(nextId(state))
  return {
    account: {
      id,
      login,
      name,
      quota,
      admin,
      suspended: false,
      copySent: false,
      createdAt: now,
      disabledCapabilities: [],
      removedAt: null,
    },
    modSeq: 0,
    uidValidity: firstUidValidity(now),
    subscriptions: new Set(newAccountMailboxes.map((mailbox) => mailbox.name)),
    sendAs: new Set(),
  }
}

function changeAccount(state: State, id: AccountId, change: Partial<Account>): Account {
  return commit(state, (changes) => {
    const row = accountRow(state, id)
    row.account = { ...row.account, ...change }
    state.directoryVersion++
    if ('suspended' in change || 'removedAt' in change) state.credentialsVersion++
    // Nobody has rights in its mailboxes any more, or has them again.
    if ('removedAt' in change) changes.accounts.add(row)
    return row.account
  })
}

function purge(state: State, row: AccountRow): void {
  const { id } = row.account
  for (const mailbox of mailboxRows(state, id)) dropMailbox(state, mailbox)
  for (const mailbox of state.mailboxes.values()) {
    mailbox.acl = mailbox.acl.filter((entry) => entry.grantee !== id)
    mailbox.annotations = mailbox.annotations.filter((row) => row.account !== id)
    mailbox.seen.delete(id)
  }
  state.annotations = state.annotations.filter((row) => row.account !== id)
  for (const credential of state.credentials.values()) {
    if (credential.account === id) state.credentials.delete(credential.id)
  }
  state.accounts.delete(id)
}
