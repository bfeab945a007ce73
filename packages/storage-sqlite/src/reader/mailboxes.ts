/** Mailbox rows as the port gives them. All counters are kept by the writer; nothing is counted here. */
import { type AccountId, type Mailbox, type MailboxId, StoreError } from '@pennypost/model'
import { pageRows, type Reader } from './reader.ts'

const columns = `id, account, name, special_use AS specialUse, uid_validity AS uidValidity, uid_next AS uidNext,
  highest_modseq AS highestModSeq, messages, unseen, deleted, recent_uid AS recentUid, size, keywords`

type Row = Omit<Mailbox, 'keywords'> & { keywords: string }

/**
 * INBOX first, then by name. Which there are and how they are called is read at once, out of an index, so that a rename
 * of many is seen wholly or not at all; what is in them comes in pages, with turns of the loop between.
 */
export async function readMailboxes(reader: Reader, account: AccountId): Promise<Mailbox[]> {
  const names = reader
    .raw(`SELECT id, name FROM mailboxes WHERE account = ? ORDER BY name <> 'INBOX', name`)
    .all(account) as [MailboxId, string][]
  const mailboxes: Mailbox[] = []
  for (const [index, [id, name]] of names.entries()) {
    if (index > 0 && index % pageRows === 0) {
      await reader.turn()
    }
    const mailbox = readMailbox(reader, id)
    if (mailbox) mailboxes.push({ ...mailbox, name })
  }
  return mailboxes
}

export function readMailbox(reader: Reader, id: MailboxId): Mailbox | undefined {
  const row = reader.sql(`SELECT ${columns} FROM mailboxes WHERE id = ?`).get(id) as Row | undefined
  return row && mailboxOf(row)
}

export function readMailboxByName(reader: Reader, account: AccountId, name: string): Mailbox | undefined {
  const one = reader.sql(`SELECT ${columns} FROM mailboxes WHERE account = ? AND name = ?`)
  const row = one.get(account, name) as Row | undefined
  return row && mailboxOf(row)
}

/** Rejects with `no-such-mailbox`. */
export function requireMailbox(reader: Reader, id: MailboxId): Mailbox {
  const mailbox = readMailbox(reader, id)
  if (!mailbox) throw noSuchMailbox()
  return mailbox
}

/** How far back the change log of a mailbox reaches: rows of earlier MODSEQs are gone from it. */
export interface Floors {
  expungeFloor: number
  changeFloor: number
}

/** Of a mailbox that is there. */
export function readFloors(reader: Reader, id: MailboxId): Floors {
  const select = 'SELECT expunge_floor AS expungeFloor, change_floor AS changeFloor FROM mailboxes WHERE id = ?'
  return reader.sql(select).get(id) as Floors
}

/** The same for who wants to know no more than that it is there. */
export function requireMailboxExists(reader: Reader, id: MailboxId): void {
  if (!reader.hasMailbox(id)) throw noSuchMailbox()
}

/** What whoever wants to know of it is told. */
export function noSuchMailbox(): StoreError {
  return new StoreError('no-such-mailbox', 'no such mailbox')
}

export function readSubscriptions(reader: Reader, account: AccountId): string[] {
  return reader.pluck('SELECT name FROM subscriptions WHERE account = ? ORDER BY name').all(account) as string[]
}

function mailboxOf(row: Row): Mailbox {
  return { ...row, keywords: row.keywords === '[]' ? [] : (JSON.parse(row.keywords) as string[]) }
}
