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
import type { UsageOf } from './extensions/quota.ts'
import type { ImapLimits } from './limits.ts'

/** What the composition root gives to the service. */
export interface ImapServiceOptions {
  mail: MailStore
  sharing: Sharing
  annotations: Annotations
  directory: Pick<Directory, 'account' | 'accountByLogin' | 'usage'>
  /** Whom to ask for help, as a URI: what METADATA says in `/shared/admin`. */
  administrator?: string | undefined
  authenticator: Authenticator
  clock: Clock
  deadline: Deadline
  random: Random
  log: Log
  /** For the greeting. */
  hostname: string
  /** What ID says of this server (RFC 2971), e.g. name and version. */
  serverId?: Readonly<Record<string, string>>
  /** Capabilities that are not to be there. */
  disable?: readonly string[]
  /** Offer COMPRESS=DEFLATE: fewer octets, and about 250 KB of memory for each session that uses it. Default false. */
  compress?: boolean
  /** Passwords and tokens are taken over TLS alone. Default true. */
  requireTlsForAuth?: boolean
  /** The listeners have TLS material for STARTTLS. Default false. */
  offersTls?: boolean
  limits?: Partial<ImapLimits>
  /**
   * A place among the account's sessions in all protocols, or undefined when none is left: NO [LIMIT]. `end` is called
   * to end the session from outside, when the account is suspended or removed, or the one that acts for it (`actor`).
   */
  admit(account: AccountId, actor: AccountId, end: () => void): Disposable | undefined
  /** What an account uses and may use; without it there is no QUOTA. */
  usage?: UsageOf
  /** A secret of the installation that signs URLs; without it there is no URLAUTH. Another one voids all of them. */
  urlSecret?: Buffer
  /**
   * The copy that a message appended to a Sent mailbox takes the place of: what submission filed there a moment before.
   * Asked once for each such message, when it has been stored.
   */
  supersededCopy?: SupersededCopy
  /** Told of each message whose text a session was given: in the demo only. */
  onRead?: (read: MessageRead) => void
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
}
