import { allRights, type Mailbox, type Right, type Rights } from '@pennypost/model'

/**
 * A mailbox under the name by which the session knows it. One of another account has the viewer's counts, no special use
 * (the viewer has mailboxes of its own for that) and nothing that is \Recent.
 */
export interface VisibleMailbox extends Mailbox {
  /** Absent: it is the account's own. */
  shared?: { rights: Rights; ownName: string }
}

/** A mailbox of another account, under the name by which the session knows it. */
export function sharedMailbox(mailbox: Mailbox, name: string, rights: Rights): VisibleMailbox {
  return {
    ...mailbox,
    name,
    specialUse: null,
    recentUid: mailbox.uidNext,
    shared: { rights, ownName: mailbox.name },
  }
}

export function rightsOn({ shared }: VisibleMailbox): Rights {
  return shared ? shared.rights : allRights
}

/** The name by which the owner knows it. */
export function ownName({ name, shared }: Pick<VisibleMailbox, 'name' | 'shared'>): string {
  return shared ? shared.ownName : name
}

export function hasRight(mailbox: VisibleMailbox, right: Right): boolean {
  return rightsOn(mailbox).includes(right)
}
