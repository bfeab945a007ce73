/**
 * The least IMAP client: it sends commands and reads responses as trees of what the wire said, so that two servers can
 * be compared octet by octet. No client library keeps a NIL apart from an empty string, or octets as they came.
 */
import type { Readable, Writable } from 'node:stream'

/** An atom as written, a string (quoted or literal, the same to a reader) as octets in latin1, NIL, or a list. */
export type Datum = Atom | string | null | Datum[]

export class Atom {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export interface Answer {
  /** OK, NO or BAD with its text. */
  status: string
  /** Untagged responses in order, without their `* `. */
  untagged: string[]
}

/** A session with one server, over whatever carries it. */
export class ImapWire {
  readonly #output: Writable
  readonly #pieces: AsyncIterator<Buffer>
  #octets: Buffer = Buffer.alloc(0)
  #tag = 0

  constructor(input: Readable, output: Writable) {
    this.#output = output
    this.#pieces = input[Symbol.asyncIterator]()
  }

  /** The next response as octets in latin1, with its literals. */
  async response(): Promise<string> {
    let response = ''
    for (;;) {
      const line = await this.#line()
      response += line
      const literal = /\{(\d+)\}$/.exec(line)
      if (!literal) return response
      response += `\r\n${await this.#take(Number(literal[1]))}`
    }
  }

  /** Sends a command; `literal` goes behind it as a non-synchronizing literal. */
  async command(text: string, literal?: Buffer): Promise<Answer> {
    const tag = `t${++this.#tag}`
    const line = Buffer.from(`${tag} ${text}${literal ? ` {${literal.length}+}` : ''}\r\n`, 'latin1')
    this.#output.write(literal ? Buffer.concat([line, literal, Buffer.from('\r\n')]) : line)
    const untagged: string[] = []
    for (;;) {
      const response = await this.response()
      if (response.startsWith(`${tag} `)) return { status: response.slice(tag.length + 1), untagged }
      untagged.push(response.slice(2))
    }
  }

  /** FETCH of one message: item as the server names it → value. */
  async fetch(number: number, items: string): Promise<Map<string, Datum>> {
    const { status, untagged } = await this.command(`FETCH ${number} ${items}`)
    const values = new Map<string, Datum>()
    for (const response of untagged) {
      const head = /^\d+ FETCH /.exec(response)
      if (!head) continue
      const data = parseDatum(response.slice(head[0].length)) as Datum[]
      for (let at = 0; at + 1 < data.length; at += 2) {
        values.set((data[at] as Atom).text.toUpperCase(), data[at + 1] as Datum)
      }
    }
    if (!status.startsWith('OK')) throw new Error(`FETCH ${number} ${items}: ${status}`)
    return values
  }

  async #line(): Promise<string> {
    for (let from = 0; ; ) {
      const end = this.#octets.indexOf('\r\n', from)
      if (end >= 0) {
        const line = this.#octets.toString('latin1', 0, end)
        this.#octets = this.#octets.subarray(end + 2)
        return line
      }
      from = Math.max(0, this.#octets.length - 1)
      await this.#more()
    }
  }

  async #take(size: number): Promise<string> {
    while (this.#octets.length < size) await this.#more()
    const taken = this.#octets.toString('latin1', 0, size)
    this.#octets = this.#octets.subarray(size)
    return taken
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#pieces.next()
    if (done) throw new Error('the server has gone')
    this.#octets = this.#octets.length === 0 ? value : Buffer.concat([this.#octets, value])
  }
}

/** Parses what a FETCH response says behind its name. */
function parseDatum(text: string): Datum {
  let at = 0
  const read = (): Datum => {
    if (text[at] === '(') return list()
    if (text[at] === '"') return quoted()
    if (text[at] === '{' || text.startsWith('~{', at)) return literal()
    return atom()
  }
  const list = (): Datum[] => {
    const items: Datum[] = []
    for (at++; text[at] !== ')'; ) {
      if (at >= text.length) throw new Error(`a list is not closed: ${text.slice(0, 200)}`)
      if (text[at] === ' ') at++
      else items.push(read())
    }
    at++
    return items
  }
  const quoted = (): string => {
    const whole = /"((?:[^"\\]|\\.)*)"/sy
    whole.lastIndex = at
    const found = whole.exec(text)
    if (!found) throw new Error(`a string is not closed: ${text.slice(at, at + 200)}`)
    at += found[0].length
    return (found[1] as string).replace(/\\(.)/gs, '$1')
  }
  const literal = (): string => {
    const head = /~?\{(\d+)\}\r\n/y
    head.lastIndex = at
    const found = head.exec(text) as RegExpExecArray
    at += found[0].length + Number(found[1])
    return text.slice(at - Number(found[1]), at)
  }
  // `BODY[HEADER.FIELDS (To)]<0>` is one.
  const atom = (): Datum => {
    const whole = /[^\s()[\]]*(?:\[[^\]]*\][^\s()]*)?/y
    whole.lastIndex = at
    const found = whole.exec(text)?.[0] ?? ''
    if (found === '') throw new Error(`nothing where a value belongs: ${text.slice(at, at + 200)}`)
    at += found.length
    return found === 'NIL' ? null : new Atom(found)
  }
  return read()
}
