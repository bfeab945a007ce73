/** Access control lists, and what they open to whom. Without an entry for it, an account costs one look into an index. */
import {
  type AccountId,
  type AclEntry,
  allRights,
  type MailboxId,
  type Rights,
  rightsOf,
  type SharedMailbox,
} from '@pennypost/model'
import { readMailbox, requireMailbox } from './mailboxes.ts'
import { pageRows, type Reader } from './reader.ts'
import { readViewed } from './viewers.ts'

/** Stands for anyone in the column `grantee`. */
const anyone = 0

type Entry = [grantee: number, negative: number, rights: Rights]

function entryOf([grantee, negative, rights]: Entry): AclEntry {
  return { grantee: grantee === anyone ? 'anyone' : (grantee as AccountId), negative: negative === 1, rights }
}

/** Rejects with `no-such-mailbox`. */
export function readAcl(reader: Reader, mailbox: MailboxId): AclEntry[] {
  requireMailbox(reader, mailbox)
  const select = 'SELECT grantee, negative, rights FROM acl WHERE mailbox = ? ORDER BY grantee, negative'
  return (reader.raw(select).all(mailbox) as Entry[]).map(entryOf)
}

export function readRights(reader: Reader, mailbox: MailboxId, account: AccountId): Rights {
  const select =
    'SELECT accounts.id, removed_at FROM mailboxes JOIN accounts ON accounts.id = account WHERE mailboxes.id = ?'
  const owner = reader.raw(select).get(mailbox) as [number, number | null] | undefined
  if (owner?.[0] === account) return allRights
  if (!owner || owner[1] !== null) return ''
  const entries = reader.raw('SELECT grantee, negative, rights FROM acl WHERE mailbox = ? AND grantee IN (0, ?)')
  return rightsOf(account, (entries.all(mailbox, account) as Entry[]).map(entryOf))
}

const sharing = `SELECT acl.mailbox, login, grantee, negative, rights FROM acl
  JOIN mailboxes ON mailboxes.id = acl.mailbox JOIN accounts ON accounts.id = mailboxes.account
  WHERE grantee IN (0, ?) AND accounts.id <> ? AND removed_at IS NULL
  ORDER BY login, mailboxes.name <> 'INBOX', mailboxes.name`

/** Who shares what is read at once; what is in the mailboxes comes in pages, with turns of the loop between. */
export async function readSharedWith(reader: Reader, account: AccountId): Promise<SharedMailbox[]> {
  const rows = reader.raw(sharing).all(account, account) as [MailboxId, string, ...Entry][]
  const entries = new Map<MailboxId, { owner: string; entries: AclEntry[] }>()
  for (const [mailbox, owner, ...entry] of rows) {
    const known = entries.get(mailbox)
    if (known) known.entries.push(entryOf(entry))
    else entries.set(mailbox, { owner, entries: [entryOf(entry)] })
  }
  const shared: SharedMailbox[] = []
  let read = 0
  for (const [id, { owner, entries: given }] of entries) {
    if (read++ > 0 && read % pageRows === 0) {
      await reader.turn()
    }
    const rights = rightsOf(account, given)
    const mailbox = rights === '' ? undefined : readViewed(reader, () => readMailbox(reader, id), account)
    if (mailbox) shared.push({ mailbox, owner, rights })
  }
  return shared
}
