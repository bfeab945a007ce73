import type { Policy } from '@pennypost/message-auth'
import type { AccountId, Clock, QueueEntryId, Random, Resolver, Store, StoreFault } from '@pennypost/model'
import type { ProbeReport, ProbeRequest } from '@pennypost/relay'
import type { AuditRecord } from './audit.ts'
import type { OfferedService } from './client-settings/settings.ts'
import type { LocalOutcome } from './local-outcome.ts'
import type { ServerFacts } from './server-facts.ts'

/** What local programs handed in while no server ran. */
export interface SpoolFacts {
  directory: string
  /** Messages that wait to be taken. */
  waiting: number
  /** Those that nobody will ever take: files that end in `.refused`. */
  refused: number
}

/**
 * What operations work with. The composition root makes it: in the running server with `running`, in a verb that opened
 * the data directory by itself without. Operations never ask which of the two they are in, only whether it is there.
 */
export interface AdminContext {
  store: Store
  clock: Clock
  random: Random
  resolver: Resolver
  credentials: CredentialMaker
  installation: Installation
  /** Keeps one record of the audit; resolves when it is on its way to the disk, and never rejects. */
  audit(record: AuditRecord): Promise<void>
  running?: RunningServer | undefined
  /** What local programs have spooled. */
  spool(): Promise<SpoolFacts>
  /** Asks the next hops of an address what they would say to mail for it. */
  probe?: ((request: ProbeRequest) => Promise<ProbeReport>) | undefined
  /** The key of the queue for a next hop as people write it; undefined when it is none. */
  nextHopKey(text: string): string | undefined
  /** What IMAP can be without, in upper case. */
  capabilityNames(): Promise<readonly string[]>
  /** Copies the whole store, while it is in use, into a directory that holds none yet. */
  backUp?: ((target: string, options: BackUpOptions) => Promise<BackedUp>) | undefined
}

export interface BackUpOptions {
  /** The copy is read to its end, as `check` reads the store. */
  verify: boolean
  /** Large contents that are copied. */
  onProgress(done: number, total: number): void
}

export interface BackedUp {
  octets: number
  /** What the check of the copy found. */
  faults: StoreFault[]
}

/** How verifiers are made, from `@pennypost/sasl`. What they throw says why, without the secret. */
export interface CredentialMaker {
  /** A verifier for a new password. */
  hash(password: string): Promise<string>
  /** A verifier from a bcrypt hash of another system. */
  importHash(hash: string): string
  /** The form by which an app password is found; undefined when it is none. */
  appPasswordVerifier(password: string): string | undefined
  /** Whether SCRAM can prove a credential of this login name, by what is kept of it for that. */
  isScramReady(login: string, scram: string | null): boolean
}

/** What the configuration says about this installation. */
export interface Installation {
  /** Lower-case A-label. */
  hostname: string
  /** `[admin] address`, or ''. */
  administrator: string
  /** Each character of it separates a local part from its detail; '' for no details. */
  recipientDelimiter: string
  /** By which mail of strangers is judged. */
  policy: Policy
  /** Where the DKIM keys are, as `DOMAIN.SELECTOR.pem`. */
  dkimDirectory: string
  /** Addresses under which the world reaches this server, as far as they are known. */
  publicAddresses: readonly string[]
  /** Who brings a domain's mail to the world in our place, as SPF names them: `a:smtp.example.net`. */
  sentBy(domain: string): readonly string[]
  /** Services for mail programs and their ports, for SRV records. */
  clientServices: readonly OfferedService[]
  /** Where the https listener is, if there is one. */
  sitePort?: number
  /** What is served to those who ask for the MTA-STS policy of a domain. */
  mtaSts: { mode: 'enforce' | 'testing' | 'none'; text: string }
}

/** What only the running server can do. */
export interface RunningServer {
  /**
   * Accepts a message as submitted; resolves when it is committed for those that are not refused, rejects with `AdminError`
   * when nobody has it or ever will. Consumes the content.
   */
  submit(message: LocalSubmission): Promise<LocalOutcome>
  /** Ends these entries now with a bounce to their senders; how many. */
  failEntries(entries: readonly QueueEntryId[]): Promise<number>
  /** What is due for these destinations is tried at once, though they could not be reached a moment ago. */
  forgive(destinations: Iterable<string>): void
  /** Suppressed recipients or hold rules have changed. */
  rereadOrders(): void
  /** Ends the sessions that the account has open in any protocol; how many. */
  endSessions(account: AccountId): number
  facts(): Promise<ServerFacts>
}

/** What a local program hands in, its addresses complete. Line ends of the content are CRLF. */
export interface LocalSubmission {
  /** '' for the null reverse-path; not yet checked, like the forward-paths. */
  reversePath: string
  forwardPaths: readonly string[]
  /** Name of the system's user who hands it in, for Received and the journey. */
  user: string
  content: AsyncIterable<Buffer>
}
