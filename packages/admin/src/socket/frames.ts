/**
 * What passes over the admin socket in either direction: JSON lines, some followed by octets. Simple enough for a shell,
 * and able to carry a mailbox of any size without holding it in memory.
 *
 *     {"call":"import","actor":"root","input":{…}}     from the caller, first
 *     {"head":{…}}          a value, e.g. what a message to import is
 *     {"octets":4096}       followed by so many octets, a piece of its content
 *     {"end":true}          the content is complete
 *     {"done":true}         from the caller: nothing more comes
 *
 * The server answers with frames and `{"progress":{…}}`, and ends with `{"result":…}` or `{"error":{…}}`. Never broken: a
 * line or a piece beyond the limits ends the reading with an error before it is taken into memory.
 */
export type Frame = { head: Record<string, unknown> } | { octets: Buffer } | { end: true }

/** Any line: a frame, or what the two ends tell each other around it. */
export type Line = Frame | { [key: string]: unknown }

export interface FrameLimits {
  /** Octets of one JSON line. */
  line: number
  /** Octets of one piece of content. */
  piece: number
}

const largestPiece = 1024 * 1024

/** Of a caller: a line is parsed in one go, while all sessions wait. The longest have the recipients of a message. */
export const callLimits: FrameLimits = { line: 1024 * 1024, piece: largestPiece }

/** Of the server, whose answer may be a whole queue, and holds up the verb alone. */
export const answerLimits: FrameLimits = { line: 64 * 1024 * 1024, piece: largestPiece }

/** The octets of one line, with the piece that follows it. */
export function encodeLine(line: Line): Buffer {
  if ('octets' in line && Buffer.isBuffer(line.octets)) {
    return Buffer.concat([Buffer.from(`{"octets":${line.octets.length}}\n`), line.octets])
  }
  return Buffer.from(`${JSON.stringify(line)}\n`)
}

const pieceOctets = 64 * 1024

/** The same in pieces: an answer may be a list of very many, and none of it is to hold up the event loop. */
export function* encodePieces(line: Line): Generator<Buffer> {
  let text = ''
  for (const part of jsonParts(line)) {
    text += part
    if (text.length < pieceOctets) continue
    yield Buffer.from(text)
    text = ''
  }
  yield Buffer.from(`${text}\n`)
}

/** JSON, a few elements of a list at a time. */
function* jsonParts(value: unknown): Generator<string> {
  if (Array.isArray(value)) {
    yield '['
    for (let at = 0; at < value.length; at += 20) {
      yield `${at === 0 ? '' : ','}${JSON.stringify(value.slice(at, at + 20)).slice(1, -1)}`
    }
    yield ']'
  } else if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined)
    for (const [index, [name, field]] of fields.entries()) {
      yield `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`
      yield* jsonParts(field)
    }
    yield fields.length === 0 ? '{}' : '}'
  } else yield JSON.stringify(value)
}

/** Reads lines out of a stream of octets cut anywhere. Throws when the stream breaks the format or a limit. */
export async function* decodeLines(source: AsyncIterable<Buffer>, limits: FrameLimits): AsyncGenerator<Line> {
  const held: Buffer[] = []
  let size = 0
  /** Octets that the piece being read still lacks; undefined while a line is read. */
  let piece: number | undefined
  for await (let chunk of source) {
    while (chunk.length > 0) {
      const lineFeed = piece === undefined ? chunk.indexOf(10) : -1
      const wanted = piece !== undefined ? piece - size : lineFeed < 0 ? chunk.length : lineFeed + 1
      const taken = chunk.subarray(0, wanted)
      chunk = chunk.subarray(taken.length)
      held.push(taken)
      size += taken.length
      if (piece === undefined && size > limits.line) throw new Error(`a line is longer than ${limits.line} octets`)
      const isComplete = piece === undefined ? lineFeed >= 0 : size === piece
      if (!isComplete) continue
      const whole = held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held)
      held.length = size = 0
      if (piece !== undefined) {
        piece = undefined
        yield { octets: whole }
        continue
      }
      const line = parseLine(whole)
      if (typeof line.octets !== 'number') yield line
      else if (line.octets > 0) piece = checkedPiece(line.octets, limits)
    }
  }
  if (size > 0 || piece !== undefined) throw new Error('the stream ended in the middle of a line')
}

function parseLine(octets: Buffer): { [key: string]: unknown } {
  const value: unknown = JSON.parse(octets.toString('utf8'))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('a line is no JSON object')
  return value as { [key: string]: unknown }
}

function checkedPiece(octets: number, { piece }: FrameLimits): number {
  if (Number.isSafeInteger(octets) && octets <= piece) return octets
  throw new Error(`a piece is larger than ${piece} octets`)
}
