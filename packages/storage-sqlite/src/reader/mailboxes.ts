/** Mailbox rows as the port gives them. All counters are kept by the writer; nothing is counted here. */
import {
  type AccountId,
  type Mailbox,
  type MailboxId,
  type ModSeq,
  type SpecialUse,
  StoreError,
  type Uid,
  type UidValidity,
} from '@pennypost/model'
import { pageRows, type Reader } from './reader.ts'

const columns = `id, account, name, special_use, uid_validity, uid_next, highest_modseq, messages, unseen, deleted,
  recent_uid, size, keywords, expunge_floor, change_floor`

type Row = [
  id: MailboxId,
  account: AccountId,
  name: string,
  specialUse: SpecialUse | null,
  uidValidity: UidValidity,
  uidNext: Uid,
  highestModSeq: ModSeq,
  messages: number,
  unseen: number,
  deleted: number,
  recentUid: Uid,
  size: number,
  keywords: string,
  expungeFloor: number,
  changeFloor: number,
]

/** A mailbox with how far back its change log reaches. */
export interface MailboxRow {
  mailbox: Mailbox
  expungeFloor: number
  changeFloor: number
}

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
    const row = readMailbox(reader, id)
    if (row) mailboxes.push({ ...row.mailbox, name })
  }
  return mailboxes
}

export function readMailbox(reader: Reader, id: MailboxId): MailboxRow | undefined {
  const row = reader.raw(`SELECT ${columns} FROM mailboxes WHERE id = ?`).get(id) as Row | undefined
  return row && mailboxRowOf(row)
}

export function readMailboxByName(reader: Reader, account: AccountId, name: string): Mailbox | undefined {
  const one = reader.raw(`SELECT ${columns} FROM mailboxes WHERE account = ? AND name = ?`)
  const row = one.get(account, name) as Row | undefined
  return row && mailboxRowOf(row).mailbox
}

/** Rejects with `no-such-mailbox`. */
export function requireMailbox(reader: Reader, id: MailboxId): MailboxRow {
  const row = readMailbox(reader, id)
  if (!row) throw noSuchMailbox()
  return row
}

/** The same for who wants to know no more than that it is there. */
export function requireMailboxExists(reader: Reader, id: MailboxId): void {
  if (!reader.hasMailbox(id)) throw noSuchMailbox()
}

function noSuchMailbox(): StoreError {
  return new StoreError('no-such-mailbox', 'no such mailbox')
}

export function readSubscriptions(reader: Reader, account: AccountId): string[] {
  return reader.pluck('SELECT name FROM subscriptions WHERE account = ? ORDER BY name').all(account) as string[]
}

function mailboxRowOf(row: Row): MailboxRow {
  const [
    id,
    account,
    name,
    specialUse,
    uidValidity,
    uidNext,
    highestModSeq,
    messages,
    unseen,
    deleted,
    recentUid,
    size,
    keywords,
    expungeFloor,
    changeFloor,
  ] = row
  const mailbox = {
    id,
    account,
    name,
    specialUse,
    uidValidity,
    uidNext,
    highestModSeq,
    messages,
    unseen,
    deleted,
    recentUid,
    size,
    keywords: keywords === '[]' ? [] : (JSON.parse(keywords) as string[]),
  }
  return { mailbox, expungeFloor, changeFloor }
}
