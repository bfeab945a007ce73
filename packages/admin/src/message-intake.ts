import { createHash } from 'node:crypto'
import { createScanner } from '@pennypost/message'
import { type MailStore, type NewMessage, turnTaking } from '@pennypost/model'
import { AdminError } from './admin-error.ts'
import type { Frame } from './socket/frames.ts'
import { StoredOctets } from './stored-octets.ts'

/** A message of an upload: what its `head` says, and its content, staged and scanned. */
export interface IncomingMessage {
  head: Record<string, unknown>
  message: NewMessage
}

/**
 * The messages of an upload, one after the other: a `head`, pieces of content, `end`. Never one whole in memory. Whoever
 * takes one must append or discard it. An upload that breaks off rejects; the message being read is dropped.
 */
export async function* readMessages(
  mail: Pick<MailStore, 'stage'>,
  upload: AsyncIterable<Frame>,
): AsyncGenerator<IncomingMessage> {
  let head: Record<string, unknown> | undefined
  let intake: Intake | undefined
  const othersTurn = turnTaking(messagesPerTurn)
  try {
    for await (const frame of upload) {
      if ('head' in frame) {
        // Hundreds of small ones come in one chunk of the socket.
        await othersTurn()
        if (intake) throw new AdminError('bad-input', 'A message begins before the one before it ended.')
        head = frame.head
        intake = new Intake(mail)
      } else if (!intake || !head) {
        throw new AdminError('bad-input', 'Content comes before the head of its message.')
      } else if ('octets' in frame) {
        await intake.write(frame.octets)
      } else {
        const finished = intake
        intake = undefined
        yield { head, message: await finished.finish() }
      }
    }
    if (intake) throw new AdminError('bad-input', 'The upload ended in the middle of a message.')
  } finally {
    await intake?.discard()
  }
}

const messagesPerTurn = 25

class Intake {
  readonly #stage
  readonly #scanner = createScanner()
  readonly #octets = new StoredOctets()

  constructor(mail: Pick<MailStore, 'stage'>) {
    this.#stage = mail.stage()
  }

  write(octets: Buffer): Promise<void> | undefined {
    const content = this.#octets.convert(octets)
    this.#scanner.push(content)
    return this.#stage.write(content)
  }

  async finish(): Promise<NewMessage> {
    const content = await this.#stage.finish()
    const scanned = this.#scanner.finish()
    return { content, bodyStart: scanned.headerSize, header: scanned.header, index: scanned.index() }
  }

  discard(): Promise<void> {
    return this.#stage.discard()
  }
}

/** By which messages are taken for the same. */
export interface Fingerprint {
  /** Everything that ENVELOPE says. */
  envelope: string
  /** The same, and the size. */
  whole: string
}

export function fingerprint(size: number, envelope: string): Fingerprint {
  const digest = createHash('sha1').update(envelope).digest('base64').slice(0, 20)
  return { envelope: digest, whole: `${size} ${digest}` }
}
