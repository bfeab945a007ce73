import type { Frame } from '../socket/frames.ts'

/** A message out of a file, on its way into a mailbox. */
export interface FiledMessage {
  /** Name of the mailbox that it was found in. */
  mailbox: string
  flags: readonly string[]
  /** When it arrived; null when the file does not say. */
  internalDate: { at: number; offsetMinutes: number } | null
  uidl?: string
  /** Its octets in chunks; must be read before the next message is asked for. */
  content: AsyncIterable<Buffer> | Iterable<Buffer>
}

const pieceOctets = 256 * 1024

/** The upload of operation `import`. */
export async function* uploadOf(messages: AsyncIterable<FiledMessage>): AsyncGenerator<Frame> {
  for await (const { content, mailbox, flags, internalDate, uidl } of messages) {
    yield { head: { mailbox, flags, internalDate, ...(uidl === undefined ? {} : { uidl }) } }
    for await (const chunk of content) {
      for (let at = 0; at < chunk.length; at += pieceOctets) yield { octets: chunk.subarray(at, at + pieceOctets) }
    }
    yield { end: true }
  }
}
