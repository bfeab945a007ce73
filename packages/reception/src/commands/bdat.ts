import { type Reply, replies, reply } from '@pennypost/smtp'
import { type Command, type Outcome, takingMail } from '../command.ts'
import { concludeTransaction } from '../conclude.ts'
import { ContentIntake, chunkReader } from '../content.ts'
import { sayHelloFirst } from '../run-command.ts'
import type { Session } from '../session.ts'
import { whyNobody } from './data.ts'

/**
 * The content in counted chunks.
 *
 * What must never break: as many octets as were announced are taken for content, whatever becomes of them, or the session
 * ends. A chunk that was refused is never read as commands.
 */
export const bdat = {
  verb: 'BDAT',
  rfc: 'RFC 3030 §2',
  syntax: 'BDAT octets [LAST]',
  services: takingMail,
  needsHello: false,
  needsAuth: false,
  run(session, argument) {
    const match = /^(\d{1,15})( +LAST)?$/i.exec(argument)
    // Where the chunk ends is unknown, so nothing behind it can be read as a command.
    if (!match) return reply(421, '4.5.4', 'Syntax: BDAT octets [LAST]')
    const octets = Number(match[1])
    const last = match[2] !== undefined
    const { hello, transaction } = session
    if (hello === undefined) return throwAway(session, octets, sayHelloFirst(session))
    if (!transaction) return throwAway(session, octets, replies.needMail)
    const nobody = whyNobody(session, transaction)
    if (nobody) return throwAway(session, octets, nobody)
    try {
      transaction.intake ??= new ContentIntake(session, transaction, false)
    } catch (error) {
      session.reset()
      return throwAway(session, octets, session.trouble(error))
    }
    const { intake } = transaction
    return receive(session, octets, intake, () => {
      if (last) {
        intake.filter.end()
        return concludeTransaction(session, transaction, intake)
      }
      if (!intake.tooLarge && !intake.failure) return reply(250, '2.0.0', `${octets} octets received`)
      // RFC 3030 §2: no further chunk of it will be taken. RFC 2033 §4.3: only the last has a reply for each recipient.
      return concludeTransaction(session, transaction, intake, false)
    })
  },
} as const satisfies Command

/** RFC 3030 §2: the octets of a refused BDAT come all the same. */
function throwAway(session: Session, octets: number, refusal: Reply): Outcome {
  // Nobody sends so much for a transaction that was refused: it is not worth reading to its end.
  if (octets > session.options.limits.messageSize) return reply(421, '4.5.1', 'Too much to throw away')
  return receive(session, octets, undefined, () => refusal)
}

function receive(
  session: Session,
  octets: number,
  intake: ContentIntake | undefined,
  conclude: () => Outcome,
): Outcome {
  if (octets === 0) return conclude()
  session.read(chunkReader(octets, intake), conclude)
  return undefined
}
