/** \Seen of accounts in mailboxes of others, kept beside the flags that all share. */
import { systemFlags } from '../flags.ts'
import type { AccountId, ModSeq } from '../ids.ts'
import { foreignTo, withSeen } from '../rules/acting.ts'
import type { FilingRow, MailboxRow } from './state.ts'

/** What a viewer has of a message. */
export type Viewed = Pick<FilingRow, 'uid' | 'flags' | 'modSeq'>

/** A message's flags and MODSEQ as the viewer has them. */
export function viewed(mailbox: MailboxRow, filing: Viewed, viewer: AccountId | undefined): Viewed {
  const other = foreignTo(mailbox.owner.account.id, viewer)
  if (other === undefined) return filing
  const row = mailbox.seen.get(other)?.get(filing.uid)
  return {
    uid: filing.uid,
    flags: withSeen(filing.flags, row?.seen === true),
    modSeq: Math.max(filing.modSeq, row?.modSeq ?? 0) as ModSeq,
  }
}

export const isSeen = ({ flags }: Viewed): boolean => (flags & systemFlags['\\Seen']) !== 0

export function setSeen(mailbox: MailboxRow, viewer: AccountId, uid: number, seen: boolean, modSeq: ModSeq): void {
  let own = mailbox.seen.get(viewer)
  if (!own) mailbox.seen.set(viewer, (own = new Map()))
  own.set(uid, { seen, modSeq })
}
