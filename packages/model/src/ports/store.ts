import { mailboxNameLimits } from '../rules/mailbox-name.ts'
import type { Annotations } from './annotations.ts'
import type { Credentials } from './credentials.ts'
import type { Directory } from './directory.ts'
import type { Flow } from './flow.ts'
import type { MailStore } from './mail-store.ts'
import type { PolicyMemory } from './policy-memory.ts'
import type { Queue } from './queue.ts'
import type { Sharing } from './sharing.ts'

/** What every engine bounds; tests lower them. */
export interface StoreLimits {
  mailboxesPerAccount: number
  /** Names of mailboxes that are there or not. */
  subscriptionsPerAccount: number
  appPasswordsPerAccount: number
  /** Expunges that a mailbox remembers one by one; older ones fall below its expunge floor. */
  expungesPerMailbox: number
  /** Entries of one mailbox's access control list. */
  aclEntriesPerMailbox: number
  /** Annotations of one mailbox, or of the server: the shared ones, and those of each account. */
  annotationsPerMailbox: number
  /** Octets of all that an account owns: its private ones, and the shared ones of its mailboxes. */
  annotationOctetsPerAccount: number
  /** For how long the fingerprint of an unconfirmed acceptance is honoured. */
  unconfirmedMs: number
}

export const storeLimits: StoreLimits = {
  mailboxesPerAccount: mailboxNameLimits.perAccount,
  subscriptionsPerAccount: 2 * mailboxNameLimits.perAccount,
  appPasswordsPerAccount: 100,
  expungesPerMailbox: 100_000,
  aclEntriesPerMailbox: 200,
  annotationsPerMailbox: 100,
  annotationOctetsPerAccount: 4 * 1024 * 1024,
  unconfirmedMs: 3_600_000,
}

/** One engine: all ports over the same data, so that one transaction can span them. */
export interface Store extends AsyncDisposable {
  readonly mail: MailStore
  readonly sharing: Sharing
  readonly annotations: Annotations
  readonly queue: Queue
  readonly directory: Directory
  readonly credentials: Credentials
  readonly flow: Flow
  readonly memory: PolicyMemory
  /** Reads everything and reports what does not fit together; repairs nothing. Empty when all is well. */
  check(): AsyncIterable<StoreFault>
  /** Ends reads, syncs, closes. Verbs called afterwards reject with `unavailable`. */
  close(): Promise<void>
}

export interface StoreFault {
  /** Closed list, for scripts: e.g. `content-missing`, `counter-wrong`, `index-damaged`. */
  fault: string
  where: string
  /** What an administrator can do about it. */
  advice: string
}

/**
 * How engines look into text without knowing MIME; `@pennypost/message` gives it, the composition root passes it in.
 * All texts are decoded and folded, well-formed, and the same for the same octets, so that engines may keep them.
 */
export interface SearchText {
  /** Folds a needle or a text the same way (NFKD and case folding). */
  fold(text: string): string
  /** The header section: a line `name: value` for each field, ended by a line feed, with no other line feed in it. */
  headerText(header: Buffer): string
  /**
   * Decoded, folded texts of the body, such as those of its parts; each in pieces, so that a large one need not be whole in
   * memory. Each is gone through before the next is asked for. `parts` is `MessageIndex.parts`.
   */
  bodyTexts(parts: string, body: BodyOctets): Iterable<Iterable<string>>
  /** Says quickly of many messages that a word is not in them. */
  plain?: PlainText
}

/** A body that is read where it is looked at; a Buffer is one. */
export interface BodyOctets {
  readonly length: number
  subarray(start: number, end: number): Buffer
}

/** Texts in capitals of messages whose octets are their text: what is no part of one is no part of the other. */
export interface PlainText {
  /** Whether a folded needle is a word that can be looked for in them. */
  isWord(needle: string): boolean
  /** Undefined where decoding may make something else of it. */
  header(header: Buffer): string | undefined
  /** Likewise; `head` is what `header` gave. */
  body(head: string, body: Buffer): string | undefined
}
