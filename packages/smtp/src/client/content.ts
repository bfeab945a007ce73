import { freeOctets } from '@pennypost/model'
import { isPositive, type Reply } from '../reply.ts'
import { ContentEncoder } from './content-encoder.ts'
import { failure } from './failure.ts'
import type { ClientTimeouts } from './options.ts'
import type { TransactionRequest } from './request.ts'
import type { Wire } from './wire.ts'

/**
 * Sends content behind an accepted envelope: as DATA with stuffed dots and the final dot, or as BDAT chunks of counted
 * octets (RFC 3030). Read, encoded and written in blocks; never more in memory than a block and what the socket holds.
 * Who calls it: the transaction.
 */
export interface ContentListener {
  /** The peer answered before the end, or refused a chunk: nothing more is sent. */
  refused(reply: Reply): void
  /** Everything was handed to the connection; the final reply is due. */
  sent(): void
}

/** Octets that are joined into one write or one chunk. */
const blockOctets = { data: 65536, bdat: 262144 }
const finalDot = Buffer.from('.\r\n')

/** Never rejects. Resolves when all is handed on, the peer has refused it, or the connection is down. */
export async function sendContent(
  wire: Wire,
  body: TransactionRequest['body'],
  kind: 'data' | 'bdat',
  timeouts: ClientTimeouts,
  listener: ContentListener,
): Promise<void> {
  const encoder = new ContentEncoder(kind === 'data')
  let pieces: Buffer[] = []
  /** What they are views of. */
  let read: Buffer[] = []
  let length = 0
  let total = 0
  let stopped = false
  const emit = (octets: Buffer): void => {
    pieces.push(octets)
    length += octets.length
  }
  const refused = (reply: Reply): void => {
    if (stopped) return
    stopped = true
    wire.sending(null)
    listener.refused(reply)
  }
  const flush = (last: boolean): boolean => {
    total += length
    if (kind === 'bdat') {
      const command = `BDAT ${length}${last ? ' LAST' : ''}`
      wire.record('content', command)
      pieces.unshift(Buffer.from(`${command}\r\n`))
      length += pieces[0]!.length
      if (!last) wire.expect('content', timeouts.dotMs, (reply) => isPositive(reply) || refused(reply))
    }
    const spent = read
    const room = wire.writeAll(pieces, length, () => spent.forEach(freeOctets))
    pieces = []
    read = []
    length = 0
    return room
  }

  wire.sending(refused)
  try {
    for await (const chunk of Buffer.isBuffer(body) ? [body] : body) {
      if (stopped || wire.down !== null) return
      encoder.push(chunk, emit)
      if (chunk !== body) read.push(chunk)
      if (length >= blockOctets[kind] && !flush(false)) await wire.drained(timeouts.blockMs)
    }
  } catch (error) {
    // The connection belongs to the next transaction by now.
    if (stopped) return
    // Without its end the content must not count as sent: only breaking the connection says that (RFC 5321 §4.1.1.4).
    const text = error instanceof Error ? error.message : String(error)
    wire.fail(failure('local', 'content', '4.3.0', `content could not be read: ${text}`))
    return
  }
  if (stopped || wire.down !== null) return
  wire.sending(null)
  encoder.finish(emit)
  wire.transcript?.note('content', `${total + length} octets of content`)
  if (kind === 'data') emit(finalDot)
  flush(true)
  listener.sent()
}

/** Octets of content up to which it may ride with its envelope. */
export const eagerOctets = 65536

/** The envelope's commands and the whole content in one write (RFC 2920, RFC 3030); replies to all of it are due. */
export function sendEagerly(wire: Wire, commands: string, body: Buffer): void {
  const pieces: Buffer[] = []
  let length = 0
  const emit = (octets: Buffer): void => {
    pieces.push(octets)
    length += octets.length
  }
  const encoder = new ContentEncoder(false)
  encoder.push(body, emit)
  encoder.finish(emit)
  const command = `BDAT ${length} LAST`
  wire.record('content', command)
  wire.transcript?.note('content', `${length} octets of content`)
  const head = Buffer.from(`${commands}${command}\r\n`)
  wire.writeAll([head, ...pieces], head.length + length)
}

/** The whole of a small body, so that it can be sent eagerly; rejects when it is longer than it was said to be. */
export async function collectContent(body: Exclude<TransactionRequest['body'], Buffer>, size: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of body) {
    length += piece.length
    if (length > size) throw new Error(`it is longer than the ${size} octets declared`)
    pieces.push(piece)
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, length)
}
