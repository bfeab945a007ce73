import type { Expansion, RelayDelivery, Verification } from '@pennypost/mda'
import type { FlowFact } from '@pennypost/model'
import { describeReply, type Mailbox, parseRcptArgument, type Reply, replies, reply } from '@pennypost/smtp'
import { type Command, takingMail } from '../command.ts'
import { peerOf } from '../peer.ts'
import type { Session } from '../session.ts'
import type { Transaction } from '../transaction.ts'

/**
 * One more recipient: the MDA says what would be done for it, quota and checks whether this client may bring it, and where
 * the domain has it so its next hop whether it takes it. What can refuse one recipient alone refuses it here, since behind
 * the content there is one reply for all. The next hop comes last: whom we do not hear has nothing asked of it.
 *
 * What must never break: a transaction that ended while something was asked gets no recipient and no reply.
 */
export const rcpt = {
  verb: 'RCPT',
  rfc: 'RFC 5321 §4.1.1.3',
  syntax: 'RCPT TO:<forward-path> [NOTIFY=NEVER|SUCCESS,FAILURE,DELAY] [ORCPT=type;address]',
  services: takingMail,
  needsHello: true,
  needsAuth: true,
  async run(session, argument) {
    const { transaction, options } = session
    if (!transaction) return replies.needMail
    // RFC 3030 §2: its data has begun, and who gets it is settled.
    if (transaction.intake) return replies.badSequence
    const { smtpUtf8, size } = transaction.parameters
    const parsed = parseRcptArgument(argument, smtpUtf8)
    if (!parsed.ok) return refuse(session, transaction, parsed.written, parsed.reply)
    const { forwardPath, parameters } = parsed.value
    const { limits } = options
    const { length: before } = transaction.recipients
    if (before >= limits.recipients || transaction.deliveries >= limits.deliveries) return replies.recipientsTooMany
    const expansion = await options.mda.expand(forwardPath, {
      reversePath: transaction.reversePath,
      account: session.account,
      size: size ?? 0,
      // LMTP clients have decided already; a relay through them is as forbidden as through the MX.
      mayRelay: session.account !== undefined,
    })
    if (session.transaction !== transaction) return undefined
    if (expansion.kind === 'refused') return refuse(session, transaction, forwardPath.text, expansion.reply)
    // An alias named a thousand times, each time in another form, would be kept as often until the content has come.
    const deliveries = transaction.deliveries + expansion.deliveries.length
    if (before > 0 && deliveries > limits.deliveries) return replies.recipientsTooMany
    const spent =
      session.account && (await session.quota?.refuseRecipients(session.account, before + 1, options.clock.now()))
    if (session.transaction !== transaction) return undefined
    if (spent) return refuse(session, transaction, forwardPath.text, spent)
    const { screening } = transaction
    if (screening) {
      const refusal = await screening.recipient({ path: forwardPath, expansion })
      if (session.transaction !== transaction) return undefined
      if (refusal) return refuse(session, transaction, forwardPath.text, refusal)
    }
    const verification = await verified(session, transaction, expansion)
    if (session.transaction !== transaction) return undefined
    const asked: FlowFact[] = verification ? [{ kind: 'verified', ...verification }] : []
    const unwanted = verification && refusalOf(forwardPath, verification)
    if (unwanted) return refuse(session, transaction, forwardPath.text, unwanted, asked)
    const facts = [...expansion.facts, ...asked]
    transaction.deliveries = deliveries
    transaction.recipients.push({ path: forwardPath, parameters, expansion: { ...expansion, facts } })
    return replies.recipientOk
  },
} as const satisfies Command

/** What the next hop says to everybody may be mended, and then the mail is to be there. */
function refusalOf(path: Mailbox, { answer, reply: said }: Verification): Reply | undefined {
  const text = `<${path.text}>: its server says ${said}`
  if (answer === 'refused') return reply(550, '5.1.1', text)
  return answer === 'refused-us' ? reply(450, '4.7.1', text) : undefined
}

/** Who has logged in gets a bounce instead, and who hands on by LMTP has decided. */
async function verified(
  { isStranger, options, log }: Session,
  { journey }: Transaction,
  { deliveries }: Extract<Expansion, { kind: 'accepted' }>,
): Promise<Verification | undefined> {
  if (!isStranger) return undefined
  const doubtful = deliveries.find(
    (delivery): delivery is RelayDelivery => delivery.kind === 'relay' && !!delivery.verify,
  )
  const verification = doubtful && (await options.verifyRecipient?.(doubtful))
  if (verification) log.info({ journey, ...verification }, 'recipient verified')
  return verification
}

function refuse(
  session: Session,
  transaction: Transaction,
  forwardPath: string,
  refusal: Reply,
  asked: readonly FlowFact[] = [],
): Reply {
  transaction.refused++
  const { reversePath, screening } = transaction
  const [peer, text] = [peerOf(session), describeReply(refusal)]
  session.log.info(
    { journey: transaction.journey, remote: peer, reversePath, forwardPath, reply: text },
    'recipient refused',
  )
  const refused: FlowFact = { kind: 'refused', forwardPath, reply: text, peer, reversePath }
  session.record(transaction.journey, [...(screening?.facts() ?? []), ...asked, refused])
  screening?.recorded()
  return refusal
}
