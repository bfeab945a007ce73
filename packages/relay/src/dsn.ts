/**
 * Delivery status notifications as acceptances of their own: composed, signed, addressed, staged. What they carry along in
 * a settlement or an acceptance makes them safe with it; each has its own journey, linked to that of its subject.
 *
 * Never broken: nothing is sent for the null reverse-path, nor where nobody can be reached; both leave a `dsn` event with
 * an empty `to` and a line in the log, so that nothing ends in silence.
 * Who calls it: the conclusion of attempts, and `settledNotices` for reception.
 */
import { buildDsn, type Dsn, type DsnRecipient } from '@pennypost/message'
import {
  type Acceptance,
  type Clock,
  createJourneyId,
  type FlowEvent,
  type JourneyId,
  type Log,
  type MailStore,
  type QueueEnvelope,
  type Random,
} from '@pennypost/model'
import { type AddressOptions, addresseeOf, pathOf, planFor, postmasterFor } from './dsn-address.ts'
import type { NoticeAction } from './dsn-recipients.ts'
import type { RelayLimits } from './limits.ts'
import { type MessageSigner, stageMessage } from './stage-message.ts'

export interface DsnOptions extends AddressOptions {
  mail: Pick<MailStore, 'stage'>
  signer?: MessageSigner
  clock: Clock
  random: Random
  log: Log
  limits: Pick<RelayLimits, 'returnedOctets'>
}

/** The message that a DSN is about. */
export interface DsnSubject {
  journey: JourneyId
  acceptedAt: number
  reversePath: string
  envid: string | undefined
  ret: 'FULL' | 'HDRS' | undefined
  header: Buffer
  /** Octets of header and body. */
  size: number
  eightBitBody: boolean
  /** It had to travel under TLS; so does what tells of it (RFC 8689 §5). */
  requireTls: boolean
  body(): AsyncIterable<Buffer>
}

export interface DsnMade {
  /** Absent when there was nobody to tell. */
  acceptance?: Acceptance
  /** For the journey of the subject. */
  event: FlowEvent
}

/** Makes the DSN of one kind about these recipients. */
export async function createDsn(
  subject: DsnSubject,
  action: NoticeAction,
  recipients: readonly DsnRecipient[],
  options: DsnOptions,
): Promise<DsnMade> {
  const at = options.clock.now()
  const forwardPaths = recipients.map(({ finalRecipient }) => finalRecipient)
  const to = await addresseeOf(subject.journey, subject.reversePath, action, options)
  const event: FlowEvent = { journey: subject.journey, at, kind: 'dsn', action, to: '', dsn: '' }
  const asked = { ...envelope, requireTls: subject.requireTls }
  const plan = to === undefined ? undefined : await planFor(to, asked, options)
  if (to === undefined || !plan) {
    const { journey, reversePath } = subject
    options.log.warn({ journey, action, reversePath, forwardPaths }, 'nobody can be told what became of a message')
    return { event }
  }
  const journey = createJourneyId(at, options.random)
  const from = await postmasterFor([subject.reversePath, ...forwardPaths], options)
  const messageId = `${journey}@${options.hostname}`
  const dsn = buildDsn({
    from,
    to,
    at,
    messageId,
    recipients,
    reportingMta: options.hostname,
    boundary: `${journey}.${options.random.bytes(8).toString('hex')}`,
    arrivedAt: subject.acceptedAt,
    ...(subject.envid === undefined ? {} : { envelopeId: subject.envid }),
    original: subject,
    ...(subject.ret ? { ret: subject.ret } : {}),
    maxReturned: options.limits.returnedOctets,
  })
  const { domain } = pathOf(from)
  const message = await stageMessage(options.mail, piecesOf(dsn, subject), (header, body) =>
    signatureOf(domain, header, body, options),
  )
  const queue = plan.queue.map((entry) => ({
    ...entry,
    envelope: { ...entry.envelope, smtpUtf8: dsn.needsSmtpUtf8 },
  }))
  const made = { ...event, to, dsn: journey }
  const received = { service: 'dsn', session: '', peer: '', reversePath: '', forwardPaths: [to], messageId }
  const acceptance: Acceptance = {
    journey,
    acceptedAt: at,
    reversePath: '',
    message,
    queue,
    memory: [],
    filings: plan.filings,
    flow: [
      { journey, at, kind: 'received', ...received, size: message.content.size },
      { journey, at, kind: 'about', about: subject.journey },
    ],
  }
  options.log.info({ journey: subject.journey, dsn: journey, action, to, forwardPaths }, 'DSN made')
  return { acceptance, event: made }
}

/** Of every DSN (RFC 3461 §6.1): nobody is told what becomes of it. */
const envelope: QueueEnvelope = { reversePath: '', smtpUtf8: false, requireTls: false, autoSubmitted: true }

async function* piecesOf(dsn: Dsn, subject: DsnSubject): AsyncGenerator<Buffer> {
  yield dsn.before
  if (dsn.returns === 'headers') return
  yield subject.header
  yield* subject.body()
  yield dsn.after
}

/** An unsigned bounce is better than none. */
async function signatureOf(
  domain: string,
  header: Buffer,
  body: () => AsyncIterable<Buffer>,
  { signer, log }: DsnOptions,
): Promise<string> {
  try {
    return (await signer?.sign({ domain, header, body })) ?? ''
  } catch (error) {
    log.error({ err: error }, 'a DSN could not be signed')
    return ''
  }
}
