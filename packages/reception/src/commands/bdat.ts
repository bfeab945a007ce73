import { type Reply, replies, reply, withText } from '@pennypost/smtp'
import type { Command } from '../command.ts'
import { concludeTransaction } from '../conclude.ts'
import { ChunkReader, ContentIntake } from '../content.ts'
import type { Session } from '../session.ts'

export const bdat = {
  verb: 'BDAT',
  rfc: 'RFC 3030 §2',
  syntax: 'BDAT octets [LAST]',
  needsHello: false,
  needsAuth: false,
  run(session, argument) {
    const match = /^(\d{1,15})( +LAST)?$/i.exec(argument)
    if (!match) {
      // Where the chunk ends is unknown, so nothing behind it can be read as a command.
      session.end(withText({ ...replies.shuttingDown, code: 421, enhanced: '4.5.4' }, 'Syntax: BDAT octets [LAST]'))
      return undefined
    }
    const octets = Number(match[1])
    const refusal = whyNot(session)
    if (refusal) return octets === 0 ? refusal : read(session, octets, undefined, async () => refusal)
    const { transaction } = session
    if (!transaction) return replies.needMail
    transaction.intake ??= new ContentIntake(session, false)
    const { intake } = transaction
    const last = match[2] !== undefined
    const end = async (): Promise<Reply | undefined> => {
      if (!last) return reply(250, '2.0.0', `${octets} octets received`)
      intake.filter.end()
      return concludeTransaction(session, transaction)
    }
    return octets === 0 ? end() : read(session, octets, intake, end)
  },
} as const satisfies Command

/** RFC 3030 §2: the octets of a refused BDAT come all the same. */
function whyNot(session: Session): Reply | undefined {
  const { transaction } = session
  if (session.hello === undefined) return replies.sayHelloFirst
  if (!transaction) return replies.needMail
  if (transaction.recipients.length > 0) return undefined
  return transaction.refused > 0 ? replies.noValidRecipients : replies.needRecipient
}

function read(
  session: Session,
  octets: number,
  intake: ContentIntake | undefined,
  end: () => Promise<Reply | undefined>,
): undefined {
  session.wire.receive(new ChunkReader(octets, intake, (next) => session.answer(end(), next)))
  return undefined
}
