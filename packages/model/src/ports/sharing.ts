/**
 * Who may do what with mailboxes of others. Owners have all rights on theirs, always; accounts that were removed share
 * nothing. Flags of a shared mailbox are everybody's, but \Seen, which each account has for itself: see `viewer` and
 * `Acting` in `MailStore`.
 */
import type { AccountId, MailboxId } from '../ids.ts'
import type { AclEntry, Grantee, Rights } from '../rules/rights.ts'
import type { Mailbox } from './mail-store.ts'

export interface Sharing {
  /** Entries with rights in them: those for anyone, then by number of account; what is given before what is taken. */
  acl(mailbox: MailboxId): Promise<AclEntry[]>
  /**
   * Durable; wakes the owner's watchers. An entry that is left without rights is gone. A new mailbox begins with the
   * entries of its nearest superior; RENAME keeps them (RFC 4314 §4). Rejects with `no-such-mailbox`,
   * `no-such-account`, `mailbox-not-allowed` for the owner, and `limit`.
   */
  setAcl(mailbox: MailboxId, change: AclChange): Promise<void>
  /** All rights for the owner; '' for a mailbox that is not there. */
  rights(mailbox: MailboxId, account: AccountId): Promise<Rights>
  /** Mailboxes of others on which the account has any right: by login of the owner, then as `mailboxes` has them. */
  sharedWith(account: AccountId): Promise<SharedMailbox[]>
}

export interface AclChange {
  grantee: Grantee
  negative: boolean
  mode: 'replace' | 'add' | 'remove'
  rights: Rights
}

export interface SharedMailbox {
  /** `unseen` is the viewer's. */
  mailbox: Mailbox
  /** Login of the owner. */
  owner: string
  /** Never ''. */
  rights: Rights
}
