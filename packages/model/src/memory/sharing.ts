/** Access control lists, and what they open to whom. */
import type { AccountId } from '../ids.ts'
import type { AclChange, Sharing } from '../ports/sharing.ts'
import { type AclEntry, allRights, changedRights, type Rights, rightsOf } from '../rules/rights.ts'
import { describeMailbox } from './mailboxes.ts'
import type { MailboxRow, State } from './state.ts'
import { accountRow, commit, compareText, mailboxRow, mailboxRows, refuse } from './state.ts'

export function createSharing(state: State): Sharing {
  return {
    async acl(id) {
      return commit(state, () => [...mailboxRow(state, id).acl].sort(compareEntries))
    },
    async setAcl(id, change) {
      commit(state, (changes) => {
        const row = mailboxRow(state, id)
        setEntry(state, row, change)
        changes.accounts.add(row.owner)
        if (change.grantee !== 'anyone') changes.accounts.add(accountRow(state, change.grantee))
      })
    },
    async rights(id, account) {
      return commit(state, () => {
        const row = state.mailboxes.get(id)
        return row ? rightsOn(row, account) : ''
      })
    },
    async sharedWith(account) {
      return commit(state, () => {
        const owners = [...state.accounts.values()].filter((owner) => owner.account.id !== account)
        owners.sort((a, b) => compareText(a.account.login, b.account.login))
        return owners.flatMap((owner) =>
          mailboxRows(state, owner.account.id).flatMap((row) => {
            const rights = rightsOn(row, account)
            return rights === '' ? [] : [{ mailbox: describeMailbox(row, account), owner: owner.account.login, rights }]
          }),
        )
      })
    },
  }
}

export function rightsOn(row: MailboxRow, account: AccountId): Rights {
  if (row.owner.account.id === account) return allRights
  return row.owner.account.removedAt === null ? rightsOf(account, row.acl) : ''
}

function compareEntries(a: AclEntry, b: AclEntry): number {
  const rank = ({ grantee }: AclEntry): number => (grantee === 'anyone' ? 0 : grantee)
  return rank(a) - rank(b) || Number(a.negative) - Number(b.negative)
}

function setEntry(state: State, row: MailboxRow, { grantee, negative, mode, rights }: AclChange): void {
  if (grantee !== 'anyone') accountRow(state, grantee)
  if (grantee === row.owner.account.id) refuse('mailbox-not-allowed', 'The owner has all rights, always.')
  const before = row.acl.find((entry) => entry.grantee === grantee && entry.negative === negative)
  const others = row.acl.filter((entry) => entry !== before)
  const after = changedRights(before?.rights ?? '', mode, rights)
  const most = state.limits.aclEntriesPerMailbox
  if (!before && after !== '' && others.length >= most) refuse('limit', `A mailbox has at most ${most} entries.`)
  row.acl = after === '' ? others : [...others, { grantee, negative, rights: after }]
}
