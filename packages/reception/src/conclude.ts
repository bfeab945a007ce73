import { isAscii } from 'node:buffer'
import { type DeliveryPlan, findLoops, planFilings, sentCopy, sentCopyNotes } from '@pennypost/mda'
import { messageIdOf, parseHeader, renderHeader, strikesOf, valuesOf } from '@pennypost/message'
import type { Acceptance, Accepted, AccountId, FlowEvent, FlowFact, NewMessage, StagedContent } from '@pennypost/model'
import { describeReply, queuedReply, type Reply, replies, reply, withText } from '@pennypost/smtp'
import { tooLarge } from './commands/mail.ts'
import type { ContentIntake, ReceivedContent } from './content.ts'
import { peerOf } from './peer.ts'
import { queueEntries } from './queue-entries.ts'
import { receivedField } from './received-field.ts'
import { returnedEvents } from './returned.ts'
import { type Seals, sealsFor } from './seals.ts'
import type { Session } from './session.ts'
import { settledNotices } from './settled-notices.ts'
import { shortened } from './shortened.ts'
import { completion, refuseAuthors, signingDomain, submittedNotes } from './submission.ts'
import type { Transaction } from './transaction.ts'

/**
 * The end of a transaction: from the last octet of its content to the reply. Whatever happens here, exactly one reply
 * leaves (LMTP: one for each recipient, RFC 2033 §4.2), a positive one only after the durable commit, and the staged
 * content is either accepted or gone.
 * Who calls it: DATA and BDAT, when the content has ended. `isLast`: false for a chunk before the last one, which has one
 * reply for all.
 */
export async function concludeTransaction(
  session: Session,
  transaction: Transaction,
  intake: ContentIntake,
  isLast = true,
): Promise<Reply | undefined> {
  const recipients = [...transaction.recipients]
  const reply = await conclude(session, transaction, intake)
  session.transaction = undefined
  transaction.screening?.end()
  if (reply.code < 400 || reply.code >= 500) transaction.screening?.settled()
  if (reply.code >= 400) reportRefusal(session, transaction, reply)
  else session.errors.clear()
  session.forwarded = undefined
  if (!session.isLmtp || !isLast) return reply
  const answers = recipients.map((recipient) => transaction.excluded.get(recipient) ?? reply)
  for (const answer of answers.slice(0, -1)) session.say(answer)
  return answers.at(-1)
}

/** A client that left before the commit began has no mail here: it will send it again. */
const endedBefore = reply(451, '4.4.2', 'The session ended before there was a reply')
const brokenOff = reply(451, '4.4.2', 'The session ended before the content did')

/**
 * Content that broke off is told of as what was refused: who sent it may believe that it arrived. `said`: the last reply
 * of the session, where there was one.
 * Who calls it: the session, when it ends.
 */
export function reportBrokenOff(session: Session, said: Reply | undefined): void {
  const { transaction } = session
  if (!transaction?.intake?.isComing) return
  reportRefusal(session, transaction, said && said.code >= 400 ? said : brokenOff)
}

async function conclude(session: Session, transaction: Transaction, intake: ContentIntake): Promise<Reply> {
  if (intake.tooLarge) {
    intake.discard()
    return tooLarge(session.options.limits.messageSize)
  }
  let discarded: StagedContent | undefined
  try {
    const taken = await intake.finish()
    discarded = taken.content
    const received = (await shortened(session, transaction, taken)) ?? taken
    if (received !== taken) session.detach(taken.content.discard(), 'discarding content')
    discarded = received.content
    transaction.received = received
    const message = await examine(session, transaction, received)
    if ('code' in message) return message
    const { account, quota, options } = session
    // Other sessions of the account may have used it up since it was asked for.
    const counted = account && (await quota?.take(account, transaction.recipients.length, options.clock.now()))
    if (counted && 'code' in counted) return counted
    using _counted = counted
    const plan = planFor(session, transaction)
    if ('code' in plan) return plan
    const seals = await sealsFor(session, transaction, plan, message)
    if (session.ended) return endedBefore
    const accepted = await commit(session, transaction, received, message, { plan, seals })
    if (accepted.code < 400) discarded = undefined
    return accepted
  } catch (error) {
    return session.trouble(error)
  } finally {
    if (discarded) session.detach(discarded.discard(), 'discarding content')
  }
}

/** Refuses the content, or says how it will be kept. */
async function examine(
  session: Session,
  transaction: Transaction,
  received: ReceivedContent,
): Promise<NewMessage | Reply> {
  const { screening } = transaction
  const refused = refuseForm(session, transaction, received) ?? refuseLoops(session, transaction, received)
  const refusal = refused ?? (await screening?.content(received))
  if (refusal) return refusal
  const { options } = session
  const { scanned, content } = received
  const now = options.clock.now()
  let trace = receivedField(session, transaction, now) + (screening?.trace() ?? '')
  let struck = strikesOf(scanned.header, {
    authservId: options.hostname,
    bcc: session.isSubmission,
    returnPath: true,
    mboxLine: true,
  })
  if (session.isSubmission) {
    const section = parseHeader(scanned.header)
    const foreign = await refuseAuthors(session, transaction, section)
    if (foreign) return foreign
    const { fields, replaced } = completion(session, transaction, section, now)
    trace += fields
    struck = [...struck, ...replaced].sort((one, other) => one.start - other.start)
    const domain = signingDomain(session, transaction, section)
    if (domain !== undefined) {
      const header = renderHeader({ trace: Buffer.from(trace), header: scanned.header, strikes: struck })
      const body = () => content.read(scanned.headerSize)
      trace = (await options.sign({ domain, header, body })) + trace
    }
  }
  // Text without an empty line before it must not go on with the last field.
  const isOpen =
    scanned.bodySize > 0 && !/(?:^|\n)\r\n$/.test(scanned.header.toString('latin1', scanned.headerSize - 3))
  const own = isOpen ? Buffer.concat([scanned.header, Buffer.from('\r\n')]) : scanned.header
  const header = renderHeader({ trace: Buffer.from(trace), header: own, strikes: struck })
  return { content, bodyStart: scanned.headerSize, header, index: scanned.index({ header }) }
}

/** What is wrong with the form of the content, whoever sends it. What is borne is noted in `received.findings`. */
function refuseForm(session: Session, transaction: Transaction, received: ReceivedContent): Reply | undefined {
  const { rejectBareNewlines, longestLine, rejectUndeclaredUtf8 } = session.options
  const { facts, scanned, findings } = received
  if (facts.nuls > 0) return withText(replies.badContent, 'Content has NUL octets')
  if (rejectBareNewlines && facts.bareLineFeeds + facts.bareCarriageReturns > 0) {
    return withText(replies.badContent, 'Content has bare CR or LF')
  }
  if (longestLine !== undefined && facts.longestLine > longestLine) {
    return withText(replies.badContent, `Content has a line longer than ${longestLine}`)
  }
  if (!isAscii(scanned.header) && !transaction.parameters.smtpUtf8) {
    if (rejectUndeclaredUtf8) return replies.utf8HeaderRefused
    findings.push({ kind: 'finding', check: 'header', result: 'undeclared-utf8' })
  }
  if (scanned.eightBitBody && transaction.parameters.body === '7BIT') {
    findings.push({ kind: 'finding', check: 'body', result: 'undeclared-8bit' })
  }
  return scanned.headerTooLarge ? withText(replies.badContent, 'Header section is too large') : undefined
}

/**
 * A loop of some recipients is theirs alone. In LMTP each has its reply (RFC 2033 §4.2); SMTP has one for all, and a DSN
 * tells the sender of these.
 */
function refuseLoops(session: Session, transaction: Transaction, { scanned }: ReceivedContent): Reply | undefined {
  const { recipients } = transaction
  const deliveries = recipients.map(({ expansion }) => expansion.deliveries)
  const loops = findLoops(scanned.header, deliveries, session.options.limits.hops)
  const first = loops.find((loop) => loop !== undefined)
  if (!first) return undefined
  if (!loops.includes(undefined)) return first
  exclude(transaction, (at) => loops[at])
  return undefined
}

/** Takes those recipients out for which there is a reply of their own. */
function exclude({ recipients, excluded }: Transaction, replyFor: (at: number) => Reply | undefined): void {
  for (const [at, recipient] of recipients.entries()) {
    const reply = replyFor(at)
    if (reply) excluded.set(recipient, reply)
  }
  recipients.splice(0, recipients.length, ...recipients.filter((recipient) => !excluded.has(recipient)))
}

/** Doubtful mail is not passed on in our name, and what was taken is never dropped. */
const notForwarded = withText(replies.policyRefused, 'The message looks doubtful and would have to be forwarded')

/** What is to be done for whom; a reply when nothing is. In LMTP what cannot be done for some is refused to them alone. */
function planFor(session: Session, transaction: Transaction): DeliveryPlan | Reply {
  const { reversePath, recipients, screening } = transaction
  const plan = planFilings({
    reversePath,
    recipients: recipients.map(({ path, expansion }) => ({
      forwardPath: path.text,
      deliveries: expansion.deliveries,
    })),
    verdict: screening?.isQuarantined ? 'quarantine' : 'accept',
  })
  const { withheld } = plan
  if (withheld.length === 0) return plan
  if (!session.isLmtp || withheld.length === recipients.length) return notForwarded
  exclude(transaction, (at) => (withheld.includes(at) ? notForwarded : undefined))
  return planFor(session, transaction)
}

/** One durable transaction, then the reply that says so. */
async function commit(
  session: Session,
  transaction: Transaction,
  received: ReceivedContent,
  message: NewMessage,
  { plan, seals }: { plan: DeliveryPlan; seals: Seals },
): Promise<Reply> {
  transaction.committing = true
  const { options } = session
  const now = options.clock.now()
  const { reversePath } = transaction
  const wantsCopy = session.account?.copySent ? session.account : undefined
  const acceptance: Acceptance = {
    journey: transaction.journey,
    acceptedAt: now,
    reversePath,
    message,
    filings: wantsCopy ? [...plan.filings, sentCopy(wantsCopy)] : plan.filings,
    queue: await queueEntries(session, transaction, plan, message, seals),
    memory: session.isSubmission
      ? submittedNotes(session, transaction, plan, now)
      : (transaction.screening?.notes(now) ?? []),
    flow: [
      ...events(session, transaction, received, message, now),
      ...seals.facts.map((fact) => ({ journey: transaction.journey, at: now, ...fact })),
      ...(await returned(session, transaction, message, now)),
    ],
    fingerprint: fingerprint(session, transaction, received),
    unlessFull: [...limitedAccounts(transaction, plan), ...(wantsCopy ? [wantsCopy.id] : [])],
  }
  const notices = await settledNotices(session, transaction, message.header, acceptance)
  const flow = [...acceptance.flow, ...notices.flow]
  const [accepted] = await options.store.mail.accept([{ ...acceptance, flow }, ...notices.accept])
  if (!accepted) throw new Error('the store accepted nothing and said nothing')
  options.onOutcome?.('accepted', received.facts.size)
  session.log.info(
    {
      journey: accepted.journey,
      reversePath,
      size: received.facts.size,
      filed: accepted.filed.length,
      queued: accepted.queued.length,
      ...(accepted.repeated ? { repeated: true } : {}),
    },
    'accepted',
  )
  if (accepted.repeated) session.record(accepted.journey, [{ kind: 'repeated', session: session.id }])
  // Where the account has no Sent, its copy may have met another one in INBOX.
  const copy = accepted.filed.length > plan.filings.length ? accepted.filed.at(-1) : undefined
  if (wantsCopy && copy) noteCopy(session, copy, message, now)
  session.confirmable(accepted.journey)
  return queuedReply(accepted.journey)
}

/** For whom it is filed, but for those who are to be reached in any case. */
function limitedAccounts({ recipients }: Transaction, { filings }: DeliveryPlan): AccountId[] {
  const deliveries = recipients.flatMap(({ expansion }) => expansion.deliveries)
  const always = new Set(deliveries.map((each) => (each.kind === 'file' && each.always ? each.account : undefined)))
  return filings.map(({ account }) => account).filter((account) => !always.has(account))
}

/** What a DSN that comes back says about mail of ours; its own acceptance does not hang on it. */
async function returned(session: Session, transaction: Transaction, message: NewMessage, at: number) {
  if (transaction.reversePath !== '') return []
  try {
    return await returnedEvents(message, { journey: transaction.journey, at }, session.options.store.flow)
  } catch (error) {
    session.log.error({ err: error }, 'a DSN could not be matched')
    return []
  }
}

/** So that the copy that the author's program appends takes the place of ours; not worth a sync of its own. */
function noteCopy(session: Session, copy: Accepted['filed'][number], message: NewMessage, now: number): void {
  const notes = sentCopyNotes(copy, message.index.messageIdHeader, now)
  if (notes.length > 0) session.detach(session.options.store.memory.note(notes), 'noting the copy in Sent')
}

/** The same network, envelope and content again, soon after a reply that was perhaps not read, is the same mail. */
function fingerprint(session: Session, transaction: Transaction, received: ReceivedContent): string {
  let envelope = `\0${session.network}\0${transaction.reversePath}`
  for (const { path } of transaction.recipients) envelope += `\0${path.text}`
  // Content has no NUL, so the first one is where the envelope begins.
  return received.hash.update(envelope).digest('base64url')
}

function events(
  session: Session,
  transaction: Transaction,
  received: ReceivedContent,
  { index: { messageIdHeader } }: NewMessage,
  now: number,
): readonly FlowEvent[] {
  const at = { journey: transaction.journey, at: now }
  const first = receivedFact(session, transaction, received.facts.size)
  const named = messageIdHeader === '' ? first : { ...first, messageId: messageIdHeader }
  const expanded = transaction.recipients.flatMap(({ expansion }) => expansion.facts)
  const screened = transaction.screening?.facts() ?? []
  const excluded = Array.from(transaction.excluded, ([{ path }, said]): FlowFact => {
    return { kind: 'refused', forwardPath: path.text, reply: describeReply(said) }
  })
  return [named, ...expanded, ...received.findings, ...screened, ...excluded].map((fact) => ({ ...at, ...fact }))
}

/** How the journey begins, whatever becomes of the content. */
function receivedFact(
  session: Session,
  transaction: Transaction,
  size: number,
): Extract<FlowFact, { kind: 'received' }> {
  const { account, forwarded, client } = session
  const { tls } = session.connection
  const helo = forwarded?.helo ?? client.helo ?? session.hello
  return {
    kind: 'received',
    service: session.service,
    session: session.id,
    peer: peerOf(session),
    ...(helo === undefined ? {} : { helo }),
    ...(tls ? { tls: `${tls.protocol} ${tls.cipher}` } : {}),
    ...(account ? { account: account.login } : {}),
    reversePath: transaction.reversePath,
    forwardPaths: transaction.recipients.map(({ path }) => path.text),
    size,
  }
}

function reportRefusal(session: Session, transaction: Transaction, reply: Reply): void {
  const { options } = session
  options.onOutcome?.(reply.code >= 500 ? 'refused' : 'deferred', 0)
  const text = describeReply(reply)
  const { received, intake, journey } = transaction
  const peer = session.client.address
  session.log.info({ journey, remote: peer, reversePath: transaction.reversePath, reply: text }, 'content refused')
  const first = receivedFact(session, transaction, intake?.filter.facts.size ?? 0)
  // Who was refused knows the Message-ID, and nothing else that can be looked up.
  const messageId = received ? messageIdOf(valuesOf(parseHeader(received.scanned.header), 'message-id')[0] ?? '') : ''
  session.record(journey, [
    messageId === '' ? first : { ...first, messageId },
    ...(received?.findings ?? []),
    ...(transaction.screening?.facts() ?? []),
    { kind: 'refused', reply: text },
  ])
}
