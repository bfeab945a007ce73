/**
 * A report as mail: written, signed and queued, from the postmaster of our first domain.
 *
 * Never broken: a report brings forth neither a bounce nor another report's worth of trouble.
 * Who calls it: the making of reports on TLS and on DMARC.
 */
import { encodeBase64, formatDate } from '@pennypost/message'
import { type Clock, createJourneyId, type Directory, type MailStore, type Random } from '@pennypost/model'
import { parseForwardPath, toAsciiPath } from '@pennypost/smtp'
import { type AddressOptions, pathOf, planFor, postmasterFor } from '../dsn-address.ts'
import { type MessageSigner, stageMessage } from '../stage-message.ts'

export interface MailReportOptions extends AddressOptions {
  mail: Pick<MailStore, 'stage' | 'accept'>
  directory: Pick<Directory, 'domain' | 'domains'>
  signer?: MessageSigner
  clock: Clock
  random: Random
}

/** What reports of all kinds say about themselves. */
export interface ReportFacts {
  /** Which they are about. */
  domain: string
  /** `2026-11-26` */
  day: string
  /** Ours. */
  hostname: string
  contact: string
  id: string
}

/** What tells one kind of report from another. */
export interface ReportKind {
  /** In the journey, as the service that it came by. */
  service: string
  /** What a person reads; ASCII. */
  text: string
  /** Fields of the header beside the usual ones, each ended by CRLF. */
  fields: string
  /** Of the whole: `multipart/mixed`, with parameters. */
  contentType: string
  attachment: { contentType: string; extension: string; zipped: Buffer }
  /** Whether it goes even where TLS fails that should not. */
  tlsOptional: boolean
}

/** Seconds since 1970 at which the day begins, and its last one. */
export function rangeOf({ day }: Pick<ReportFacts, 'day'>): { begin: number; end: number } {
  const begin = Date.parse(`${day}T00:00:00Z`) / 1000
  return { begin, end: begin + 86_399 }
}

/** Who answers for reports: the postmaster of our first domain. */
export async function contactFor(options: MailReportOptions): Promise<string> {
  const first = (await options.directory.domains()).find(({ kind }) => kind === 'local')
  return postmasterFor(first ? [`postmaster@${first.name}`] : [], options)
}

/** Rejects when nobody can be reached there, or the store does. `uri`: `mailto:tls@two.test`, which strangers wrote. */
export async function mailReport(
  uri: string,
  facts: ReportFacts,
  kind: ReportKind,
  options: MailReportOptions,
): Promise<void> {
  const { mail, signer, clock, random } = options
  const to = addressIn(uri)
  const at = clock.now()
  const envelope = {
    reversePath: facts.contact,
    smtpUtf8: toAsciiPath(to) === null,
    requireTls: false,
    ...(kind.tlsOptional ? { tlsOptional: true } : {}),
    autoSubmitted: true,
  }
  const plan = await planFor(to, envelope, options)
  if (!plan) throw new Error(`nobody is to be reached as ${to}`)
  const journey = createJourneyId(at, random)
  const content = compose(facts, kind, to, formatDate(at))
  const { domain } = pathOf(facts.contact)
  const message = await stageMessage(mail, [content], async (header, body) => {
    return (await signer?.sign({ domain, header, body })) ?? ''
  })
  const queue = plan.queue.map((entry) => ({
    ...entry,
    recipients: entry.recipients.map((recipient) => ({ ...recipient, notify: ['NEVER' as const] })),
  }))
  const received = { service: kind.service, session: '', peer: '', reversePath: facts.contact, forwardPaths: [to] }
  await mail.accept([
    {
      journey,
      acceptedAt: at,
      reversePath: facts.contact,
      message,
      queue,
      memory: [],
      filings: plan.filings,
      flow: [{ journey, at, kind: 'received', ...received, messageId: messageIdOf(facts), size: content.length }],
    },
  ])
}

/** The mailbox of a `mailto` URI. Behind its percent signs there may be line ends. */
function addressIn(uri: string): string {
  const to = decodeURIComponent(uri.slice('mailto:'.length).split('?', 1)[0] ?? '')
  if (!parseForwardPath(`<${to}>`, { smtpUtf8: true }).ok) throw new Error('that is no address')
  // A domain beyond ASCII has a name that every host takes; a local part has none.
  return toAsciiPath(to) ?? to
}

function messageIdOf({ id, hostname }: ReportFacts): string {
  return `${id}@${hostname}`
}

/** RFC 8460 §5.3, RFC 9990 §3.5.2; they agree in the form of Subject and file name. `date`: as a Date field has it. */
function compose(facts: ReportFacts, kind: ReportKind, to: string, date: string): Buffer {
  const { domain, hostname, contact, id } = facts
  const { begin, end } = rangeOf(facts)
  const { contentType, extension, zipped } = kind.attachment
  const boundary = `report.${id}`
  const lines = [
    `From: <${contact}>`,
    `To: <${to}>`,
    `Date: ${date}`,
    `Subject: Report Domain: ${domain}`,
    ` Submitter: ${hostname}`,
    ` Report-ID: <${messageIdOf(facts)}>`,
    `Message-ID: <${messageIdOf(facts)}>`,
    `${kind.fields}Auto-Submitted: auto-generated`,
    'MIME-Version: 1.0',
    `Content-Type: ${kind.contentType}; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=us-ascii',
    '',
    kind.text,
    '',
    `--${boundary}`,
    `Content-Type: ${contentType}`,
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment;',
    ` filename="${hostname}!${domain}!${begin}!${end}!${id}.${extension}"`,
    '',
    `${encodeBase64(zipped)}--${boundary}--`,
    '',
  ]
  return Buffer.from(lines.join('\r\n'))
}
