/**
 * Messages for tests without a MIME parser: the index is plausible for one plain text part and no more.
 */
import type { NewMessage, StagedContent } from '../ports/acceptance.ts'
import type { MailStore } from '../ports/mail-store.ts'
import type { MessageIndex } from '../ports/message-index.ts'

/**
 * Stages a message in the engine's way. `source` is the whole message: header section, empty line, body; line ends
 * of `\n` in text become CRLF. What a header block would add stands in `trace`.
 */
export async function sampleMessage(
  mail: Pick<MailStore, 'stage'>,
  source: string | Buffer,
  trace = '',
): Promise<NewMessage> {
  const octets = typeof source === 'string' ? Buffer.from(source.replace(/\r?\n/g, '\r\n')) : source
  const stage = mail.stage()
  for (let at = 0; at < octets.length; at += 64 * 1024) await stage.write(octets.subarray(at, at + 64 * 1024))
  return describeMessage(await stage.finish(), octets, trace)
}

function describeMessage(content: StagedContent, octets: Buffer, trace: string): NewMessage {
  const end = octets.indexOf('\r\n\r\n')
  const bodyStart = octets.subarray(0, 2).equals(Buffer.from('\r\n')) ? 2 : end < 0 ? octets.length : end + 4
  const header = Buffer.concat([Buffer.from(trace), octets.subarray(0, bodyStart)])
  return { content, bodyStart, header, index: sampleIndex(header, octets.subarray(bodyStart)) }
}

/** An index with what the header fields say by plain pattern matching. */
export function sampleIndex(header: Buffer, body: Buffer): MessageIndex {
  const text = header.toString('latin1')
  const field = (name: string): string => new RegExp(`^${name}:[ \t]*(.*?)\r?$`, 'im').exec(text)?.[1] ?? ''
  const ids = (value: string): string[] => [...value.matchAll(/<([^<>]+)>/g)].map((match) => match[1] as string)
  const sentAt = Date.parse(field('date'))
  const localPart = (value: string): string => /([^\s<@]*)@/.exec(value)?.[1]?.toLowerCase() ?? ''
  const subject = field('subject')
  const lines = body.toString('latin1').split('\r\n').length - 1
  return {
    envelope: `(NIL ${JSON.stringify(subject)} NIL NIL NIL NIL NIL NIL NIL NIL)`,
    structure: `("TEXT" "PLAIN" NIL NIL NIL "8BIT" ${body.length} ${lines}\u0001 NIL NIL NIL NIL\u0002)`,
    parts: 'sample',
    bodySize: body.length,
    utf8Header: header.some((octet) => octet > 127),
    eightBitBody: body.some((octet) => octet > 127),
    openEnd: !(body.length > 0 ? body : header).subarray(-2).equals(Buffer.from('\r\n')),
    baseSubject: subject.replace(/^(re|fwd?): */i, '').toLowerCase(),
    replyOrForward: /^(re|fwd?):/i.test(subject),
    sortFrom: localPart(field('from')),
    sortTo: localPart(field('to')),
    sortCc: localPart(field('cc')),
    displayFrom: field('from').toLowerCase(),
    displayTo: field('to').toLowerCase(),
    sentAt: Number.isNaN(sentAt) ? null : sentAt,
    sentDay: Number.isNaN(sentAt) ? null : dayOf(sentAt),
    messageIdHeader: ids(field('message-id'))[0] ?? '',
    references: ids(field('references')),
    preview: body.subarray(0, 200).toString('utf8').replace(/\s+/g, ' ').trim(),
  }
}

function dayOf(at: number): number {
  return Number(new Date(at).toISOString().slice(0, 10).replaceAll('-', ''))
}
