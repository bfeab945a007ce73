import { isUtf8 } from 'node:buffer'
import type { StreamedLiteral } from '../command.ts'
import { bad } from '../refusal.ts'
import { printQuoted } from './strings.ts'

/**
 * A place in one command and the lexical productions of RFC 9051 §9 that read on from it. Larger productions are
 * functions beside it (`grammar/`) that take the cursor; all carry the production's name.
 *
 * Text is held as one character per octet ("binary strings"), so that nothing is lost before somebody knows its
 * charset; `utf8` makes text of it. Every fault throws BAD with what was expected.
 */

/** A literal as it came with the command. */
export interface Literal {
  octets: Buffer
  binary: boolean
  /** What the command's literal sink made of it, when the octets went there instead. */
  streamed?: StreamedLiteral
}

/** One whole command: the lines around its literals, and the literals. `lines.length === literals.length + 1`. */
export interface Unit {
  lines: string[]
  literals: Literal[]
}

const quote = 34
const backslash = 92

/** ATOM-CHAR and the characters that extend it, by character code: bit 1 atom, 2 astring, 4 list-char, 8 tag. */
const classes = new Uint8Array(256)
for (let code = 33; code < 127; code++) {
  const char = String.fromCharCode(code)
  const atom = !'(){%*"\\]'.includes(char)
  const responseSpecial = char === ']'
  const wildcard = char === '%' || char === '*'
  if (atom) classes[code] = 1
  if (atom || responseSpecial) classes[code]! |= 2
  if (atom || responseSpecial || wildcard) classes[code]! |= 4
  if ((atom || responseSpecial) && char !== '+') classes[code]! |= 8
}
// Mailbox names in raw UTF-8 (RFC 6855 §3) may come as atoms from lenient clients; only names and search text see them.
for (let code = 128; code < 256; code++) classes[code] = 2 | 4

/** Where reading stands in one command. */
export class Cursor {
  readonly #unit: Unit
  #line: string
  #index = 0
  #at = 0
  #depth = 0
  readonly #nesting: number

  /** @param nesting limit of parentheses */
  constructor(unit: Unit, nesting: number) {
    this.#unit = unit
    this.#line = unit.lines[0] ?? ''
    this.#nesting = nesting
  }

  // --- where it stands ---

  /** At the end of the line before a literal, or of the command. */
  get #atLineEnd(): boolean {
    return this.#at >= this.#line.length
  }

  get atLiteral(): boolean {
    return this.#atLineEnd && this.#index < this.#unit.literals.length
  }

  get atEnd(): boolean {
    return this.#atLineEnd && this.#index >= this.#unit.literals.length
  }

  /** The character here, '' at the end of a line. */
  peek(): string {
    return this.#line.charAt(this.#at)
  }

  // --- fixed text ---

  /** Reads `text` when it is here, in any case. */
  skip(text: string): boolean {
    const here = this.#line.substr(this.#at, text.length)
    if (here !== text && here.toUpperCase() !== text) return false
    this.#at += text.length
    return true
  }

  expect(text: string): void {
    if (!this.skip(text)) throw bad(`${text === ' ' ? 'Space' : printQuoted(text)} expected${this.#where()}`)
  }

  /** `SP = %x20`. One only, as the grammar has it. */
  sp(): void {
    this.expect(' ')
  }

  /** `CRLF`: nothing more. */
  crlf(): void {
    if (!this.atEnd) throw bad(`Nothing more expected${this.#where()}`)
  }

  /** Reads what is in a parenthesis, or behind a key that holds others. Throws beyond the limit of nesting. */
  nested<Value>(read: () => Value): Value {
    if (++this.#depth > this.#nesting) throw bad('Too deeply nested')
    const value = read()
    this.#depth--
    return value
  }

  /** `"(" [item *(SP item)] ")"`; one space at either end is let through, for Dovecot's imapc and aioimaplib send it. */
  list(item: () => void, limit: number): void {
    this.expect('(')
    this.nested(() => {
      this.skip(' ')
      for (let count = 0; !this.skip(')'); count++) {
        if (count === limit) throw bad('Too many items in the list')
        item()
        if (!this.skip(' ') && this.peek() !== ')') this.expect(')')
      }
    })
  }

  /** The same of at least one. */
  someOf(what: string, item: () => void, limit: number): void {
    let any = false
    this.list(() => {
      any = true
      item()
    }, limit)
    if (!any) throw bad(`${what} expected`)
  }

  // --- lexical productions ---

  /** `tag = 1*<any ASTRING-CHAR except "+">` */
  tag(): string {
    return this.#run(8, 'Tag')
  }

  /** `atom = 1*ATOM-CHAR` */
  atom(what = 'Atom'): string {
    return this.#run(1, what)
  }

  /** An atom in upper case: names of commands, keys and items. */
  word(what = 'Keyword'): string {
    return this.atom(what).toUpperCase()
  }

  /** The atom here without reading it, in upper case; '' when there is none. */
  peekWord(): string {
    let end = this.#at
    while (end < this.#line.length && (classes[this.#line.charCodeAt(end)]! & 1) !== 0) end++
    return this.#line.slice(this.#at, end).toUpperCase()
  }

  /** `astring = 1*ASTRING-CHAR / string` */
  astring(what = 'String'): string {
    return this.atString() ? this.string(what) : this.#run(2, what)
  }

  /** `list-mailbox = 1*list-char / string` */
  listMailbox(): string {
    return this.atString() ? this.string() : this.#run(4, 'Mailbox pattern')
  }

  /** Whether a quoted string or literal is here. */
  atString(): boolean {
    return this.atLiteral || this.#line.charCodeAt(this.#at) === quote
  }

  /** `string = quoted / literal` */
  string(what = 'String'): string {
    if (!this.atLiteral) return this.quoted(what)
    const literal = this.literal()
    if (literal.binary) throw bad('literal8 is not allowed here')
    if (literal.octets.includes(0)) throw bad('NUL is not allowed in a literal')
    return literal.octets.toString('latin1')
  }

  /** `nstring = string / nil` */
  nstring(what = 'String'): string | null {
    if (!this.atString() && this.skip('NIL')) return null
    return this.string(what)
  }

  /** `quoted = DQUOTE *QUOTED-CHAR DQUOTE` */
  quoted(what = 'String'): string {
    if (this.#line.charCodeAt(this.#at) !== quote) throw bad(`${what} expected${this.#where()}`)
    const line = this.#line
    let start = ++this.#at
    let text = ''
    for (; this.#at < line.length; this.#at++) {
      const code = line.charCodeAt(this.#at)
      if (code === quote) {
        text += line.slice(start, this.#at++)
        return text
      }
      if (code === backslash) {
        text += line.slice(start, this.#at)
        start = ++this.#at
        const escaped = line.charCodeAt(start)
        if (escaped !== quote && escaped !== backslash) throw bad('Only \\" and \\\\ may be escaped')
      } else if (code === 0 || code === 13) {
        throw bad('NUL and CR are not allowed in a quoted string')
      }
    }
    throw bad('Quoted string without its end')
  }

  /** `literal` or `literal8`, whichever came; also what a sink has taken. */
  literal(): Literal {
    if (!this.atLiteral) throw bad(`Literal expected${this.#where()}`)
    const literal = this.#unit.literals[this.#index] as Literal
    this.#line = this.#unit.lines[++this.#index] ?? ''
    this.#at = 0
    return literal
  }

  /** `number = 1*DIGIT` below 2³² */
  number(): number {
    return this.#number(0, 0xffff_ffff, 'Number')
  }

  /** `nz-number` */
  nzNumber(): number {
    return this.#number(1, 0xffff_ffff, 'Number above 0')
  }

  /** `number64`, below 2⁶³. What is above 2⁵³ counts as 2⁵³-1: nothing here is so large, and it could not be told exactly. */
  number64(): number {
    const digits = this.match(/\d+/y)?.[0].replace(/^0+(?=\d)/, '')
    if (digits === undefined) throw bad(`Number expected${this.#where()}`)
    if (digits.length > 19 || BigInt(digits) > 0x7fff_ffff_ffff_ffffn) throw bad('Number too large')
    return Math.min(Number(digits), Number.MAX_SAFE_INTEGER)
  }

  /** Whether a digit is here. */
  atDigit(): boolean {
    const code = this.#line.charCodeAt(this.#at)
    return code >= 48 && code <= 57
  }

  /** What `pattern` (sticky) matches here, read; undefined when it does not. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#line)
    if (!match) return undefined
    this.#at = pattern.lastIndex
    return match
  }

  /** All that is left of this line; for texts that have no grammar. */
  rest(): string {
    const rest = this.#line.slice(this.#at)
    this.#at = this.#line.length
    return rest
  }

  #run(mask: number, what: string): string {
    const line = this.#line
    const start = this.#at
    let end = start
    while (end < line.length && (classes[line.charCodeAt(end)]! & mask) !== 0) end++
    if (end === start) throw bad(`${what} expected${this.#where()}`)
    this.#at = end
    return line.slice(start, end)
  }

  #number(least: number, most: number, what: string): number {
    const line = this.#line
    const start = this.#at
    let value = 0
    while (this.atDigit()) {
      value = value * 10 + (line.charCodeAt(this.#at++) - 48)
      if (value > most) throw bad('Number too large')
    }
    if (this.#at === start || value < least) {
      this.#at = start
      throw bad(`${what} expected${this.#where()}`)
    }
    return value
  }

  /**
   * For error texts: what is here, never more than a little and never a control character. KMail reads these texts by the
   * grammar too, and hangs up when a quotation mark or a parenthesis has no other.
   */
  #where(): string {
    if (this.atLiteral) return ', not a literal'
    if (this.atEnd) return ' at the end of the command'
    const here = this.#line.slice(this.#at, this.#at + 20).replace(/[^\x20-\x7e]/g, '?')
    return ` before ${printQuoted(here)}`
  }
}

export function isAscii(text: string): boolean {
  return /^[\x00-\x7f]*$/.test(text)
}

/** The text of octets held as a binary string; undefined when they are not UTF-8. */
export function decodeUtf8(binary: string): string | undefined {
  if (isAscii(binary)) return binary
  const octets = Buffer.from(binary, 'latin1')
  return isUtf8(octets) ? octets.toString('utf8') : undefined
}

/** The same for arguments: BAD when they are not UTF-8. */
export function utf8(binary: string): string {
  const text = decodeUtf8(binary)
  if (text === undefined) throw bad('Not valid UTF-8')
  return text
}
