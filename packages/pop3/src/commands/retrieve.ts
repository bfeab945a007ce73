import { downgradeHeader } from '@pennypost/message'
import { freeOctets } from '@pennypost/model'
import type { Command } from '../command.ts'
import { DotStuffer } from '../dot-stuff.ts'
import type { MaildropMessage } from '../maildrop.ts'
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
    await session.maildrop?.markSeen(message)
    if (message.journey && session.maildrop) {
      session.options.onRead?.(message.journey, session.maildrop.account, session.id)
    }
  },
} as const satisfies Command

export const top = {
  keyword: 'TOP',
  rfc: 'RFC 1939 §7',
  states: ['transaction'],
  async run(session, argument) {
    const [, number, lines] = /^(\d+) +(\d{1,9})$/.exec(argument) ?? []
    if (number === undefined) return session.refuse('Syntax: TOP message lines')
    const message = numbered(session, number)
    if (message) await send(session, message, Number(lines))
  },
} as const satisfies Command

/** Sends the header section and at most `bodyLines` lines of the body; false when it could not. */
async function send(session: Session, message: MaildropMessage, bodyLines: number): Promise<boolean> {
  const content = await session.maildrop?.read(message)
  if (!content) {
    session.refuse('[SYS/TEMP] The message cannot be read now')
    return false
  }
  const { stream } = session.connection
  const stuffer = new DotStuffer()
  const write = async (octets: Buffer): Promise<void> => {
    let flows = true
    for (const piece of stuffer.push(octets)) flows = stream.write(piece)
    if (!flows) await drained(session)
  }
  stream.cork()
  stream.write(`+OK ${message.size} octets\r\n`)
  await write(session.utf8 ? content.header : downgradeHeader(content.header))
  if (Buffer.isBuffer(content.body)) await write(content.body.subarray(0, endOfLines(content.body, bodyLines).at))
  else if (bodyLines > 0) {
    try {
      await sendLarge(session, content.body, bodyLines, write)
    } catch (error) {
      // +OK is out: whatever was said now, the client would take for text of the message.
      session.log.error(
        { session: session.id, message: message.message, err: error },
        'message not readable to its end',
      )
      while (stream.writableCorked > 0) stream.uncork()
      session.end()
      return false
    }
  }
  stream.write(stuffer.end())
  stream.uncork()
  return !session.ended
}

async function sendLarge(
  session: Session,
  body: AsyncIterable<Buffer>,
  lines: number,
  write: (octets: Buffer) => Promise<void>,
): Promise<void> {
  let left = lines
  for await (const chunk of body) {
    const end = endOfLines(chunk, left)
    left -= end.lines
    const sent = write(end.at === chunk.length ? chunk : chunk.subarray(0, end.at))
    // Behind what was just written: its memory is given back as soon as it has left.
    session.connection.stream.write(nothing, () => freeOctets(chunk))
    await sent
    if (left <= 0 || session.ended) return
  }
}

const nothing = Buffer.alloc(0)

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

/** Waits until the client has read on; the idle timer still runs. */
function drained(session: Session): Promise<void> {
  const { stream } = session.connection
  while (stream.writableCorked > 0) stream.uncork()
  if (!stream.writableNeedDrain || stream.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done)
      stream.off('close', done)
      session.connection.active()
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}
