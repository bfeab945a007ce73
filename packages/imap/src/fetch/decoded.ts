/** Parts without their Content-Transfer-Encoding, for BINARY and for URLFETCH. */
import { isAscii } from 'node:buffer'
import { partAt, type TransferEncoding } from '@pennypost/message'
import type { FetchedMessage, MailStore } from '@pennypost/model'
import type { Partial } from '../grammar/section.ts'
import type { Session } from '../session/session.ts'
import type { Output } from '../wire/output.ts'
import { Octets } from './octets.ts'
import { bodyStretch, sectionOctets } from './sections.ts'
import { createTransferDecoder } from './transfer-decoder.ts'

/** Octets and how they are encoded. */
export interface Encoded {
  octets: Octets
  encoding: TransferEncoding
}

/** A part, empty: the message; null when the message has no such part. Of the row it needs header, body and index. */
export function encodedPart(session: Session, row: FetchedMessage, part: readonly number[]): Encoded | null {
  if (part.length === 0) {
    const whole = sectionOctets(session, row, { part, text: 'ALL', fields: [] })
    return whole instanceof Octets ? { octets: whole, encoding: '8bit' } : null
  }
  const info = partAt(row.index?.parts ?? '', part.join('.'))
  if (!info) return null
  const octets = new Octets(row.message, [bodyStretch(row, info.body.start, info.body.end)])
  // RFC 3516 §4.2: composites are sent as they are.
  const composite = info.kind === 'multipart' || info.kind === 'message'
  return { octets, encoding: composite ? '8bit' : info.encoding }
}

/** Runs over the decoded octets: a pass to measure, and one to send, so that nothing is ever whole in memory. */
async function* decoded(mail: MailStore, { octets, encoding }: Encoded): AsyncGenerator<Buffer> {
  const decoder = createTransferDecoder(encoding)
  for await (const chunk of octets.chunks(mail)) yield decoder.push(chunk)
  yield decoder.finish()
}

export interface Measured {
  size: number
  lines: number
  hasNul: boolean
  isAscii: boolean
}

export async function measure(mail: MailStore, found: Encoded): Promise<Measured> {
  const measured = { size: 0, lines: 0, hasNul: false, isAscii: true }
  for await (const chunk of decoded(mail, found)) {
    measured.size += chunk.length
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) measured.lines++
    measured.hasNul ||= chunk.includes(0)
    measured.isAscii &&= isAscii(chunk)
  }
  return measured
}

/** The decoded octets as a literal, as literal8 only where a literal can not be (RFC 9051 §4.3.1). */
export async function writeDecoded(
  out: Output,
  mail: MailStore,
  found: Encoded,
  { size, hasNul }: Measured,
  range: Partial | undefined,
): Promise<void> {
  const start = Math.min(range?.start ?? 0, size)
  const end = range ? Math.min(size, start + range.size) : size
  out.text(`${hasNul ? '~' : ''}{${end - start}}\r\n`)
  let at = 0
  for await (const chunk of decoded(mail, found)) {
    out.octets(chunk.subarray(Math.max(0, start - at), Math.max(0, end - at)))
    at += chunk.length
    await out.ready()
    if (out.gone) return
  }
}
