import { downgradeHeader } from '@pennypost/message'
import { freeOctets } from '@pennypost/model'
import type { Command } from '../command.ts'
import { DotStuffer } from '../dot-stuff.ts'
import type { MaildropMessage, MessageOctets } from '../maildrop.ts'
import type { Session } from '../session.ts'
import { numbered } from './transaction.ts'

/** Reading: RETR and TOP. Large bodies are streamed at the client's pace, never whole in memory. */

export const retr = {
  keyword: 'RETR',
  rfc: 'RFC 1939 §5',
  states: ['transaction'],
  async run(session, argument) {
    const message = numbered(session, argument)
    if (!message || !(await send(session, message, Number.POSITIVE_INFINITY))) return
    // What was fetched whole counts as read in IMAP too.
    const { maildrop, options, id } = session
    await maildrop?.markSeen(message)
    const { journey } = message
    if (journey && maildrop) options.onRead?.({ journey, login: maildrop.account.login, session: id })
  },
} as const satisfies Command

export const top = {
  keyword: 'TOP',
  rfc: 'RFC 1939 §7',
  states: ['transaction'],
  async run(session, argument) {
    const [, number, lines] = /^ *(\d+) +(\d{1,9}) *$/.exec(argument) ?? []
    if (number === undefined) return session.refuse('Syntax: TOP message lines')
    const message = numbered(session, number)
    if (message) await send(session, message, Number(lines))
  },
} as const satisfies Command

/** Sends the header section and at most `bodyLines` lines of the body; false when it could not. */
async function send(session: Session, message: MaildropMessage, bodyLines: number): Promise<boolean> {
  const content = await begin(session, message, bodyLines)
  if (!content) {
    session.refuse('[SYS/TEMP] The message cannot be read now')
    return false
  }
  const { stream } = session.connection
  const stuffer = new DotStuffer()
  session.midResponse = true
  stream.cork()
  stream.write(`+OK ${message.size} octets\r\n`)
  stream.write(stuffer.push(session.utf8 ? content.header : downgradeHeader(content.header)))
  try {
    if (Buffer.isBuffer(content.body)) {
      stream.write(stuffer.push(content.body.subarray(0, endOfLines(content.body, bodyLines).at)))
    } else if (bodyLines > 0) await sendLarge(session, content.body, bodyLines, stuffer)
    if (session.ended) return false
    stream.write(stuffer.end())
  } catch (error) {
    session.log.error({ session: session.id, message: message.message, err: error }, 'message not readable to its end')
    session.end()
    return false
  } finally {
    while (stream.writableCorked > 0) stream.uncork()
  }
  session.midResponse = false
  return true
}

/**
 * Reads the beginning of a large body before anything is said: a message that is damaged must not end the connection, or
 * whoever fetches one after the other never gets those behind it.
 */
async function begin(
  session: Session,
  message: MaildropMessage,
  bodyLines: number,
): Promise<MessageOctets | undefined> {
  const content = await session.maildrop?.read(message)
  if (!content || Buffer.isBuffer(content.body) || bodyLines === 0) return content
  try {
    const chunks = content.body[Symbol.asyncIterator]()
    const first = await chunks.next()
    return { ...content, body: following(first, chunks) }
  } catch (error) {
    session.log.error({ session: session.id, message: message.message, err: error }, 'message not readable')
    return undefined
  }
}

async function* following(first: IteratorResult<Buffer>, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    for (let next = first; !next.done; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

async function sendLarge(
  session: Session,
  body: AsyncIterable<Buffer>,
  lines: number,
  stuffer: DotStuffer,
): Promise<void> {
  const { stream } = session.connection
  let left = lines
  for await (const chunk of body) {
    if (session.ended) return
    const end = endOfLines(chunk, left)
    left -= end.lines
    // Its memory is given back as soon as it has left.
    const sent = stuffer.push(chunk.subarray(0, end.at))
    stream.write(sent, () => {
      freeOctets(sent)
      freeOctets(chunk)
    })
    while (stream.writableCorked > 0) stream.uncork()
    await session.drained()
    if (left <= 0) return
  }
}

/** Where the first `wanted` lines of the chunk end, and how many that were. */
function endOfLines(chunk: Buffer, wanted: number): { at: number; lines: number } {
  if (wanted === Number.POSITIVE_INFINITY) return { at: chunk.length, lines: 0 }
  if (wanted === 0) return { at: 0, lines: 0 }
  let lines = 0
  for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) {
    if (++lines === wanted) return { at: at + 1, lines }
  }
  return { at: chunk.length, lines }
}
