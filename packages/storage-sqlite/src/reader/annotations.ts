import type { AccountId, Annotated, Annotation, ChangedAnnotation, MailboxId, ModSeq } from '@pennypost/model'
import type { Reader } from './reader.ts'

/** Stand for the server in the column `mailbox`, and for everybody in `account`. */
export const server = 0
export const shared = 0

/** What is taken away has no value any more. */
export function readAnnotations(reader: Reader, of: Annotated, account: AccountId): Annotation[] {
  const rows = reader
    .raw(
      `SELECT entry, value FROM annotations WHERE mailbox = ? AND account IN (0, ?) AND value IS NOT NULL ORDER BY entry`,
    )
    .all(of === 'server' ? server : of, account) as [string, Buffer][]
  return rows.map(([entry, value]) => ({ entry, value }))
}

export function readChangedAnnotations(
  reader: Reader,
  mailbox: MailboxId,
  account: AccountId,
  since: ModSeq,
): ChangedAnnotation[] {
  const rows = reader
    .raw(`SELECT entry, modseq FROM annotations WHERE mailbox = ? AND account IN (0, ?) AND modseq > ? ORDER BY entry`)
    .all(mailbox, account, since) as [string, ModSeq][]
  return rows.map(([entry, modSeq]) => ({ entry, modSeq }))
}
