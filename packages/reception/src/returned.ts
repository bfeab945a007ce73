/**
 * Delivery status notifications that come back, laid beside the messages that they are about: an event in the journey of
 * each message that is known, and in the notification's own.
 *
 * Never broken: nothing is refused or filed elsewhere because of what a notification says, which anybody can write; what
 * cannot be read or matched is mail as any other; no journey grows without end by what others write about it.
 * Who calls it: the acceptance of mail with the null reverse-path.
 */
import { allParts, decodeTransfer, parseHeader, readDeliveryStatus, valuesOf } from '@pennypost/message'
import { type Flow, type FlowEvent, type JourneyId, lookupAddress, type NewMessage } from '@pennypost/model'

/** Octets of a part that are read. */
const partMax = 256 * 1024
const journeysMax = 20
/** Of one recipient that are told of: some of a delay, the one that matters, and a few that somebody may have forged. */
const toldMax = 10

/** The events to record; none for what is no report, or is about nothing that left this server. Rejects as the store does. */
export async function returnedEvents(
  message: NewMessage,
  { journey, at }: { journey: JourneyId; at: number },
  flow: Pick<Flow, 'findByMessageId' | 'journey'>,
): Promise<FlowEvent[]> {
  const parts = allParts(message.index.parts)
  const status = parts.find(({ type, subtype }) => type === 'message' && /^(?:global-)?delivery-status$/.test(subtype))
  const original = parts.find(({ type, subtype }) =>
    type === 'message' ? /^(?:rfc822|global)$/.test(subtype) : /^rfc822-headers$/.test(subtype),
  )
  if (!status || !original) return []
  const read = async ({ body, encoding }: typeof status): Promise<Buffer> => {
    const pieces: Buffer[] = []
    const { start, end } = body
    const from = message.bodyStart + start
    for await (const piece of message.content.read(from, Math.min(message.bodyStart + end, from + partMax))) {
      pieces.push(piece)
    }
    return decodeTransfer(Buffer.concat(pieces), encoding) ?? Buffer.alloc(0)
  }
  const report = readDeliveryStatus(await read(status))
  const id = /<([^<>\s]+)>/.exec(valuesOf(parseHeader(await read(original)), 'message-id')[0] ?? '')?.[1]
  if (!report || id === undefined) return []
  const events: FlowEvent[] = []
  for (const about of await flow.findByMessageId(id, journeysMax)) {
    const sent = stillTold((await flow.journey(about))?.events ?? [])
    // A report may name a thousand times whom it knows; each is told of once.
    for (const { action, status: code, finalRecipient, originalRecipient, diagnostic } of report.recipients) {
      const forwardPath = [finalRecipient, originalRecipient].find((path) => sent.delete(lookupAddress(path) ?? path))
      if (forwardPath === undefined) continue
      const said = { forwardPath, by: report.reportingMta, action, status: code, diagnostic }
      events.push({ journey: about, at, kind: 'returned', ...said, dsn: journey })
    }
    if (events.some((event) => event.journey === about)) events.push({ journey, at, kind: 'about', about })
  }
  return events
}

/** The recipients that left this server with the message, but for those of whom enough has been told. */
function stillTold(events: readonly FlowEvent[]): Set<string> {
  const told = new Map<string, number>()
  for (const event of events) {
    if (event.kind !== 'delivered' && event.kind !== 'returned') continue
    const key = lookupAddress(event.forwardPath) ?? event.forwardPath
    told.set(key, (told.get(key) ?? 0) + (event.kind === 'returned' ? 1 : 0))
  }
  return new Set([...told].flatMap(([key, count]) => (count < toldMax ? [key] : [])))
}
