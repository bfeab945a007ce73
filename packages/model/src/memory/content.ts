/** Content as it arrives, in memory: taken over by one acceptance or append, or discarded. */

import { messageId } from '../ids.ts'
import type { ContentStage, NewMessage, StagedContent } from '../ports/acceptance.ts'
import type { AccountRow, MessageRow, State } from './state.ts'
import { nextId, refuse } from './state.ts'

const chunkOctets = 256 * 1024

export class MemoryContent implements StagedContent {
  #octets: Buffer | undefined
  readonly size: number

  constructor(octets: Buffer) {
    this.#octets = octets
    this.size = octets.length
  }

  /** The octets, while nobody has taken them over. */
  get octets(): Buffer {
    return this.#octets ?? refuse('unavailable', 'The content was taken over or discarded before.')
  }

  async *read(start = 0, end = this.size): AsyncGenerator<Buffer> {
    yield* chunks(this.octets.subarray(start, end))
  }

  async discard(): Promise<void> {
    this.#octets = undefined
  }
}

export function createContentStage(): ContentStage {
  let received: Buffer[] = []
  let staged: MemoryContent | undefined
  return {
    write(chunk) {
      received.push(chunk)
      return undefined
    },
    async finish() {
      staged ??= new MemoryContent(Buffer.concat(received))
      received = []
      return staged
    },
    async discard() {
      received = []
      await staged?.discard()
    },
  }
}

export function* chunks(octets: Buffer): Generator<Buffer> {
  for (let at = 0; at < octets.length; at += chunkOctets) yield octets.subarray(at, at + chunkOctets)
}

/** The staged octets of a message of this engine; checked before the first change of a transaction. */
export function stagedOctets(message: NewMessage): Buffer {
  if (!(message.content instanceof MemoryContent)) throw new TypeError('The content was staged by another engine.')
  return message.content.octets
}

/** Stores a message that nothing refers to yet. */
export function storeMessage(state: State, message: NewMessage): MessageRow {
  const body = stagedOctets(message).subarray(message.bodyStart)
  const row: MessageRow = {
    id: messageId(nextId(state)),
    header: message.header,
    body,
    index: message.index,
    references: 0,
  }
  state.messages.set(row.id, row)
  return row
}

export function retain(message: MessageRow): void {
  message.references++
}

/** The content goes with the last filing, queue entry or pin that refers to it. */
export function release(state: State, message: MessageRow): void {
  if (--message.references === 0) state.messages.delete(message.id)
}

export function renderedSize(delivery: Buffer, message: MessageRow): number {
  return delivery.length + message.header.length + message.body.length
}

/** Octets that rendered filings of the account take. */
export function accountUsage(state: State, owner: AccountRow): { octets: number; messages: number } {
  const usage = { octets: 0, messages: 0 }
  for (const mailbox of state.mailboxes.values()) {
    if (mailbox.owner !== owner) continue
    for (const filing of mailbox.filings.values()) {
      usage.octets += renderedSize(filing.delivery, filing.message)
      usage.messages++
    }
  }
  return usage
}
