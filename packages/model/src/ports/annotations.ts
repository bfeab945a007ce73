/**
 * Annotations of mailboxes and of the server as a whole (RFC 5464). They stay with their mailbox when it is renamed and
 * go with it when it is deleted. Who may set what is for the caller to know.
 */
import type { AccountId, MailboxId, ModSeq } from '../ids.ts'

/** What is annotated: a mailbox, or the server. */
export type Annotated = MailboxId | 'server'

export interface Annotation {
  /** As kept, see `annotationEntry`. */
  entry: string
  value: Buffer
}

export interface AnnotationChange {
  entry: string
  /** null takes it away. */
  value: Buffer | null
}

export interface Annotations {
  /** The shared ones and the account's private ones, in order of name; none for a mailbox that is not there. */
  annotations(of: Annotated, account: AccountId): Promise<Annotation[]>
  /**
   * Durable; all or none. Raises the mailbox's MODSEQ and wakes its owner's watchers; gives that MODSEQ, 0 for the
   * server. Names follow `rules/annotation-entry.ts`. Rejects with `no-such-mailbox`, `no-such-account`, and `limit`
   * when a value is too large or there are too many.
   */
  annotate(of: Annotated, account: AccountId, changes: readonly AnnotationChange[]): Promise<ModSeq>
  /** Which of those that the account can see were set or taken away after `since`, in order of name. */
  annotationsChanged(mailbox: MailboxId, account: AccountId, since: ModSeq): Promise<ChangedAnnotation[]>
}

export interface ChangedAnnotation {
  entry: string
  modSeq: ModSeq
}
