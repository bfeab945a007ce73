import { decodedParameter, parameterOf } from './parameters.ts'
import type { Part } from './part.ts'
import { type TransferEncoding, transferEncodingOf } from './transfer-encoding.ts'

/**
 * The part tree as stored with a message: one line per part, outer before inner, with ranges from the start of the
 * message's body, so that no rendering of its header moves them.
 *
 *     part = kind children SP header-start SP body-start SP end SP type "/" subtype [SP encoding [SP charset]]
 *     kind = "t" text / "m" multipart / "r" message / "b" other
 */

/** Octets from `start` up to `end`, which is not among them, from the start of the message's body. */
export interface Range {
  start: number
  end: number
}

export interface PartInfo {
  kind: 'text' | 'multipart' | 'message' | 'basic'
  /** Section part specifier (RFC 9051 §6.4.5), such as `1.2`. */
  path: string
  /** Lower-case. */
  type: string
  subtype: string
  /** As written, '' when missing. */
  charset: string
  encoding: TransferEncoding
  /** BODY[path]. */
  body: Range
  /** BODY[path.MIME]; undefined when that is the header section of the message itself. */
  mime: Range | undefined
  /** BODY[path.HEADER] and BODY[path.TEXT], of a message part only. */
  header?: Range
  text?: Range
}

const letters = { text: 't', multipart: 'm', message: 'r', basic: 'b' } as const
const kinds = { t: 'text', m: 'multipart', r: 'message', b: 'basic' } as const

/** The stored text for a scanned message. */
export function partsText(root: Part): string {
  const origin = root.bodyStart
  const lines: string[] = []
  const add = (part: Part) => {
    const { mime } = part
    const type = storable(`${mime.type}/${mime.subtype}`)
    const charset = storable(
      parameterOf(mime.parameters, 'charset') ?? decodedParameter(mime.parameters, 'charset') ?? '',
    )
    const encoding = mime.encoding === '7bit' && charset === '' ? '' : ` ${storable(mime.encoding)}`
    const ranges = `${Math.max(0, part.headerStart - origin)} ${part.bodyStart - origin} ${part.end - origin}`
    lines.push(`${letters[part.kind]}${part.children.length} ${ranges} ${type}${encoding}${charset && ` ${charset}`}`)
    for (const child of part.children) add(child)
  }
  add(root)
  return lines.join('\n')
}

const storable = (token: string): string => token.replace(/[^\x21-\x7e]+/g, '').slice(0, 100)

/** A part as the stored text has it. */
export interface PartNode {
  kind: PartInfo['kind']
  headerStart: number
  bodyStart: number
  end: number
  type: string
  subtype: string
  encoding: TransferEncoding
  charset: string
  children: PartNode[]
}

/** Parses the stored text. */
export function partTree(parts: string): PartNode {
  const lines = parts.split('\n')
  let at = 0
  const read = (): PartNode => {
    const [head = 'b0', headerStart, bodyStart, end, type = '/', encoding = '7bit', charset = ''] = (
      lines[at++] ?? ''
    ).split(' ')
    const slash = type.indexOf('/')
    const node: PartNode = {
      kind: kinds[head[0] as keyof typeof kinds],
      headerStart: Number(headerStart),
      bodyStart: Number(bodyStart),
      end: Number(end),
      type: type.slice(0, slash),
      subtype: type.slice(slash + 1),
      encoding: transferEncodingOf(encoding),
      charset,
      children: [],
    }
    for (let left = Number(head.slice(1)); left > 0; left--) node.children.push(read())
    return node
  }
  return read()
}

/** Of the message that was asked about last: a FETCH may name hundreds of the ten thousand parts of one. */
let latest: { parts: string; root: PartNode } = { parts: '', root: partTree('') }

/** The part with that section part specifier, or undefined when there is none (the response is then NIL). */
export function partAt(parts: string, path: string): PartInfo | undefined {
  if (!/^[1-9]\d{0,5}(\.[1-9]\d{0,5})*$/.test(path)) return undefined
  if (latest.parts !== parts) latest = { parts, root: partTree(parts) }
  const { root } = latest
  // A message, whether the whole or an embedded one, is a level of its own only when it is a multipart.
  let holder: PartNode = root
  let found: PartNode | undefined
  let isRoot = false
  for (const number of path.split('.').map(Number)) {
    if (found) {
      const inside: PartNode | undefined = found.kind === 'message' ? (found.children[0] ?? nothingAt(found)) : found
      if (inside === found && found.kind !== 'multipart') return undefined
      holder = inside
      isRoot = false
    }
    if (holder.kind === 'multipart') {
      found =
        holder.children[number - 1] ?? (holder.children.length === 0 && number === 1 ? nothingAt(holder) : undefined)
      if (!found) return undefined
    } else {
      if (number !== 1) return undefined
      found = holder
      isRoot = holder === root
    }
  }
  return found && infoOf(found, path, isRoot)
}

/** An empty text/plain part: the first of a multipart without parts, the content of a message part cut short. */
function nothingAt({ end }: PartNode): PartNode {
  const where = { headerStart: end, bodyStart: end, end }
  return { kind: 'text', ...where, type: 'text', subtype: 'plain', encoding: '7bit', charset: '', children: [] }
}

function infoOf(node: PartNode, path: string, isRoot: boolean): PartInfo {
  const { kind, type, subtype, charset, encoding, headerStart, bodyStart, end } = node
  const info: PartInfo = {
    kind,
    path,
    type,
    subtype,
    charset,
    encoding,
    body: { start: bodyStart, end },
    mime: isRoot ? undefined : { start: headerStart, end: bodyStart },
  }
  if (kind === 'message') {
    const inner = node.children[0] ?? nothingAt(node)
    info.header = { start: inner.headerStart, end: inner.bodyStart }
    info.text = { start: inner.bodyStart, end: inner.end }
  }
  return info
}

/** Every part that has a section part specifier, outer before inner, in the order of the message. */
export function allParts(parts: string): PartInfo[] {
  const found: PartInfo[] = []
  const walkAll = (node: PartNode, prefix: string) => {
    for (const [at, child] of node.children.entries()) walk(child, `${prefix}${at + 1}`, false)
  }
  const walk = (node: PartNode, path: string, isRoot: boolean) => {
    found.push(infoOf(node, path, isRoot))
    const inner = node.kind === 'message' ? node.children[0] : node
    if (inner?.kind === 'multipart') walkAll(inner, `${path}.`)
    else if (inner && inner !== node) walk(inner, `${path}.1`, false)
  }
  const root = partTree(parts)
  if (root.kind === 'multipart') walkAll(root, '')
  else walk(root, '1', true)
  return found
}
