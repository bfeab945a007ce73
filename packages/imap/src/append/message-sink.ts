import { createScanner, type ScannedMessage, type Scanner } from '@pennypost/message'
import type { ContentStage, NewMessage, ReservedRoom, StagedContent } from '@pennypost/model'
import type { LiteralSink, StreamedLiteral } from '../command.ts'
import { no } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import { LineEnds } from './crlf.ts'

/** A message that was given to APPEND and is staged: not yet in any mailbox. */
export class AppendedMessage implements StreamedLiteral {
  readonly message: NewMessage
  readonly held: number
  #taken = false

  constructor(message: NewMessage) {
    this.message = message
    const { header, index } = message
    const references = index.references.reduce((sum, { length }) => sum + length, 0)
    this.held = header.length + index.envelope.length + index.structure.length + index.parts.length + references
  }

  get size(): number {
    return this.message.content.size
  }

  /** The store has it from now on, and with it the duty to discard. */
  take(): NewMessage {
    this.#taken = true
    return this.message
  }

  discard(): void {
    if (this.#taken) return
    this.#taken = true
    this.message.content.discard().catch(() => {})
  }
}

export function appendedMessage(content: StagedContent, scanned: ScannedMessage): AppendedMessage {
  const { header, headerSize } = scanned
  return new AppendedMessage({ content, bodyStart: headerSize, header, index: scanned.index() })
}

/**
 * Takes a message as it comes: scanned and staged at once, never whole in memory. What cannot be stored (NUL, RFC 9051
 * §4.3) is refused at the octet where it shows.
 */
export class MessageSink implements LiteralSink {
  readonly #stage: ContentStage
  readonly #scanner: Scanner = createScanner()
  readonly #lineEnds = new LineEnds()

  constructor(session: Session, room: ReservedRoom) {
    this.#stage = session.service.mail.stage(room)
  }

  write(octets: Buffer): Promise<void> | undefined {
    if (octets.includes(0)) throw no('UNKNOWN-CTE', 'A message with NUL octets cannot be stored')
    const content = this.#lineEnds.convert(octets)
    this.#scanner.push(content)
    return this.#stage.write(content)
  }

  async finish(): Promise<AppendedMessage> {
    return appendedMessage(await this.#stage.finish(), this.#scanner.finish())
  }

  discard(): void {
    this.#stage.discard().catch(() => {})
  }
}
