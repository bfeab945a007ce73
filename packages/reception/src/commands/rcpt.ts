import { describeReply, parseRcptArgument, replies, reply } from '@pennypost/smtp'
import type { Command } from '../command.ts'

export const rcpt = {
  verb: 'RCPT',
  rfc: 'RFC 5321 §4.1.1.3',
  syntax: 'RCPT TO:<forward-path> [NOTIFY=NEVER|SUCCESS,FAILURE,DELAY] [ORCPT=type;address]',
  needsHello: true,
  needsAuth: true,
  async run(session, argument) {
    const { transaction, options } = session
    if (!transaction) return replies.needMail
    const { smtpUtf8, size } = transaction.parameters
    const parsed = parseRcptArgument(argument, smtpUtf8)
    if (!parsed.ok) return parsed.reply
    const { forwardPath, parameters } = parsed.value
    if (transaction.recipients.length >= options.limits.recipients) return replies.recipientsTooMany
    const expansion = await options.mda.expand(forwardPath, {
      reversePath: transaction.reversePath?.text ?? '',
      account: session.account,
      size: size ?? 0,
      // LMTP clients have decided already; a relay through them is as forbidden as through the MX.
      mayRelay: session.account !== undefined,
    })
    if (session.transaction !== transaction) return undefined
    if (expansion.kind === 'refused') {
      transaction.refused++
      const { code, enhanced, text } = expansion.reply
      const refusal = reply(code, enhanced, text)
      const fact = { kind: 'refused', forwardPath: forwardPath.text, reply: describeReply(refusal) } as const
      session.detach(
        options.store.flow.record([{ journey: transaction.journey, at: options.clock.now(), ...fact }]),
        'journey',
      )
      return refusal
    }
    transaction.recipients.push({ path: forwardPath, parameters, expansion })
    return replies.recipientOk
  },
} as const satisfies Command
