import { isAscii } from 'node:buffer'
import { type Boundary, boundaryAt, type OpenBoundary } from './boundary.ts'
import { envelopeOf } from './envelope.ts'
import { endOfField, fieldName, isEmptyLine, parseHeader } from './fields.ts'
import { buildIndex, endsLine, type Rendering, type ScannedMessage } from './message-index.ts'
import { mimeFieldsOf } from './mime-fields.ts'
import { newPart, type Part } from './part.ts'
import { PreviewCapture } from './preview.ts'
import { isEncoded } from './transfer-decoder.ts'
import { transferEncodingOf } from './transfer-encoding.ts'

/**
 * One pass over a message as it arrives, in chunks of any size; what it finds is the same however it is cut.
 *
 * Theory of operation. `window` holds the octets that are not done with: all of the header section being read, or in a
 * body the last few octets, which may be the start of a delimiter. `position` is how far they were looked at, so no
 * octet is searched twice. Three states: `header` goes line by line up to the empty line; `body` jumps from one
 * `LF "--"` to the next while a multipart is open, and takes all it gets otherwise; `delimiter` skips the rest of a
 * boundary line. `account()` walks behind: it counts lines where a part needs them and feeds the preview.
 *
 * Never broken: no input throws; time is linear; memory is bounded by `ScanLimits`; every part lies inside its parent.
 * Where the RFCs are silent the answer is Dovecot's, since clients are used to it. Called by reception and APPEND.
 */

export interface ScanLimits {
  /**
   * Octets of a header section, which are in memory while it is read: of the message's, what is beyond the last whole line
   * within it counts as body; behind a part's, no part is opened any more.
   */
  headerSize: number
  /** Octets of all headers of parts together; beyond it no part is opened any more. */
  partHeaderSize: number
  /** Parts, all in all, with the message itself; the last one takes what is left. */
  parts: number
  /** Levels of parts; a multipart or message below it is one opaque part. */
  depth: number
}

const defaultScanLimits: Readonly<ScanLimits> = {
  headerSize: 1024 * 1024,
  partHeaderSize: 4 * 1024 * 1024,
  parts: 10_000,
  depth: 100,
}

export interface Scanner {
  /** Takes the next octets. The buffer is not kept. */
  push(chunk: Buffer): void
  /** Says what there was; call it once, push nothing after it. */
  finish(): ScannedMessage
}

/** A scanner for one message. */
export function createScanner(limits: Partial<ScanLimits> = {}): Scanner {
  return new MessageScanner({ ...defaultScanLimits, ...limits })
}

/** Scans a message that is in memory. */
export function scan(content: Buffer, limits: Partial<ScanLimits> = {}): ScannedMessage {
  const scanner = createScanner(limits)
  scanner.push(content)
  return scanner.finish()
}

/** Larger than any chunk, each of which comes into it in the body of a multipart. */
const largestKept = 256 * 1024
const delimiterStart = Buffer.from('\n--')

class MessageScanner implements Scanner {
  readonly #limits: ScanLimits
  #state: 'header' | 'body' | 'delimiter' = 'header'
  #window: Buffer = Buffer.alloc(0)
  #store: Buffer = Buffer.alloc(0)
  /** Offset in the message of `window[0]`. */
  #base = 0
  /** Offset in the window: looked at so far. */
  #position = 0
  /** Offset in the window of the line that `header` reads. */
  #lineStart = 0
  /** The body's next line directly follows a header or a delimiter: no line end before it belongs to a boundary. */
  #firstLine = false
  #final = false

  readonly #root: Part = newPart(undefined, 0)
  #current: Part = this.#root
  readonly #boundaries: OpenBoundary[] = []
  #parts = 1
  #partHeaders = 0
  #envelopes = 0
  #limitReached = false
  #header: Buffer = Buffer.alloc(0)
  #headerTooLarge = false
  #eightBitBody = false
  /** The last two octets: whether the message ends in CRLF. */
  #last = Buffer.alloc(0)

  /** Offset in the message up to which lines are counted and the preview is fed. */
  #accounted = 0
  #lines = 0
  /** Open parts whose lines are wanted. */
  #counting = 0
  readonly #preview = new PreviewCapture()

  constructor(limits: ScanLimits) {
    this.#limits = limits
  }

  push(chunk: Buffer): void {
    const inBody = this.#current !== this.#root || this.#state !== 'header'
    if (inBody && !this.#eightBitBody) this.#eightBitBody = !isAscii(chunk)
    this.#last = chunk.length > 1 ? Buffer.from(chunk.subarray(-2)) : Buffer.concat([this.#last, chunk]).subarray(-2)
    const held = this.#window.length
    if (held === 0) {
      this.#window = chunk
    } else {
      if (held + chunk.length > this.#store.length) this.#grow(held + chunk.length)
      chunk.copy(this.#store, held)
      this.#window = this.#store.subarray(0, held + chunk.length)
    }
    this.#run()
    this.#keepRest()
  }

  finish(): ScannedMessage {
    this.#final = true
    this.#run()
    const size = this.#base + this.#window.length
    this.#account(size)
    this.#closeUpTo(undefined, size)
    const headerSize = this.#root.bodyStart
    const facts = {
      header: this.#header,
      headerSize,
      size,
      bodySize: size - headerSize,
      headerTooLarge: this.#headerTooLarge,
      structureCut: this.#limitReached,
      eightBitBody: this.#eightBitBody,
      openEnd: !endsLine(this.#last),
      root: this.#root,
    }
    const preview = this.#preview
    return { ...facts, index: (rendering?: Rendering) => buildIndex(facts, preview, rendering) }
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#store.length, 1024))
    this.#window.copy(larger)
    this.#store = larger
  }

  /** Drops what is done with; the little that is left moves into the own store. */
  #keepRest(): void {
    const from = this.#state === 'header' ? this.#current.headerStart - this.#base : this.#position
    this.#account(this.#base + from)
    const rest = this.#window.length - from
    if (rest > this.#store.length) this.#grow(rest)
    else if (this.#store.length > largestKept && rest <= largestKept / 4) {
      // A header section made it large, and its sender may take any time over the body.
      this.#store = Buffer.from(this.#window.subarray(from))
    }
    if (rest > 0) this.#window.copy(this.#store, 0, from)
    this.#window = this.#store.subarray(0, rest)
    this.#base += from
    this.#position -= from
    this.#lineStart -= from
  }

  #run(): void {
    let moved = true
    while (moved) {
      if (this.#state === 'header') moved = this.#runHeader()
      else if (this.#state === 'body') moved = this.#runBody()
      else moved = this.#runDelimiter()
    }
  }

  /** Each `run…` returns whether the state changed; otherwise more octets are needed. */
  #runHeader(): boolean {
    const window = this.#window
    const start = this.#current.headerStart - this.#base
    const limit = start + (this.#current === this.#root ? this.#limits.headerSize : this.#partHeaderLeft())
    for (;;) {
      const lineFeed = window.indexOf(10, this.#position)
      if (lineFeed < 0 && !this.#final && window.length <= limit) {
        this.#position = window.length
        return false
      }
      const lineStart = this.#lineStart
      const lineEnd = lineFeed < 0 ? window.length : lineFeed + 1
      if (lineEnd > limit) return this.#endHeaderAtLimit(lineStart)
      const boundary = this.#boundaryAt(lineStart, lineFeed < 0 ? lineEnd : lineFeed)
      if (boundary) return this.#headerEndedBy(boundary, start, lineStart)
      if (lineFeed < 0) return this.#endHeader(lineEnd)
      if (lineFeed === lineStart || (lineFeed === lineStart + 1 && window[lineStart] === 13))
        return this.#endHeader(lineEnd)
      this.#lineStart = this.#position = lineEnd
    }
  }

  #partHeaderLeft(): number {
    return Math.min(this.#limits.headerSize, this.#limits.partHeaderSize - this.#partHeaders)
  }

  #endHeaderAtLimit(lineStart: number): boolean {
    if (this.#current !== this.#root) this.#stopOpening()
    else if (lineStart === 0 || headerEnd(this.#window.subarray(0, lineStart)) > 0) this.#headerTooLarge = true
    return this.#endHeader(lineStart)
  }

  /** From now on no part begins: the current one takes what is left. */
  #stopOpening(): void {
    this.#limitReached = true
    this.#boundaries.length = 0
  }

  /** A delimiter stands where a field could: the part has no body, and the line end before it is the delimiter's. */
  #headerEndedBy(boundary: Boundary, start: number, lineStart: number): boolean {
    const end = lineStart > start ? this.#beforeLineEnd(lineStart, start) : lineStart
    const before = this.#boundaries.length
    this.#openBody(end, true)
    // The part's own boundary, if it declared one, dies with it.
    this.#boundaries.length = before
    return this.#endPartsAt(boundary, lineStart, end)
  }

  #endHeader(lineEnd: number): boolean {
    const end = this.#current === this.#root ? headerEnd(this.#window.subarray(0, lineEnd)) : lineEnd
    this.#openBody(end, false)
    if (this.#current === this.#root && !this.#eightBitBody) this.#eightBitBody = !isAscii(this.#window.subarray(end))
    this.#position = end
    if (this.#current.kind === 'message') {
      this.#openPart(this.#current, end)
      return true
    }
    this.#state = 'body'
    this.#firstLine = true
    return true
  }

  /** Reads the header of the current part, which ends at `end` (in the window), and says what its body is. */
  #openBody(end: number, isEmpty: boolean): void {
    const part = this.#current
    part.bodyStart = this.#base + end
    const octets = this.#window.subarray(part.headerStart - this.#base, end)
    const parent = part.parent
    if (part === this.#root) this.#header = Buffer.from(octets)
    else this.#partHeaders += octets.length
    const section = parseHeader(octets)
    part.mime = mimeFieldsOf(section, {
      inDigest: parent?.kind === 'multipart' && parent.mime.subtype === 'digest',
      isPart: parent?.kind === 'multipart',
    })
    if (parent?.kind === 'message' && this.#envelopes < maxEnvelopes) {
      parent.envelope = envelopeOf(section)
      this.#envelopes += parent.envelope.length
    }
    this.#decideKind(part, isEmpty)
    this.#account(part.bodyStart)
    part.lines = this.#lines
    if (part.kind === 'text' || part.kind === 'message') this.#counting++
    if (part.kind === 'text') this.#preview.open(part)
  }

  #decideKind(part: Part, isEmpty: boolean): void {
    const { type, subtype, boundary } = part.mime
    if (type === 'text') {
      part.kind = 'text'
    } else if (type === 'multipart' || isMessage(part)) {
      const room = part.depth < this.#limits.depth && this.#parts < this.#limits.parts && !this.#limitReached
      if (!room && !isEmpty) {
        this.#limitReached = true
        part.mime = { ...part.mime, type: 'application', subtype: 'octet-stream' }
      } else if (type === 'message') {
        part.kind = 'message'
        part.mime = { ...part.mime, subtype: subtype === 'global' ? 'global' : 'rfc822' }
      } else {
        part.kind = 'multipart'
        if (boundary !== '' && room) this.#boundaries.push({ octets: Buffer.from(boundary, 'latin1'), part })
      }
    }
  }

  #openPart(parent: Part, start: number): void {
    const part = newPart(parent, this.#base + start)
    parent.children.push(part)
    this.#parts++
    this.#current = part
    this.#state = 'header'
    this.#lineStart = this.#position = start
  }

  #runBody(): boolean {
    const window = this.#window
    if (this.#boundaries.length === 0) {
      this.#position = window.length
      this.#account(this.#base + window.length)
      return false
    }
    if (this.#firstLine) {
      if (window.length < this.#position + 2 && !this.#final) return false
      if (window[this.#position] === 45 && window[this.#position + 1] === 45) {
        const found = this.#delimiterAt(this.#position)
        if (found === 'unknown') return false
        if (found) return this.#endPartsAt(found, this.#position, this.#position)
      }
      this.#firstLine = false
    }
    for (;;) {
      const lineFeed = window.indexOf(delimiterStart, this.#position)
      if (lineFeed < 0) break
      const found = this.#delimiterAt(lineFeed + 1)
      const end = this.#beforeLineEnd(lineFeed + 1, this.#position)
      if (found === 'unknown') {
        this.#position = end
        this.#account(this.#base + end)
        return false
      }
      if (found) return this.#endPartsAt(found, lineFeed + 1, end)
      this.#position = lineFeed + 1
    }
    // CR LF "-" may be the start of a delimiter.
    this.#position = Math.max(this.#position, window.length - 3)
    this.#account(this.#base + this.#position)
    return false
  }

  /** The offset of the line end that stands before `lineStart`, not looking before `from`. */
  #beforeLineEnd(lineStart: number, from: number): number {
    return lineStart - 2 >= from && this.#window[lineStart - 2] === 13 ? lineStart - 2 : lineStart - 1
  }

  /** The open boundary that the line at `start` is; `unknown` when the line must be longer to tell. */
  #delimiterAt(start: number): Boundary | undefined | 'unknown' {
    const window = this.#window
    const lineFeed = window.indexOf(10, start + 2)
    if (lineFeed < 0 && !this.#final && window.length - start < maxDelimiter) return 'unknown'
    return this.#boundaryAt(start, lineFeed < 0 ? window.length : lineFeed)
  }

  #boundaryAt(start: number, end: number): Boundary | undefined {
    if (this.#boundaries.length === 0) return undefined
    const boundary = boundaryAt(this.#window, start, Math.min(end, start + maxDelimiter), this.#boundaries)
    if (boundary === undefined || this.#parts < this.#limits.parts) return boundary
    this.#limitReached = true
    return undefined
  }

  /** Closes every part inside the boundary's multipart at `end`; the delimiter line starts at `lineStart`. */
  #endPartsAt(boundary: Boundary, lineStart: number, end: number): boolean {
    const owner = boundary.open.part
    this.#account(this.#base + end)
    this.#closeUpTo(owner, this.#base + end)
    this.#current = owner
    this.#boundaries.length = boundary.index + (boundary.closing ? 0 : 1)
    this.#state = 'delimiter'
    this.#position = lineStart + 2 + boundary.open.octets.length
    return true
  }

  #runDelimiter(): boolean {
    const window = this.#window
    const lineFeed = window.indexOf(10, this.#position)
    if (lineFeed < 0) {
      // Of a line end that may belong to the next delimiter nothing is passed.
      this.#position = Math.max(this.#position, window.length - (window.at(-1) === 13 ? 1 : 0))
      this.#account(this.#base + this.#position)
      return false
    }
    if (this.#boundaries.at(-1)?.part === this.#current) {
      this.#openPart(this.#current, lineFeed + 1)
    } else {
      // The line end behind a last delimiter is the next delimiter's, where one follows at once (RFC 2046 §5.1.1).
      this.#position = this.#beforeLineEnd(lineFeed + 1, this.#position)
      this.#state = 'body'
      this.#firstLine = false
    }
    return true
  }

  #closeUpTo(owner: Part | undefined, end: number): void {
    for (let part: Part | undefined = this.#current; part && part !== owner; part = part.parent) {
      // A header that the end of the message cut short has become a body of no octets before this is called.
      part.end = end
      if (part.kind === 'text' || part.kind === 'message') {
        this.#counting--
        part.lines = this.#lines - part.lines
      }
    }
  }

  /** Counts and captures what lies before `upTo` (an offset in the message). */
  #account(upTo: number): void {
    const from = this.#accounted
    if (upTo <= from) return
    this.#accounted = upTo
    if (this.#counting === 0) return
    const window = this.#window
    const end = upTo - this.#base
    this.#preview.take(this.#current, window, from - this.#base, end)
    let lines = 0
    for (let at = window.indexOf(10, from - this.#base); at >= 0 && at < end; at = window.indexOf(10, at + 1)) lines++
    this.#lines += lines
  }
}

/**
 * Where the header section ends of a message that was read to its empty line or, without one, to its end. What begins
 * as if it went on with a field, has no field, or has none any more and no empty line, is body (RFC 5322 §3.5): as header
 * section it would hide its text, and what is put on top of it would run into it.
 */
function headerEnd(read: Buffer): number {
  const text = read.toString('latin1')
  if (text === '' || isEmptyLine(text, 0)) return text.length
  if (text[0] === ' ' || text[0] === '\t') return 0
  const hasEmptyLine = /\n\r?\n$/.test(text.slice(-3))
  let hasField = false
  for (let start = 0, end = 0; start < text.length && !(hasField && hasEmptyLine); start = end) {
    end = endOfField(text, start)
    const line = text.slice(start, end)
    if (fieldName(line, 0, Math.max(0, line.indexOf(':'))) !== '') hasField = true
    // The first line may be that of an mbox.
    else if (start > 0 && !hasEmptyLine) return hasField ? start : 0
  }
  return hasField ? text.length : 0
}

/** Characters of the envelopes of inner messages; what comes later has empty ones. */
const maxEnvelopes = 1024 * 1024

/** The longest start of a line that is looked at for a boundary. */
const maxDelimiter = 1010

/** A message/global in base64 or quoted-printable (RFC 6532 §3.7 allows it) cannot be looked into: it stays opaque. */
function isMessage({ mime }: Part): boolean {
  if (mime.type !== 'message') return false
  if (mime.subtype === 'global') return !isEncoded(transferEncodingOf(mime.encoding))
  return mime.subtype === 'rfc822'
}
