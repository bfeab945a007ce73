import { type Acceptance, type FlowEvent, freeOctets, type NewAppend, type NewMessage } from '@pennypost/model'
import { Staged } from './content/stage.ts'
import { toIndexRow } from './message-columns.ts'
import type { Reservation } from './room.ts'
import type { PackedAcceptance, PackedFiling } from './writer/jobs/accept.ts'
import type { PackedAppend } from './writer/jobs/append.ts'
import type { FlowRow } from './writer/jobs/flow.ts'
import type { PackedMessage } from './writer/jobs/message-rows.ts'

/**
 * What the ports take, as plain values for the writer. All octets of a message go into one buffer of its own: cloning
 * a view of a socket's chunk would copy the whole chunk. Taking content over happens here: once packed, it is the
 * writer's, or to be discarded by whoever packed it.
 */
export interface Packing {
  /** What the job carries. */
  octets: number
  /** Of that, what goes over to the writer without a copy. */
  transfer: ArrayBuffer[]
  /** Content files, to be removed when the job is refused. */
  files: string[]
  /** What was promised to the contents. */
  rooms: Reservation[]
}

export function packAcceptances(acceptances: readonly Acceptance[], now: number, packing: Packing): PackedAcceptance[] {
  return acceptances.map((acceptance) => packAcceptance(acceptance, now, packing))
}

export function packAppends(messages: readonly NewAppend[], packing: Packing): PackedAppend[] {
  return messages.map(({ message, flags, internalDate, uidl }) => ({
    message: packMessage(message, [], packing),
    flags,
    internalAt: internalDate.at,
    internalOffset: internalDate.offsetMinutes,
    uidl: uidl ?? null,
  }))
}

function packAcceptance(acceptance: Acceptance, now: number, packing: Packing): PackedAcceptance {
  const { journey, acceptedAt, message } = acceptance
  const blocks = acceptance.filings.map((filing) => filing.delivery)
  const packedMessage = packMessage(message, blocks, packing)
  let end = packedMessage.headerSize + (packedMessage.file === null ? packedMessage.bodySize : 0)
  const filings = acceptance.filings.map(({ account, mailbox, flags, forwardPaths, delivery }): PackedFiling => {
    const deliveryStart = end
    end += delivery.length
    return { account, mailbox, flags, forwardPaths, deliveryStart, deliveryEnd: end }
  })
  const flow = flowRows(acceptance.flow)
  const own = flow.find((row) => row.journey === journey)
  const first: FlowRow = own ?? { journey, at: acceptedAt, messageId: '', transcriptAt: null, events: '[]' }
  return {
    journey,
    at: acceptedAt,
    now,
    fingerprint: acceptance.fingerprint ?? null,
    unlessFull: acceptance.unlessFull ?? [],
    message: packedMessage,
    messageId: message.index.messageIdHeader,
    filings,
    queue: acceptance.queue.map(({ destination, route, envelope, recipients }) => ({
      destination,
      route,
      envelope: JSON.stringify(envelope),
      recipients: JSON.stringify(
        recipients.map((recipient, index) => ({ ...recipient, index, lastReply: '', delayNotified: false })),
      ),
      forwardPaths: recipients.map((recipient) => recipient.forwardPath),
      ...(envelope.reversePath === acceptance.reversePath ? {} : { reversePath: envelope.reversePath }),
    })),
    memory: acceptance.memory,
    flow: [first, ...flow.filter((row) => row !== own)],
  }
}

function packMessage(message: NewMessage, more: readonly Buffer[], packing: Packing): PackedMessage {
  const { content, header, bodyStart, index } = message
  if (!(content instanceof Staged)) throw new TypeError('the content was staged by another engine')
  const taken = content.take()
  if (taken.file !== null) packing.files.push(taken.file)
  packing.rooms.push(taken.room)
  const bodySize = content.size - bodyStart
  const inline = taken.octets === null ? 0 : bodySize
  const length = more.reduce((sum, block) => sum + block.length, header.length + inline)
  const octets = Buffer.allocUnsafeSlow(length)
  let at = header.copy(octets)
  if (taken.octets) at = copyBehind(taken.octets, bodyStart, octets, at)
  for (const block of more) at += block.copy(octets, at)
  packing.octets += length
  if (length >= transferredOctets) packing.transfer.push(octets.buffer)
  return {
    columns: toIndexRow(index),
    octets,
    headerSize: header.length,
    bodySize,
    file: taken.file,
    bodyStart,
  }
}

/** Cloning smaller buffers costs less than handing them over. */
const transferredOctets = 8192

/** Copies what stands behind the first `skip` octets of `chunks`, which nobody needs any more; gives where it ends. */
function copyBehind(chunks: readonly Buffer[], skip: number, target: Buffer, start: number): number {
  let left = skip
  let at = start
  for (const chunk of chunks) {
    if (left < chunk.length) at += chunk.copy(target, at, left)
    left = Math.max(0, left - chunk.length)
    freeOctets(chunk)
  }
  return at
}

/** Events by journey, in their order. */
export function flowRows(events: readonly FlowEvent[]): FlowRow[] {
  const journeys = new Map<string, FlowEvent[]>()
  for (const event of events) {
    const own = journeys.get(event.journey)
    if (own) own.push(event)
    else journeys.set(event.journey, [event])
  }
  return [...journeys].map(([journey, own]) => ({
    journey,
    at: own[0]?.at ?? 0,
    messageId: own.map((event) => (event.kind === 'received' ? event.messageId : undefined)).find(Boolean) ?? '',
    transcriptAt: transcriptAt(own),
    events: JSON.stringify(own),
  }))
}

function transcriptAt(events: readonly FlowEvent[]): number | null {
  let first: number | null = null
  for (const event of events) {
    if (event.kind === 'attempt' && event.transcript) first = Math.min(first ?? event.at, event.at)
  }
  return first
}
