import type { Expansion } from '@pennypost/mda'
import type { JourneyId, ReservedRoom } from '@pennypost/model'
import type { Mailbox, MailParameters, RcptParameters, Reply } from '@pennypost/smtp'
import type { TransactionScreening } from './checks/transaction-screening.ts'
import type { ContentIntake, ReceivedContent } from './content.ts'

/**
 * The mail transaction of RFC 5321 §3.3: begun by MAIL, grown by RCPT, ended by the reply to the content, RSET, a new
 * hello or the end of the connection. Its journey begins with it, so that what was refused can be looked up too.
 */
export interface Transaction {
  readonly journey: JourneyId
  /** As received, without angle brackets; '' for the null reverse-path. */
  readonly reversePath: string
  readonly parameters: MailParameters
  readonly recipients: Recipient[]
  /** What they lead to. */
  deliveries: number
  /** Recipients that were refused. */
  refused: number
  /** Recipients that were taken out for what the content showed, with the reply to each; LMTP alone says it. */
  readonly excluded: Map<Recipient, Reply>
  /** What was promised to the content, and is its own from when it begins to come. */
  readonly room: ReservedRoom
  /** Content that has begun to come. */
  intake: ContentIntake | undefined
  /** Content that has come whole. */
  received?: ReceivedContent
  /** Absent where nothing is checked. */
  screening?: TransactionScreening
  /** What came is being committed: only its reply can tell what became of it. */
  committing?: true
}

/** An accepted RCPT. The same forward-path may come twice: each gets its reply (LMTP counts them). */
export interface Recipient {
  readonly path: Mailbox
  readonly parameters: RcptParameters
  /** What the MDA does for it. */
  readonly expansion: Extract<Expansion, { kind: 'accepted' }>
}
