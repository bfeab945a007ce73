import type {
  AccountId,
  Annotations,
  Clock,
  Deadline,
  Directory,
  JourneyId,
  Log,
  MailboxId,
  MailStore,
  Random,
  Sharing,
  Uid,
} from '@pennypost/model'
import type { Authenticator } from '@pennypost/sasl'
import type { Turns } from '@pennypost/transport'
import type { UsageOf } from '../extensions/quota.ts'
import type { ImapLimits } from '../limits.ts'
import type { Signals } from '../notify/signals.ts'
import type { Registry } from '../registry.ts'
import type { OpenMailboxes } from '../view/open-mailboxes.ts'

/** What all sessions of one service share. */
export interface SessionService {
  readonly mail: MailStore
  readonly sharing: Sharing
  readonly annotations: Annotations
  readonly directory: Pick<Directory, 'account' | 'accountByLogin'>
  /** URI of whoever runs the server, as METADATA tells it. */
  readonly administrator: string | undefined
  readonly authenticator: Authenticator
  readonly registry: Registry
  readonly mailboxes: OpenMailboxes
  readonly signals: Signals
  readonly limits: ImapLimits
  readonly clock: Clock
  readonly turns: Turns
  readonly deadline: Deadline
  readonly random: Random
  readonly log: Log
  readonly hostname: string
  /** Fields of ID (RFC 2971), e.g. name and version. */
  readonly serverId: Readonly<Record<string, string>>
  /** Passwords are taken without TLS too. */
  readonly allowPlaintext: boolean
  /** STARTTLS can be had. */
  readonly canStartTls: boolean
  /** For QUOTA; absent: it is not there. */
  readonly usage: UsageOf | undefined
  /** Signs URLs of URLAUTH; absent: it is not there. */
  readonly urlSecret: Buffer | undefined
  /** Asked for each message that is appended to a Sent mailbox. */
  readonly supersededCopy: SupersededCopy | undefined
  /** Told of each message whose text a session was given. */
  readonly onRead: ((read: MessageRead) => void) | undefined
  /** The same service without these capabilities, for accounts that are not to see them. */
  without(capabilities: readonly string[]): SessionService
  /** A place among the account's sessions, or undefined when none is left; `end` ends the session from outside. */
  admit(account: AccountId, end: () => void): Disposable | undefined
}

/** The copy of the owner's whose place a message with this Message-ID ('' for none) takes. */
export type SupersededCopy = (
  owner: AccountId,
  messageId: string,
) => Promise<{ mailbox: MailboxId; uid: Uid } | undefined>

export interface MessageRead {
  journey: JourneyId
  login: string
  session: string
  protocol: 'imap'
}
