import type { Duplex } from 'node:stream'
import type { Mda, RelayDelivery, SettledFacts, SettledNotices, Verification } from '@pennypost/mda'
import type { Action, MessageToSeal, Reason, Sealing } from '@pennypost/message-auth'
import type { Account, AccountId, Clock, Deadline, Log, Random, Store, TlsFacts } from '@pennypost/model'
import type { Authenticator } from '@pennypost/sasl'
import type { InboundChecks } from './checks/options.ts'
import type { SubmissionQuota } from './submission-limits.ts'

/** The services of reception: MX, MSA in its two forms (RFC 6409, RFC 8314), LMTP (RFC 2033), and ODMR (RFC 2645). */
export type Service = 'smtp' | 'submission' | 'submissions' | 'lmtp' | 'odmr'

/** Every bound of a session, in one place. 0 never means "none" here: the composition root resolves that. */
export interface ReceptionLimits {
  /** Octets of a command line with its CRLF; RFC 5321 §4.5.3.1.4 asks for 512 plus what extensions add. */
  commandLine: number
  /** Octets of an AUTH line (RFC 4954 §4 asks for 12 288). */
  authLine: number
  /** Octets of a message (RFC 1870 §3). */
  messageSize: number
  /** Of one transaction; RFC 5321 §4.5.3.1.8 asks for at least 100. */
  recipients: number
  /** What all recipients of one transaction lead to, by aliases, before others have to wait for the next one. */
  deliveries: number
  /** Many programs that send to a list use one connection for all of it and do not begin another at 421. */
  transactionsPerConnection: number
  /** Refused commands and recipients before 421; an accepted message starts the count anew. */
  errors: number
  /** Errors from this one on make a stranger wait: `tarpitMs` for the first, longer with each, up to `tarpitMaxMs`. */
  softErrors: number
  tarpitMs: number
  tarpitMaxMs: number
  /** Commands of a stranger that bring no mail nearer (NOOP, RSET …), between messages; beyond it they are errors. */
  idleCommands: number
  /** Failed logins on one connection before 421. */
  authFailures: number
  /** RFC 5321 §4.5.3.2.7: at least 5 minutes. */
  idleTimeoutMs: number
  /** From the greeting to a login, where one is needed, whatever is said between. */
  loginTimeoutMs: number
  /** From MAIL to the end of the content, however busy the client looks. */
  transactionMs: number
  /** Octets a second that content must come with, over `rateWindowMs` (RFC 5321 §4.5.3.2.5 gives a block 3 minutes). */
  minimumRate: number
  rateWindowMs: number
  /** Received fields before the message is taken for a loop (RFC 5321 §6.3). */
  hops: number
}

export const defaultReceptionLimits: ReceptionLimits = {
  commandLine: 4096,
  authLine: 16_384,
  messageSize: 50 * 1024 * 1024,
  recipients: 1000,
  deliveries: 20_000,
  transactionsPerConnection: 10_000,
  errors: 20,
  softErrors: 5,
  tarpitMs: 1000,
  tarpitMaxMs: 10_000,
  idleCommands: 100,
  authFailures: 5,
  idleTimeoutMs: 5 * 60_000,
  loginTimeoutMs: 3 * 60_000,
  transactionMs: 60 * 60_000,
  minimumRate: 100,
  rateWindowMs: 3 * 60_000,
  hops: 100,
}

/** What becomes of an ATRN request. */
export type TurnRound = 'refused' | 'empty' | 'busy' | { take(connection: TurnedConnection): void }

/** A connection that has turned round, and who is at its other end. */
export interface TurnedConnection {
  stream: Duplex
  address: string
  port: number
  tls: TlsFacts | undefined
}

/** What the composition root gives to every session. */
export interface ReceptionOptions {
  /** Ours, as in the greeting, Received and the authserv-id. */
  hostname: string
  store: Store
  mda: Mda
  authenticator: Authenticator
  /** Devices that send without AUTH as an account: address → account. */
  trusted: ReadonlyMap<string, Account>
  /** Whether clients of this service must authenticate before MAIL. */
  requireAuth(service: Service): boolean
  /** Whether AUTH is offered there at all. */
  offersAuth(service: Service): boolean
  /** Whether STARTTLS can be offered there: it is no TLS listener, and there is TLS material. */
  offersTls(service: Service): boolean
  requireTlsForAuth: boolean
  /**
   * Calls `end` when the account is suspended or removed, or the one that acts for it (`actor`), until what it gives is
   * disposed; absent: sessions go on.
   */
  follow?(account: AccountId, actor: AccountId, end: () => void): Disposable
  /** How much an account may send; absent: as much as it likes. */
  submissionQuota?: SubmissionQuota
  /** Whether Received names the address that an author submitted from. */
  receivedShowsClient: boolean
  /** Refuse content with a bare CR or LF instead of mending it. */
  rejectBareNewlines: boolean
  /** End the session of who ends a command with a bare LF, which would be how smuggled commands begin. */
  rejectBareCommands?: boolean
  /** Whom VRFY and EXPN tell what is known; absent: who has logged in. */
  verify?: 'accounts' | 'nobody'
  /** Refuse content with a line longer than so many octets (RFC 5322 §2.1.1 allows 998); absent: take what comes. */
  longestLine?: number
  /** Refuse a header with UTF-8 from who did not say SMTPUTF8, instead of noting it in the journey. */
  rejectUndeclaredUtf8?: boolean
  /**
   * Proxies that say whose connection they pass on (PROXY protocol 1 or 2): addresses and networks. Who connects from
   * there and does not say so is dropped.
   */
  proxy?: readonly string[]
  /** Peers that may name the client behind them by XCLIENT and XFORWARD. */
  xclient?: readonly string[]
  /** What is checked of mail that strangers bring to the MX; absent: nothing. */
  checks?: InboundChecks
  /** How long a stranger at the MX has to wait for the banner without a word of its own; absent or 0: not at all. */
  pregreetMs?: number
  /**
   * ETRN: the queue's destinations that this client may start for the node (in lower case), undefined when none.
   * Absent: ETRN is not offered.
   */
  mayTurn?(node: string, client: TurnClient): Promise<readonly string[] | undefined>
  /**
   * ATRN (RFC 2645): who takes the connection of this account over, to hand it what waits for these domains (none named:
   * all of its). Absent: there is no ATRN.
   */
  turnRound?(account: Account, domains: readonly string[]): Promise<TurnRound>
  /** DKIM-Signature fields (each ended by CRLF) for what the author hands in; '' where there is no key. */
  sign(message: OutgoingMessage): Promise<string>
  /** ARC sets for what goes on elsewhere of strangers' mail, one for each domain. Never rejects. Absent: there are none. */
  seal?(message: MessageToSeal): Promise<Sealing[]>
  /** The queue's destination for a forward-path's domain, as it is written: the next hop after routes. */
  destination(domain: string, nextHop?: string, reversePath?: string): string
  /** Asks the next hop about a recipient whose delivery has `verify`; absent: nobody is asked. */
  verifyRecipient?(delivery: RelayDelivery): Promise<Verification>
  /** DSNs about what is settled at once, which ride in the acceptance (RFC 3461 §6.2). */
  settledNotices(facts: SettledFacts): Promise<SettledNotices>
  /** Accepted or refused messages are counted by it. */
  onOutcome?(outcome: 'accepted' | 'refused' | 'deferred', octets: number): void
  /** What the judge made of a client or a message. */
  onVerdict?(action: Action, reason: Reason): void
  clock: Clock
  deadline: Deadline
  random: Random
  log: Log
  limits: ReceptionLimits
}

/** Who asks for a queue to be started. */
export interface TurnClient {
  address: string
  account: Account | undefined
}

/** What a signer needs: the header as it will be sent, and the body. */
export interface OutgoingMessage {
  /** A-label of the From address's domain. */
  domain: string
  header: Buffer
  body(): AsyncIterable<Buffer>
}
