import type { Account, ReservedRoom } from '@pennypost/model'
import {
  describeReply,
  type MailArgument,
  parseMailArgument,
  type Reply,
  replies,
  reply,
  withText,
} from '@pennypost/smtp'
import { type Command, takingMail } from '../command.ts'
import { peerOf } from '../peer.ts'
import type { Session } from '../session.ts'
import { maySendAs, refuseCopy } from '../submission.ts'
import type { Transaction } from '../transaction.ts'

/**
 * A transaction begins, with a journey and room of its own. What can be refused for the sender alone (size, REQUIRETLS,
 * quota, whose address it is) is refused here, before anybody sends content for it.
 */
export const mail = {
  verb: 'MAIL',
  rfc: 'RFC 5321 §4.1.1.2',
  syntax: 'MAIL FROM:<reverse-path> [SIZE=n] [BODY=8BITMIME] [SMTPUTF8] [RET=FULL|HDRS] [ENVID=id] [REQUIRETLS]',
  services: takingMail,
  needsHello: true,
  needsAuth: true,
  run(session, argument) {
    const { options } = session
    if (session.transaction) return replies.nestedMail
    if (session.transactions >= options.limits.transactionsPerConnection) return replies.tooManyTransactions
    const parsed = parseMailArgument(argument)
    if (!parsed.ok) return parsed.reply
    const { parameters } = parsed.value
    const { size, body, requireTls } = parameters
    if (body === 'BINARYMIME') return withText(replies.unknownParameter, 'BODY=BINARYMIME is not offered')
    if (requireTls && !session.secure) return refuse(session, parsed.value, replies.requireTlsWithoutTls)
    if (size !== null && size > options.limits.messageSize) {
      return refuse(session, parsed.value, tooLarge(options.limits.messageSize))
    }
    if (session.account) return openAs(session, session.account, parsed.value)
    return open(session, parsed.value)
  },
} as const satisfies Command

async function openAs(session: Session, account: Account, argument: MailArgument): Promise<Reply | undefined> {
  const { reversePath } = argument
  const refusal = await session.quota?.refuseMessage(account, session.options.clock.now())
  if (refusal) return refuse(session, argument, refusal)
  if (reversePath && !(await maySendAs(session, reversePath))) {
    const text = `${account.login} may not send as ${reversePath.text}`
    return refuse(session, argument, withText(replies.senderNotAllowed, text))
  }
  const full = await refuseCopy(session, account, argument.parameters.size ?? 0)
  if (full) return refuse(session, argument, full)
  return session.ended ? undefined : open(session, argument)
}

/** It has no transaction, and a journey all the same: whoever asks for it knows the sender. */
function refuse(session: Session, { reversePath: path }: MailArgument, refusal: Reply): Reply {
  const journey = session.newJourney()
  const [peer, reversePath, text] = [peerOf(session), path?.text ?? '', describeReply(refusal)]
  session.log.info({ journey, remote: peer, reversePath, reply: text }, 'sender refused')
  session.record(journey, [{ kind: 'refused', reply: text, peer, reversePath }])
  return refusal
}

function open(session: Session, { reversePath, parameters }: MailArgument): Reply {
  const room = roomFor(session, parameters.size ?? 0)
  if (!room) {
    // Nothing is written of it: there is no room for that either.
    const refused = { remote: session.client.address, reversePath: reversePath?.text ?? '' }
    session.log.info({ ...refused, reply: describeReply(replies.systemFull) }, 'sender refused')
    return replies.systemFull
  }
  const transaction: Transaction = {
    room,
    journey: session.newJourney(),
    reversePath: reversePath?.text ?? '',
    parameters,
    recipients: [],
    deliveries: 0,
    refused: 0,
    excluded: new Map(),
    intake: undefined,
  }
  const { screening } = session
  if (screening) transaction.screening = screening.begin(transaction)
  session.open(transaction)
  return replies.senderOk
}

/**
 * Announcing costs a stranger nothing, and what is kept for one is refused to everybody else: there has to be room for
 * all of it, and what goes beyond a small letter is looked for again as it comes.
 */
function roomFor({ isStranger, options: { store } }: Session, octets: number): ReservedRoom | undefined {
  const room = store.mail.reserve(octets)
  if (!room || !isStranger || octets <= keptForStrangers) return room
  room[Symbol.dispose]()
  return store.mail.reserve(keptForStrangers)
}

const keptForStrangers = 64 * 1024

/** Says the limit, in octets, as megabytes, and what fits into it once an attachment is encoded in base64. */
export function tooLarge(limit: number): Reply {
  const megabytes = (octets: number) => Math.floor(octets / 1024 / 1024)
  return reply(
    552,
    '5.3.4',
    `Message is larger than ${megabytes(limit)} MB; attachments up to ${megabytes(limit * 0.73)} MB fit`,
  )
}
