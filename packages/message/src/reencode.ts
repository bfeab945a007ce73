import { parseHeader } from './fields.ts'
import { type PartNode, partTree } from './parts.ts'
import { decodeTransfer, encodeBase64, encodeQuotedPrintable } from './transfer-encoding.ts'

/**
 * A message of which bodies of parts are encoded anew, because they can not go as they are: text as quoted-printable, the
 * rest as base64, and their Content-Transfer-Encoding says so. Structure and line ends stay; every part that is encoded
 * decodes to what it was. What can not go is for a rule to say: `to-seven-bit.ts` and `short-lines.ts` are such.
 */
export interface Reencoded {
  header: Buffer
  body: Buffer
}

export interface Rule {
  /** Whether a part goes as it is. */
  keeps(node: PartNode, content: Buffer): boolean
  /** Whether what is in it is encoded, instead of the whole. */
  opens(node: PartNode, body: Buffer): boolean
  /** The header section of a part, before its encoding is set. */
  header(octets: Buffer): Buffer
  /** What stands between parts, and is no content. */
  between(octets: Buffer): Buffer
  /** The Content-Transfer-Encoding of what is opened; undefined: it stays. */
  opened?: '7bit'
  /** The media type of a message without one, when it is encoded. */
  unlabelled?: string
}

/** `parts`: the index's part tree of this body. */
export function reencode(header: Buffer, body: Buffer, parts: string, rule: Rule): Reencoded {
  const root = partTree(parts)
  if (rule.keeps(root, body)) return { header, body }
  if (rule.opens(root, body)) {
    const pieces: Buffer[] = []
    composite(root, body, rule, pieces)
    return { header: opened(header, rule, true), body: Buffer.concat(pieces) }
  }
  const { octets, encoding } = encoded(root, body)
  return { header: withEncoding(labelled(root, header), encoding, true, rule.unlabelled), body: octets }
}

function composite(node: PartNode, body: Buffer, rule: Rule, pieces: Buffer[]): void {
  let at = node.bodyStart
  for (const child of node.children) {
    pieces.push(rule.between(body.subarray(at, child.headerStart)))
    part(child, body, rule, node.kind === 'message', pieces)
    at = child.end
  }
  pieces.push(rule.between(body.subarray(at, node.end)))
}

function part(node: PartNode, body: Buffer, rule: Rule, isMessage: boolean, pieces: Buffer[]): void {
  const header = rule.header(body.subarray(node.headerStart, node.bodyStart))
  const content = body.subarray(node.bodyStart, node.end)
  if (rule.keeps(node, content)) {
    pieces.push(header, content)
    return
  }
  if (rule.opens(node, body)) {
    pieces.push(opened(header, rule, isMessage))
    composite(node, body, rule, pieces)
    return
  }
  const { octets, encoding } = encoded(node, content)
  pieces.push(withEncoding(labelled(node, header), encoding, isMessage, rule.unlabelled), octets)
}

function opened(header: Buffer, rule: Rule, isMessage: boolean): Buffer {
  return rule.opened === undefined ? header : withEncoding(header, rule.opened, isMessage, rule.unlabelled)
}

/** A message/rfc822 may not be encoded (RFC 2046 §5.2.1): it becomes a message/global, as its header section made it. */
function labelled({ kind }: PartNode, header: Buffer): Buffer {
  if (kind !== 'message') return header
  const field = parseHeader(header).fields.find(({ name }) => name === 'content-type')
  if (!field) return Buffer.concat([Buffer.from('Content-Type: message/global\r\n'), header])
  const written = header.toString('latin1', field.start, field.end).replace(/\brfc822\b/i, 'global')
  return Buffer.concat([header.subarray(0, field.start), Buffer.from(written, 'latin1'), header.subarray(field.end)])
}

type Encoding = '7bit' | '8bit' | 'base64' | 'quoted-printable'

function encoded(node: PartNode, content: Buffer): { octets: Buffer; encoding: Encoding } {
  const plain = decodeTransfer(content, node.encoding) ?? content
  if (node.kind === 'text' && node.encoding !== 'base64') {
    return { octets: Buffer.from(encodeQuotedPrintable(plain)), encoding: 'quoted-printable' }
  }
  const text = encodeBase64(plain)
  // The line end before a delimiter is the delimiter's.
  return { octets: Buffer.from(content.at(-1) === 10 ? text : text.replace(/\r\n$/, '')), encoding: 'base64' }
}

/** The header section with that Content-Transfer-Encoding in place of its own. */
export function withEncoding(header: Buffer, encoding: Encoding, isMessage: boolean, unlabelled?: string): Buffer {
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
  if (isMessage && !has('mime-version')) added += 'MIME-Version: 1.0\r\n'
  if (isMessage && unlabelled !== undefined && !has('content-type')) added += `Content-Type: ${unlabelled}\r\n`
  // Without an empty line the body would go on with the fields.
  const rest = end === header.length ? Buffer.from('\r\n') : header.subarray(end)
  pieces.push(Buffer.from(`${added}Content-Transfer-Encoding: ${encoding}\r\n`), rest)
  return Buffer.concat(pieces)
}
