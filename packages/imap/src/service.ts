/**
 * Puts the service together out of its parts; the only place that knows them all. Called by composition roots, which
 * give `accept` to their listeners.
 */
import type {
  AccountId,
  Annotations,
  Clock,
  Deadline,
  Directory,
  Log,
  MailStore,
  Random,
  Sharing,
} from '@pennypost/model'
import type { Authenticator } from '@pennypost/sasl'
import { type Connection, type Refusal, Turns } from '@pennypost/transport'
import { extensions } from './extensions/index.ts'
import type { UsageOf } from './extensions/quota.ts'
import { defaultImapLimits, type ImapLimits } from './limits.ts'
import { Signals } from './notify/signals.ts'
import { Registry } from './registry.ts'
import { Conversation } from './session/conversation.ts'
import type { MessageRead, SessionService, SupersededCopy } from './session/session-service.ts'
import { OpenMailboxes } from './view/open-mailboxes.ts'

export interface ImapServiceOptions {
  mail: MailStore
  sharing: Sharing
  annotations: Annotations
  directory: Pick<Directory, 'account' | 'accountByLogin'>
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
  /** Take passwords without TLS: for loopback, the lab, and whoever asks for it. */
  allowPlaintext?: boolean
  /** The listeners have TLS material for STARTTLS. */
  startTls?: boolean
  limits?: Partial<ImapLimits>
  /**
   * A place among the account's sessions in all protocols, or undefined when none is left: NO [LIMIT]. `end` is called
   * to end the session from outside, when the account is suspended or removed.
   */
  admit(account: AccountId, end: () => void): Disposable | undefined
  /** What an account uses and may use; without it there is no QUOTA. */
  usage?: UsageOf
  /** A secret of the installation that signs URLs; without it there is no URLAUTH. Another one voids all of them. */
  urlSecret?: Buffer
  /**
   * The copy that a message appended to a Sent mailbox takes the place of: what submission filed there a moment before.
   * Asked once for each such message, when it has been stored.
   */
  supersededCopy?: SupersededCopy
  /** Told of each message whose text was read (DESIGN §1.9: in the lab and the demo only). */
  onRead?: (read: MessageRead) => void
}

/** IMAP on any number of listeners: give `accept` and `refusal` to `createListener` of `@pennypost/transport`. */
export interface ImapService {
  /** `onConnection` of a listener; draining the listener ends the sessions with BYE. */
  accept(connection: Connection): void
  /** `refusal` of a listener: what a client beyond the limits is told. */
  refusal(reason: Refusal): string
  /** For metrics and tests. */
  readonly sessions: number
  readonly openMailboxes: number
}

/** Different sets of disabled capabilities whose tables are kept. */
const mostMasks = 100

export function createImapService(options: ImapServiceOptions): ImapService {
  const limits: ImapLimits = { ...defaultImapLimits, ...options.limits }
  const mailboxes = new OpenMailboxes(options.mail, options.log, limits)
  const disabled = [
    ...(options.disable ?? []),
    ...(options.usage ? [] : ['QUOTA']),
    ...(options.urlSecret ? [] : ['URLAUTH']),
    ...(options.compress ? [] : ['COMPRESS=DEFLATE']),
  ]
  const masked = new Map<string, SessionService>()
  let sessions = 0

  const service: SessionService = {
    mail: options.mail,
    sharing: options.sharing,
    annotations: options.annotations,
    directory: options.directory,
    administrator: options.administrator,
    authenticator: options.authenticator,
    registry: new Registry(extensions, disabled),
    mailboxes,
    signals: new Signals(),
    limits,
    clock: options.clock,
    turns: new Turns(options.clock),
    deadline: options.deadline,
    random: options.random,
    log: options.log,
    hostname: options.hostname,
    serverId: options.serverId ?? {},
    allowPlaintext: options.allowPlaintext ?? false,
    canStartTls: options.startTls ?? false,
    usage: options.usage,
    urlSecret: options.urlSecret,
    supersededCopy: options.supersededCopy,
    onRead: options.onRead,
    admit: options.admit,
    without(capabilities) {
      if (capabilities.length === 0) return service
      const key = [...capabilities].sort().join(' ')
      const known = masked.get(key)
      if (known) return known
      if (masked.size >= mostMasks) masked.clear()
      const less = { ...service, registry: new Registry(extensions, [...disabled, ...capabilities]) }
      masked.set(key, less)
      return less
    },
  }

  return {
    accept(connection) {
      sessions++
      connection.stream.once('close', () => sessions--)
      new Conversation(options.random.bytes(6).toString('hex'), service, connection).begin()
    },
    refusal(reason) {
      return `* BYE [UNAVAILABLE] ${reason === 'draining' ? 'The server goes down' : 'Too many connections'}\r\n`
    },
    get sessions() {
      return sessions
    },
    get openMailboxes() {
      return mailboxes.size
    },
  }
}
