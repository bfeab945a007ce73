import { createScanner, type ScannedMessage, type Scanner, withoutBinary } from '@pennypost/message'
import type { ContentStage, ReservedRoom, StagedContent } from '@pennypost/model'
import type { LiteralSink } from '../command.ts'
import { no } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import { roomFor, tooBig } from './bounds.ts'
import { LineEnds } from './crlf.ts'
import { type AppendedMessage, appendedMessage, MessageSink } from './message-sink.ts'

/**
 * Takes a message that came as a literal8, staged as it is. When all of it is there, and has NUL or a bare LF, which the
 * store does not hold, it is staged anew with the parts that are declared `binary` in base64 (RFC 3516 §4.4): so they stay
 * to the octet. What has NUL elsewhere is refused then.
 */
export class BinarySink implements LiteralSink {
  readonly #session: Session
  readonly #stage: ContentStage
  readonly #scanner: Scanner = createScanner()
  readonly #lineEnds = new LineEnds()
  #storable = true

  constructor(session: Session, room: ReservedRoom) {
    this.#session = session
    this.#stage = session.service.mail.stage(room)
  }

  write(octets: Buffer): Promise<void> | undefined {
    this.#storable &&= !octets.includes(0) && this.#lineEnds.convert(octets) === octets
    this.#scanner.push(octets)
    return this.#stage.write(octets)
  }

  async finish(): Promise<AppendedMessage> {
    const content = await this.#stage.finish()
    const scanned = this.#scanner.finish()
    if (this.#storable) return appendedMessage(content, scanned)
    try {
      return await stagedMessage(this.#session, storable(content, scanned))
    } finally {
      content.discard().catch(() => {})
    }
  }

  discard(): void {
    this.#stage.discard().catch(() => {})
  }
}

/** What could not be looked into to its end says nothing of how it is encoded. */
function storable(content: StagedContent, scanned: ScannedMessage): AsyncIterable<Buffer> {
  if (scanned.structureCut || scanned.headerTooLarge) return content.read()
  return withoutBinary(scanned.header, scanned.index().parts, content.read(scanned.headerSize))
}

/** A message out of octets that are not on their way from the client. `isBinary`: they are as those of a literal8. */
export async function stagedMessage(
  session: Session,
  octets: AsyncIterable<Buffer>,
  isBinary = false,
): Promise<AppendedMessage> {
  const limit = session.service.limits.message
  const room = roomFor(session, 0)
  const sink = isBinary ? new BinarySink(session, room) : new MessageSink(session, room)
  let size = 0
  try {
    for await (const chunk of octets) {
      size += chunk.length
      if (limit > 0 && size > limit) throw tooBig(limit)
      // The stage keeps what it is given, and the chunk may be the store's own.
      await sink.write(Buffer.from(chunk))
    }
    if (size === 0) throw no('CANNOT', 'A message without any octets cannot be stored')
    return await sink.finish()
  } catch (error) {
    sink.discard()
    throw error
  }
}
