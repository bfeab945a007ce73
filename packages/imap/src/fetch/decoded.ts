/** Parts without their Content-Transfer-Encoding, for BINARY and for URLFETCH. */
import { isAscii } from 'node:buffer'
import { createTransferDecoder, isEncoded, partAt, type TransferEncoding } from '@pennypost/message'
import type { FetchedMessage, MailStore, MessageId } from '@pennypost/model'
import type { Partial } from '../grammar/section.ts'
import type { Session } from '../session/session.ts'
import type { Output } from '../wire/output.ts'
import { begun, isHere, Octets, type StoredStretch } from './octets.ts'
import { bodyStretch, sectionOctets } from './sections.ts'

/** Octets and how they are encoded. */
export interface Encoded {
  octets: Octets
  encoding: TransferEncoding
}

/** A part, empty: the message; null when the message has no such part. Of the row it needs header, body and `parts`. */
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

/** Between two chunks of a part: decoding goes on from here as if it had come from the part's beginning. */
export interface DecodedPlace {
  message: MessageId
  /** Of the body. */
  part: StoredStretch
  /** Octets of the part before it, as they are stored and decoded. */
  stored: number
  decoded: number
  /** What the decoder has taken and not given yet. */
  held: Buffer
}

/** A range of the decoded octets, to be run over once to measure and once to send: nothing of it is ever whole in memory. */
export interface Piece extends Encoded {
  start: number
  end: number
  /** Where each of the passes begins. */
  from: DecodedPlace | undefined
  /** Told of places that are not behind the beginning of the range. */
  passed(place: DecodedPlace): void
}

/** The session keeps a place, so that a part that is read in pieces is not decoded from its beginning for each of them. */
export function pieceOf(session: Session, { octets, encoding }: Encoded, range: Partial | undefined): Piece {
  if (!isEncoded(encoding)) return { ...whole, octets: octets.slice(range), encoding }
  const { start, size } = range ?? { start: 0, size: Number.POSITIVE_INFINITY }
  const { decodedUpTo: place } = session
  const part = partOf(octets)
  const isSame = place?.message === octets.message && place.part.start === part?.start && place.part.end === part.end
  return {
    octets,
    encoding,
    start,
    end: start + size,
    from: isSame && place.decoded <= start ? place : undefined,
    passed: (place) => {
      session.decodedUpTo = place
    },
  }
}

const whole = { start: 0, end: Number.POSITIVE_INFINITY, from: undefined, passed: () => {} }

/** What of the body it is; undefined where it is in memory. */
function partOf({ stretches: [stretch] }: Octets): StoredStretch | undefined {
  return stretch === undefined || isHere(stretch) ? undefined : stretch
}

async function* decoded(
  mail: MailStore,
  { octets, encoding, start, end, from, passed }: Piece,
): AsyncGenerator<Buffer> {
  const decoder = createTransferDecoder(encoding, from?.held)
  const part = partOf(octets)
  let stored = from?.stored ?? 0
  let at = from?.decoded ?? 0
  const cut = (chunk: Buffer): Buffer => chunk.subarray(Math.max(0, start - at), Math.max(0, end - at))
  for await (const chunk of octets.slice({ start: stored, size: octets.size }).chunks(mail)) {
    if (part && stored > 0 && at <= start)
      passed({ message: octets.message, part, stored, decoded: at, held: decoder.held() })
    stored += chunk.length
    const given = decoder.push(chunk)
    yield cut(given)
    at += given.length
    if (at >= end) return
  }
  yield cut(decoder.finish())
}

/** What a piece is when it is decoded. */
export interface Measured {
  /** In octets. */
  size: number
  /** LFs in it. */
  lines: number
  hasNul: boolean
  isAscii: boolean
}

/** Runs over the piece once. */
export async function measure(mail: MailStore, piece: Piece): Promise<Measured> {
  const measured = { size: 0, lines: 0, hasNul: false, isAscii: true }
  for await (const chunk of decoded(mail, piece)) {
    measured.size += chunk.length
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) measured.lines++
    measured.hasNul ||= chunk.includes(0)
    measured.isAscii &&= isAscii(chunk)
  }
  return measured
}

/**
 * Writes `before` and the piece as a literal, as literal8 only where a literal cannot be (RFC 9051 §4.3.1). As
 * `Octets.write` when the message is gone.
 */
export async function writeDecoded(
  out: Output,
  mail: MailStore,
  piece: Piece,
  { size, hasNul }: Measured,
  before: string,
): Promise<void> {
  const chunks = await begun(decoded(mail, piece))
  out.text(`${before}${hasNul ? '~' : ''}{${size}}\r\n`)
  for await (const chunk of chunks) {
    out.octets(chunk)
    await out.ready()
    if (out.gone) return
  }
}
