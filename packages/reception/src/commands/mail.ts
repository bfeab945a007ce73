import { parseMailArgument, replies, reply, withText } from '@pennypost/smtp'
import type { Command } from '../command.ts'
import { maySendAs } from '../submission.ts'

export const mail = {
  verb: 'MAIL',
  rfc: 'RFC 5321 §4.1.1.2',
  syntax: 'MAIL FROM:<reverse-path> [SIZE=n] [BODY=8BITMIME] [SMTPUTF8] [RET=FULL|HDRS] [ENVID=id] [REQUIRETLS]',
  needsHello: true,
  needsAuth: true,
  async run(session, argument) {
    const { options } = session
    if (session.transaction) return replies.nestedMail
    if (session.connection.draining) return replies.shuttingDown
    if (session.transactions >= options.limits.transactionsPerConnection) return replies.tooManyTransactions
    const parsed = parseMailArgument(argument)
    if (!parsed.ok) return parsed.reply
    const { reversePath, parameters } = parsed.value
    const { size, body, requireTls } = parameters
    if (body === 'BINARYMIME') return withText(replies.unknownParameter, 'BODY=BINARYMIME is not offered')
    if (requireTls && !session.secure) return replies.requireTlsWithoutTls
    if (size !== null && size > options.limits.messageSize) return tooLarge(options.limits.messageSize)
    if (!options.store.mail.hasRoom(size ?? 0)) return replies.systemFull
    if (session.account && reversePath && !(await maySendAs(session, reversePath))) {
      return withText(replies.senderNotAllowed, `${session.account.login} may not send as ${reversePath.text}`)
    }
    if (session.ended) return undefined
    session.transactions++
    session.transaction = {
      journey: session.newJourney(),
      beganAt: options.clock.now(),
      reversePath,
      parameters,
      recipients: [],
      refused: 0,
      intake: undefined,
    }
    return replies.senderOk
  },
} as const satisfies Command

/** Says the limit, and what fits into it once an attachment is encoded in base64. */
export function tooLarge(limit: number) {
  const megabytes = (octets: number) => Math.floor(octets / 1024 / 1024)
  return reply(
    552,
    '5.3.4',
    `Message is larger than ${megabytes(limit)} MB; attachments up to ${megabytes(limit * 0.73)} MB fit`,
  )
}
