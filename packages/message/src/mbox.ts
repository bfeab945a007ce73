import { formatDate, parseDate } from './date.ts'

/**
 * mbox files (RFC 4155 and its kin), read and written as a stream. A message starts at a line `From …` at the start of
 * the file or behind an empty line, and behind any line where what follows is a date, or the `-` alone that Netscape
 * wrote: it puts no empty line there. Written and read as mboxrd, which loses nothing; of
 * mboxo a `>>From ` loses one more `>` than it should. Line ends stay as they are. Called by import and export.
 */

export interface MboxSink {
  /** @param at the date of the envelope line, if it can be read (written without a zone: UTC) */
  begin(at: number | undefined): void
  /** Octets of the message; valid during the call only. */
  data(octets: Buffer): void
  end(): void
}

export interface MboxReader {
  push(chunk: Buffer): void
  finish(): void
}

const from = Buffer.from('From ')

/** The longest envelope line; a longer one is text. */
const maxEnvelopeLine = 1000

/** A reader that tells `sink` what it finds. What stands before the first envelope line is left out. */
export function createMboxReader(sink: MboxSink): MboxReader {
  return new Reader(sink)
}

class Reader implements MboxReader {
  readonly #sink: MboxSink
  /** The start of a line of which more is to come. */
  #held: Buffer = Buffer.alloc(0)
  /** An empty line that belongs to the message only if no envelope line follows. */
  #emptyLine: Buffer | undefined
  #afterEmpty = true
  #inMessage = false
  /** The line that is being read was given to the sink up to here already. */
  #midLine = false

  constructor(sink: MboxSink) {
    this.#sink = sink
  }

  push(chunk: Buffer): void {
    let octets = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk
    this.#held = Buffer.alloc(0)
    while (octets.length > 0) {
      const lineFeed = octets.indexOf(10)
      if (lineFeed < 0) {
        if (octets.length < maxEnvelopeLine && !this.#midLine) this.#held = Buffer.from(octets)
        else this.#partOfLine(octets)
        return
      }
      const line = octets.subarray(0, lineFeed + 1)
      if (this.#midLine) this.#endOfLine(line)
      else this.#line(line)
      octets = octets.subarray(lineFeed + 1)
    }
  }

  finish(): void {
    if (this.#held.length > 0) this.#line(this.#held)
    // The empty line at the end of the file is the separator of a message that does not come.
    if (this.#inMessage) this.#sink.end()
  }

  #line(line: Buffer): void {
    const isEmpty = line.length <= 2 && (line[0] === 10 || (line[0] === 13 && line[1] === 10))
    if (line[0] === from[0] && this.#isEnvelope(line)) {
      if (this.#inMessage) this.#sink.end()
      this.#emptyLine = undefined
      this.#afterEmpty = false
      this.#inMessage = true
      this.#sink.begin(envelopeDate(line.toString('latin1')))
      return
    }
    this.#flushEmpty()
    this.#afterEmpty = isEmpty || !this.#inMessage
    if (!this.#inMessage) return
    if (isEmpty) this.#emptyLine = Buffer.from(line)
    else this.#sink.data(this.#isQuoted(line) ? line.subarray(1) : line)
  }

  #isEnvelope(line: Buffer): boolean {
    if (line.length > maxEnvelopeLine || !line.subarray(0, from.length).equals(from)) return false
    if (this.#afterEmpty) return true
    const text = line.toString('latin1')
    return /^From -\s*$/.test(text) || ctimeDate(writtenDate(text)) !== undefined
  }

  /** `>From `, with any number of `>`. */
  #isQuoted(line: Buffer): boolean {
    let quotes = 0
    while (line[quotes] === 62) quotes++
    return quotes > 0 && line.subarray(quotes, quotes + from.length).equals(from)
  }

  #partOfLine(octets: Buffer): void {
    this.#flushEmpty()
    const quoted = !this.#midLine && this.#isQuoted(octets)
    this.#midLine = true
    if (this.#inMessage) this.#sink.data(quoted ? octets.subarray(1) : octets)
  }

  #endOfLine(octets: Buffer): void {
    this.#midLine = false
    this.#afterEmpty = !this.#inMessage
    if (this.#inMessage) this.#sink.data(octets)
  }

  #flushEmpty(): void {
    if (this.#emptyLine) this.#sink.data(this.#emptyLine)
    this.#emptyLine = undefined
  }
}

/** What stands behind the sender. */
const writtenDate = (line: string): string => /^From +[^ \t]* *(.*)$/s.exec(line.trimEnd())?.[1] ?? ''

function envelopeDate(line: string): number | undefined {
  const written = writtenDate(line)
  return ctimeDate(written) ?? parseDate(written)?.at
}

/** `Thu Nov 26 09:30:00 2026`, with or without a zone before or behind the year. */
function ctimeDate(written: string): number | undefined {
  const date =
    /^[A-Za-z]{3},? +([A-Za-z]{3}) +(\d{1,2}) +(\d{2}:\d{2}(?::\d{2})?)(?: +[A-Z]{3,4}| +([+-]\d{4}))? +(\d{4})(?: +([+-]\d{4}))?/.exec(
      written,
    )
  if (!date) return undefined
  const [, month, day, time, zone, year, laterZone] = date
  return parseDate(`${day} ${month} ${year} ${time} ${zone ?? laterZone ?? '+0000'}`)?.at
}

/** The envelope line of a message, LF at its end. `reversePath` is '' for a message that has none. */
export function mboxEnvelopeLine(reversePath: string, at: number): Buffer {
  const [weekday, day, month, year, time] = formatDate(at).replace(',', '').split(' ')
  const sender = reversePath.replace(/\s+/g, '_') || 'MAILER-DAEMON'
  return Buffer.from(`From ${sender} ${weekday} ${month} ${(day as string).padStart(2)} ${time} ${year}\n`)
}

export interface MboxWriter {
  /** The octets to write for these octets of the message. */
  push(chunk: Buffer): Buffer
  /** What ends the message in the file. */
  finish(): Buffer
}

/** The most of an unfinished line that is held back. */
const maxHeld = 64 * 1024

/** Quotes one message as mboxrd, CRLF made LF; `mboxEnvelopeLine` stands before it. */
export function createMboxWriter(): MboxWriter {
  let held = ''
  // The start of the line that `held` continues is written already.
  let midLine = false
  const write = (text: string): Buffer => {
    const firstLine = midLine ? text.indexOf('\n') + 1 || text.length : 0
    midLine = text !== '' ? !text.endsWith('\n') : midLine
    const quoted = text.slice(firstLine).replace(/(?<=^|\n)(>*From )/g, '>$1')
    return Buffer.from((text.slice(0, firstLine) + quoted).replace(/\r\n/g, '\n'), 'latin1')
  }
  return {
    push(chunk) {
      const text = held + chunk.toString('latin1')
      const lines = text.lastIndexOf('\n') + 1
      // A CR stays with the LF that may follow it.
      const end = text.length - lines <= maxHeld ? lines : text.length - 1
      held = text.slice(end)
      return write(text.slice(0, end))
    },
    finish() {
      const rest = held !== '' || midLine ? `${held}\n` : ''
      held = ''
      return Buffer.concat([write(rest), Buffer.from('\n')])
    },
  }
}
