/**
 * Mail that goes in circles, found by what its header section says of its way. Asked after the final dot, before anything
 * is accepted. RFC 5321 §6.3.
 *
 * Only forwards are checked for our own Delivered-To: filing ends a loop, and a message that somebody sends on to the same
 * address by hand is none.
 */
import { lookupAddress } from '@pennypost/model'
import type { Delivery, MdaReply } from './mda.ts'

/**
 * For each recipient, by its deliveries, the reply with which it is refused, or undefined when all is well. `header` is the
 * section as received; `limit`: Received fields that it may have, of which RFC 5321 §6.3 wants at least 100.
 */
export function findLoops(
  header: Buffer,
  recipients: readonly Iterable<Delivery>[],
  limit: number,
): (MdaReply | undefined)[] {
  const { received, deliveredTo } = readTrace(header)
  const text = `more than ${limit} Received fields: a mail loop`
  const all = received > limit ? ({ code: 554, enhanced: '5.4.6', lines: [text] } as const) : undefined
  return recipients.map((deliveries) => all ?? loopOf(deliveries, deliveredTo))
}

function loopOf(deliveries: Iterable<Delivery>, deliveredTo: ReadonlySet<string>): MdaReply | undefined {
  if (deliveredTo.size === 0) return undefined
  for (const delivery of deliveries) {
    if (delivery.kind !== 'relay' || delivery.trace === '') continue
    if (!deliveredTo.has(addressIn(delivery.trace))) continue
    const shown = delivery.trace.slice('Delivered-To:'.length).trim()
    return { code: 554, enhanced: '5.4.6', lines: [`mail loop: already forwarded for <${shown}>`] }
  }
  return undefined
}

/** Number of Received fields, and the Delivered-To addresses in lookup form. Folded lines belong to their field. */
function readTrace(header: Buffer): { received: number; deliveredTo: Set<string> } {
  let received = 0
  const deliveredTo = new Set<string>()
  for (let start = 0; start < header.length; ) {
    let end = endOfLine(header, start)
    while (header[end] === 0x20 || header[end] === 0x09) end = endOfLine(header, end)
    // R and D in either case: most fields are none of ours and are not decoded.
    const first = (header[start] as number) | 0x20
    if (first === 0x72 && nameIs(header, start, 'received')) received++
    if (first === 0x64 && nameIs(header, start, 'delivered-to')) {
      deliveredTo.add(addressIn(header.toString('utf8', start, end)))
    }
    start = end
  }
  return { received, deliveredTo }
}

/** In lookup form. Without any space, since folding may have put some in. */
function addressIn(field: string): string {
  const address = field.slice(field.indexOf(':') + 1).replace(/[\s<>]/g, '')
  return lookupAddress(address) ?? address
}

function endOfLine(header: Buffer, start: number): number {
  const feed = header.indexOf(0x0a, start)
  return feed < 0 ? header.length : feed + 1
}

function nameIs(header: Buffer, start: number, name: string): boolean {
  const after = header.toString('latin1', start, start + name.length + 8).toLowerCase()
  return after.startsWith(name) && /^[ \t]*:/.test(after.slice(name.length))
}
