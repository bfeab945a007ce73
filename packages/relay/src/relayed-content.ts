/**
 * What a next hop gets of a stored message: the recipients' trace, the header section, the body.
 * Small messages come as one buffer, so that they can go out with their envelope; large ones are streamed.
 * Who calls it: remote attempts.
 */
import { toSevenBit } from '@pennypost/message'
import type { MailStore, MessageId, MessageIndex } from '@pennypost/model'

export interface RelayedContent {
  header: Buffer
  bodySize: number
  index: MessageIndex
  /** Octets with this trace set before the header. */
  size(trace: string): number
  /** The whole content, from the start at each call. */
  body(trace: string): Buffer | AsyncIterable<Buffer>
  /** The same message without octets above 127 in its body; undefined where it is too large for that. */
  sevenBit(): Promise<RelayedContent | undefined>
}

/** Octets of a body up to which it is encoded anew: it is in memory for as long. */
const sevenBitMax = 100 * 1024 * 1024

/** Octets of a body up to which it is held in memory while its entry is worked on. */
const wholeOctets = 64 * 1024

/** Undefined when the message is gone, as it is with an entry that was removed meanwhile. */
export async function loadContent(
  mail: Pick<MailStore, 'message' | 'readBody'>,
  message: MessageId,
): Promise<RelayedContent | undefined> {
  const stored = await mail.message(message)
  if (!stored) return undefined
  const { header, bodySize, index } = stored
  const small = bodySize <= wholeOctets ? await collect(mail.readBody(message)) : undefined
  return {
    header,
    bodySize,
    index,
    size: (trace) => Buffer.byteLength(trace) + header.length + bodySize,
    body(trace) {
      const head = Buffer.concat([Buffer.from(trace), header])
      return small ? Buffer.concat([head, small]) : stream(head, mail.readBody(message))
    },
    async sevenBit() {
      if (bodySize > sevenBitMax) return undefined
      return encoded(header, small ?? (await collect(mail.readBody(message))), index)
    },
  }
}

/** RFC 6152 §3. */
function encoded(whole: Buffer, octets: Buffer, index: MessageIndex): RelayedContent {
  const { header, body } = toSevenBit(whole, octets, index.parts)
  const made: RelayedContent = {
    header,
    bodySize: body.length,
    index: { ...index, eightBitBody: false },
    size: (trace) => Buffer.byteLength(trace) + header.length + body.length,
    body: (trace) => Buffer.concat([Buffer.from(trace), header, body]),
    sevenBit: async () => made,
  }
  return made
}

async function collect(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const piece of pieces) all.push(piece)
  return all.length === 1 ? (all[0] as Buffer) : Buffer.concat(all)
}

async function* stream(head: Buffer, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield head
  yield* body
}
