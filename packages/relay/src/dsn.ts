/**
 * Delivery status notifications as acceptances of their own: composed, signed, addressed, staged. What they carry along in
 * a settlement or an acceptance makes them safe with it; each has its own journey, linked to that of its subject.
 *
 * Never broken: nothing is sent for the null reverse-path, nor where nobody can be reached; both leave a `dsn` event with
 * an empty `to` and a line in the log, so that nothing ends in silence.
 * Who calls it: the conclusion of attempts, and `deliveredNotices` for reception.
 */
import { buildDsn, createScanner, type Dsn, type DsnRecipient } from '@pennypost/message'
import {
  type Acceptance,
  type Clock,
  createJourneyId,
  type FlowEvent,
  type JourneyId,
  type Log,
  type MailStore,
  type NewMessage,
  type QueueEnvelope,
  type Random,
  type StagedContent,
} from '@pennypost/model'
import { type AddressOptions, addresseeOf, planFor, postmasterFor } from './dsn-address.ts'
import type { NoticeAction } from './dsn-recipients.ts'

/** Makes DKIM-Signature fields, each ended by CRLF; '' where there is no key for the domain. */
export interface DsnSigner {
  sign(message: { domain: string; header: Buffer; body(): AsyncIterable<Buffer> }): Promise<string>
}

export interface DsnOptions extends AddressOptions {
  mail: Pick<MailStore, 'stage'>
  signer?: DsnSigner
  clock: Clock
  random: Random
  log: Log
  /** Octets up to which a failed message is returned whole. */
  returnedOctets: number
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
  const to = await addresseeOf(subject.journey, subject.reversePath, options)
  const event: FlowEvent = { journey: subject.journey, at, kind: 'dsn', action, to: '', dsn: '' }
  const plan = to === undefined ? undefined : await planFor(to, envelope, options)
  if (to === undefined || !plan) {
    const { journey, reversePath } = subject
    options.log.warn({ journey, action, reversePath, forwardPaths }, 'nobody can be told what became of a message')
    return { event }
  }
  const journey = createJourneyId(at, options.random)
  const from = await postmasterFor([subject.reversePath, ...forwardPaths], options)
  const messageId = `${journey}@${options.hostname}`
  const dsn = buildDsn({
    ...{ from, to, at, messageId, recipients },
    reportingMta: options.hostname,
    boundary: `${journey}.${options.random.bytes(8).toString('hex')}`,
    arrivedAt: subject.acceptedAt,
    ...(subject.envid === undefined ? {} : { envelopeId: subject.envid }),
    original: subject,
    ...(subject.ret ? { ret: subject.ret } : {}),
    maxReturned: options.returnedOctets,
  })
  const message = await stageDsn(dsn, subject, from, options)
  const queue = plan.queue.map((entry) => ({
    ...entry,
    envelope: { ...entry.envelope, smtpUtf8: dsn.needsSmtpUtf8 },
  }))
  const made = { ...event, to, dsn: journey }
  const received = { service: 'dsn', session: '', peer: '', reversePath: '', forwardPaths: [to], messageId }
  const acceptance: Acceptance = {
    ...{ journey, acceptedAt: at, reversePath: '', message, queue, memory: [] },
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

async function stageDsn(dsn: Dsn, subject: DsnSubject, from: string, options: DsnOptions): Promise<NewMessage> {
  const stage = options.mail.stage()
  try {
    const scanner = createScanner()
    for await (const piece of piecesOf(dsn, subject)) {
      scanner.push(piece)
      // The stage owns what it is given; these octets are also the store's and the subject's.
      await stage.write(Buffer.from(piece))
    }
    const scanned = scanner.finish()
    const content = await stage.finish()
    const signature = await signatureOf(scanned.header, content, from, options)
    const header = signature === '' ? scanned.header : Buffer.concat([Buffer.from(signature), scanned.header])
    return { content, bodyStart: scanned.headerSize, header, index: scanned.index({ header }) }
  } catch (error) {
    await stage.discard()
    throw error
  }
}

async function* piecesOf(dsn: Dsn, subject: DsnSubject): AsyncGenerator<Buffer> {
  yield dsn.before
  if (dsn.returns === 'headers') return
  yield subject.header
  yield* subject.body()
  yield dsn.after
}

async function signatureOf(
  header: Buffer,
  content: StagedContent,
  from: string,
  { signer, log }: DsnOptions,
): Promise<string> {
  if (!signer) return ''
  try {
    const domain = from.slice(from.lastIndexOf('@') + 1)
    return await signer.sign({ domain, header, body: () => content.read(header.length) })
  } catch (error) {
    // An unsigned bounce is better than none.
    log.error({ err: error }, 'a DSN could not be signed')
    return ''
  }
}
