/**
 * A message of 8-bit octets as one of 7-bit octets (RFC 6152 §3, RFC 2045 §6): bodies of parts are encoded, text as
 * quoted-printable and the rest as base64, and their Content-Transfer-Encoding says so. Structure and line ends stay.
 *
 * Never broken: no octet above 127 is left in the body, and every part decodes to what it was. An embedded message whose
 * own header section has such octets is encoded whole, which message/global alone allows (RFC 6532 §3.7). A message that
 * is no MIME becomes one, of charset unknown-8bit (RFC 1428 §3). Signatures over the body do not survive; that is the peer's choice.
 * Who calls it: the relay, for a next hop without 8BITMIME.
 */
import { isAscii } from 'node:buffer'
import { downgradeHeader } from './downgrade.ts'
import { parseHeader } from './fields.ts'
import { type PartNode, partTree } from './parts.ts'
import { decodeTransfer, encodeBase64, encodeQuotedPrintable } from './transfer-encoding.ts'

export interface SevenBit {
  header: Buffer
  body: Buffer
}

/** `parts`: the index's part tree of this body. The header section's own octets above 127 stay as they are. */
export function toSevenBit(header: Buffer, body: Buffer, parts: string): SevenBit {
  const root = partTree(parts)
  if (isOpened(root, body)) {
    const pieces: Buffer[] = []
    composite(root, body, pieces)
    return { header: withEncoding(header, '7bit', true), body: Buffer.concat(pieces) }
  }
  if (isAscii(body)) return { header, body }
  const { octets, encoding } = encoded(root, body)
  return { header: withEncoding(labelled(root, header), encoding, true), body: octets }
}

function composite(node: PartNode, body: Buffer, pieces: Buffer[]): void {
  let at = node.bodyStart
  for (const child of node.children) {
    pieces.push(ascii(body.subarray(at, child.headerStart)))
    part(child, body, pieces)
    at = child.end
  }
  pieces.push(ascii(body.subarray(at, node.end)))
}

function part(node: PartNode, body: Buffer, pieces: Buffer[]): void {
  const header = ascii(downgradeHeader(body.subarray(node.headerStart, node.bodyStart)))
  const content = body.subarray(node.bodyStart, node.end)
  if (isAscii(content)) {
    pieces.push(header, content)
    return
  }
  if (isOpened(node, body)) {
    pieces.push(withEncoding(header, '7bit', false))
    composite(node, body, pieces)
    return
  }
  const { octets, encoding } = encoded(node, content)
  pieces.push(withEncoding(labelled(node, header), encoding, false), octets)
}

/** Whether what is in it is encoded, instead of the whole. */
function isOpened({ kind, children: [child] }: PartNode, body: Buffer): boolean {
  if (kind === 'multipart') return true
  return kind === 'message' && child !== undefined && isAscii(body.subarray(child.headerStart, child.bodyStart))
}

/** A message/rfc822 may not be encoded (RFC 2046 §5.2.1): it becomes a message/global, as its header section made it. */
function labelled({ kind }: PartNode, header: Buffer): Buffer {
  if (kind !== 'message') return header
  const field = parseHeader(header).fields.find(({ name }) => name === 'content-type')
  if (!field) return Buffer.concat([Buffer.from('Content-Type: message/global\r\n'), header])
  const written = header.toString('latin1', field.start, field.end).replace(/\brfc822\b/i, 'global')
  return Buffer.concat([header.subarray(0, field.start), Buffer.from(written, 'latin1'), header.subarray(field.end)])
}

type Encoding = '7bit' | 'base64' | 'quoted-printable'

function encoded(node: PartNode, content: Buffer): { octets: Buffer; encoding: Encoding } {
  const plain = decodeTransfer(content, node.encoding) ?? content
  if (node.kind === 'text') return { octets: Buffer.from(encodeQuotedPrintable(plain)), encoding: 'quoted-printable' }
  const text = encodeBase64(plain)
  // The line end before a delimiter is the delimiter's.
  return { octets: Buffer.from(content.at(-1) === 10 ? text : text.replace(/\r\n$/, '')), encoding: 'base64' }
}

/** The header section with that Content-Transfer-Encoding in place of its own. */
function withEncoding(header: Buffer, encoding: Encoding, isWhole: boolean): Buffer {
  const { fields } = parseHeader(header)
  const pieces: Buffer[] = []
  let at = 0
  for (const field of fields) {
    if (field.name !== 'content-transfer-encoding') continue
    pieces.push(header.subarray(at, field.start))
    at = field.end
  }
  const end = Math.max(at, fields.at(-1)?.end ?? 0)
  pieces.push(header.subarray(at, end))
  const has = (name: string): boolean => fields.some((field) => field.name === name)
  let added = ''
  if (isWhole && !has('mime-version')) added += 'MIME-Version: 1.0\r\n'
  if (isWhole && !has('content-type')) added += 'Content-Type: text/plain; charset=unknown-8bit\r\n'
  pieces.push(Buffer.from(`${added}Content-Transfer-Encoding: ${encoding}\r\n`), header.subarray(end))
  return Buffer.concat(pieces)
}

/** What stands between parts is not content, and of their headers all that has a form in ASCII has it: the rest becomes question marks. */
function ascii(octets: Buffer): Buffer {
  if (isAscii(octets)) return octets
  const clean = Buffer.from(octets)
  for (let at = 0; at < clean.length; at++) if ((clean[at] as number) > 127) clean[at] = 63
  return clean
}
