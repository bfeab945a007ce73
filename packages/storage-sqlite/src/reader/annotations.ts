import type { AccountId, Annotated, Annotation, ChangedAnnotation, MailboxId, ModSeq } from '@pennypost/model'
import type { Reader } from './reader.ts'

/** What is taken away has no value any more. 0 stands for the server as a mailbox, and for everybody as an account. */
export function readAnnotations(reader: Reader, of: Annotated, account: AccountId): Annotation[] {
  const rows = reader
    .raw(
      `SELECT entry, value FROM annotations WHERE mailbox = ? AND account IN (0, ?) AND value IS NOT NULL ORDER BY entry`,
    )
    .all(of === 'server' ? 0 : of, account) as [string, Buffer][]
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
