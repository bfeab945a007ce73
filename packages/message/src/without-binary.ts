/**
 * A message of which the parts that are declared `binary` are in base64, for a store that holds no NUL and no bare LF (RFC
 * 3516 §4.4). Octets pass as they come; of a message it holds no more than the header section of one part.
 *
 * Never broken: every part that is encoded decodes to what it was, and all else stays to the octet, but for the encoding of
 * multiparts and messages that were `binary` for what is in them. What is signed stays as it is (RFC 1847 §2.1).
 * Who calls it: APPEND, for a literal8.
 */
import { type PartNode, partTree } from './parts.ts'
import { withEncoding } from './reencode.ts'
import { encodeBase64 } from './transfer-encoding.ts'

/** `parts`: the index's part tree; `body`: all that it covers. */
export async function* withoutBinary(
  header: Buffer,
  parts: string,
  body: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const root = partTree(parts)
  yield relabelled(root, header, true)
  const stretches = stretchesOf(root, root.end)
  let stretch = stretches.next().value
  let at = 0
  for await (const chunk of body) {
    for (let from = 0; stretch && from < chunk.length; ) {
      const octets = chunk.subarray(from, from + stretch.end - at)
      from += octets.length
      at += octets.length
      const changed = stretch.push(octets)
      if (changed.length > 0) yield changed
      while (stretch?.end === at) {
        const last = stretch.finish()
        if (last.length > 0) yield last
        stretch = stretches.next().value
      }
    }
  }
}

/** Octets up to `end`, from the start of the body, that are treated in one way. They follow each other without a gap. */
interface Stretch {
  end: number
  push(octets: Buffer): Buffer
  finish(): Buffer
}

/** `size`: where the body ends. */
function* stretchesOf(node: PartNode, size: number): Generator<Stretch, undefined> {
  for (const child of isOpened(node) ? node.children : []) {
    yield kept(child.headerStart)
    yield child.encoding === 'binary' ? headerOf(child, node.kind === 'message') : kept(child.bodyStart)
    yield* stretchesOf(child, size)
  }
  yield isBinary(node) ? base64(node.end, node.end === size) : kept(node.end)
}

const isComposite = ({ kind }: PartNode): boolean => kind === 'multipart' || kind === 'message'
const isOpened = (node: PartNode): boolean => isComposite(node) && node.subtype !== 'signed'
const isBinary = (node: PartNode): boolean => node.encoding === 'binary' && !isComposite(node)

function relabelled(node: PartNode, header: Buffer, isMessage: boolean): Buffer {
  if (node.encoding !== 'binary') return header
  if (isBinary(node)) return withEncoding(header, 'base64', isMessage)
  return isOpened(node) ? withEncoding(header, '8bit', isMessage) : header
}

function kept(end: number): Stretch {
  return { end, push: (octets) => octets, finish: () => nothing }
}

function headerOf(node: PartNode, isMessage: boolean): Stretch {
  const pieces: Buffer[] = []
  return {
    end: node.bodyStart,
    push(octets) {
      pieces.push(octets)
      return nothing
    },
    finish: () => relabelled(node, Buffer.concat(pieces), isMessage),
  }
}

/** The line end before a delimiter is the delimiter's; at the end of the message there is none. */
function base64(end: number, isLast: boolean): Stretch {
  let rest = nothing
  return {
    end,
    push(octets) {
      const joined = Buffer.concat([rest, octets])
      // Of what is there something is kept for the last line.
      const whole = Math.floor(Math.max(0, joined.length - 1) / lineOctets) * lineOctets
      rest = joined.subarray(whole)
      return Buffer.from(encodeBase64(joined.subarray(0, whole)))
    },
    finish: () => Buffer.from(isLast ? encodeBase64(rest) : rest.toString('base64')),
  }
}

/** What one line of base64 holds. */
const lineOctets = 57

const nothing: Buffer = Buffer.alloc(0)
