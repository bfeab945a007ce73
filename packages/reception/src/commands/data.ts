import { type Reply, replies } from '@pennypost/smtp'
import { type Command, takingMail } from '../command.ts'
import { concludeTransaction } from '../conclude.ts'
import { ContentIntake, dataReader } from '../content.ts'
import type { Session } from '../session.ts'
import type { Transaction } from '../transaction.ts'

/** The content in one piece, up to CRLF "." CRLF. The 354 is said only when there is a stage that takes it. */
export const data = {
  verb: 'DATA',
  rfc: 'RFC 5321 §4.1.1.4',
  syntax: 'DATA',
  services: takingMail,
  needsHello: true,
  needsAuth: true,
  bare: true,
  run(session) {
    const { transaction } = session
    if (!transaction) return replies.needMail
    // RFC 3030 §2: once BDAT has begun the content, DATA may not.
    if (transaction.intake) return replies.badSequence
    const nobody = whyNobody(session, transaction)
    if (nobody) return nobody
    const intake = new ContentIntake(session, transaction, true)
    transaction.intake = intake
    session.read(dataReader(intake), () => concludeTransaction(session, transaction, intake))
    return replies.startData
  },
} as const satisfies Command

/** Content without anybody who gets it: in LMTP an error in the order of commands always (RFC 2033 §4.2). */
export function whyNobody({ isLmtp }: Session, { recipients, refused }: Transaction): Reply | undefined {
  if (recipients.length > 0) return undefined
  return refused > 0 && !isLmtp ? replies.noValidRecipients : replies.needRecipient
}
